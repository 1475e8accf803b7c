import assert from 'node:assert/strict'
import { readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { build, isBuilt } from './build.mjs'
import { collecting, folderWith } from './testing.mjs'

const turbo = (code, said = '') => `#!/usr/bin/env node
const fs = require('node:fs')
fs.writeFileSync('called', process.argv.slice(2).join(' ') + ' telemetry=' + process.env.TURBO_TELEMETRY_DISABLED)
process.stdout.write(${JSON.stringify(said)})
process.exit(${code})`

const clone = (code = 0, said = '') => ({
  'tsconfig.base.json': '{}',
  'turbo.json': '{}',
  'package-lock.json': '{}',
  'packages/a/package.json': '{}',
  'packages/a/tsconfig.json': '{}',
  'packages/a/src/index.ts': '',
  'packages/a/src/preload.cts': '',
  'packages/a/dist/index.js': '',
  'packages/a/dist/preload.cjs': '',
  'apps/b/package.json': '{}',
  'apps/b/tsconfig.json': '{}',
  'apps/b/src/main.ts': '',
  'apps/b/dist/main.js': '',
  'node_modules/.bin/turbo*': turbo(code, said),
})

test('is built once turbo has said so, until something changes', async (t) => {
  const root = folderWith(t, clone())
  assert.equal(isBuilt(root), false)
  await build(root, collecting())
  assert.equal(isBuilt(root), true)
  assert.equal(readFileSync(path.join(root, 'called'), 'utf8').endsWith('telemetry=1'), true)

  const source = path.join(root, 'packages/a/src/index.ts')
  utimesSync(source, new Date(), new Date(Date.now() + 5000))
  assert.equal(isBuilt(root), false, 'a source was touched')
  await build(root, collecting())
  writeFileSync(path.join(root, 'apps/b/src/new.ts'), '')
  assert.equal(isBuilt(root), false, 'a source was added')
  rmSync(path.join(root, 'apps/b/src/new.ts'))
  assert.equal(isBuilt(root), true, 'and taken away again')
  rmSync(path.join(root, 'packages/a/dist/preload.cjs'))
  assert.equal(isBuilt(root), false, 'a compiled file is gone')
})

test("a failed build shows the compiler's words and leaves no stamp", async (t) => {
  const root = folderWith(t, clone(1, "src/index.ts(1,1): error TS2304: Cannot find name 'x'."))
  await assert.rejects(build(root, collecting()), (error) => {
    assert.match(error.details, /TS2304/)
    assert.match(error.message, /^The build failed/)
    return true
  })
  assert.equal(isBuilt(root), false)
})

test('a build that may not write says that', async (t) => {
  const root = folderWith(t, clone(1, "error TS5033: Could not write file 'dist/index.js': EACCES: permission denied."))
  await assert.rejects(build(root, collecting()), /dist\/ folder could not be written: this user may not write there/)
})
