import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { inRoot } from '../lib/root.mjs'
import { folderWith } from '../lib/testing.mjs'
import { assemble, unmake } from './assemble.mjs'
import { everything, openFolder } from './testing.mjs'

/** A clone with one app, a package of ours and two versions of one of others. */
const clone = {
  'package-lock.json': {
    packages: {
      'apps/probe': { name: '@bulkhead/probe' },
      'packages/kit': { name: '@bulkhead/kit' },
      'node_modules/pino': { version: '2.0.0', dependencies: { deep: '1' } },
      'packages/kit/node_modules/pino': { version: '1.0.0' },
      'node_modules/deep': { version: '3.0.0' },
      'node_modules/native': { version: '1.0.0', optionalDependencies: { 'native-arm64': '1' } },
      'node_modules/native-arm64': { version: '1.0.0', os: ['linux'], cpu: ['arm64'] },
    },
  },
  'apps/probe/package.json': {
    name: '@bulkhead/probe',
    dependencies: { '@bulkhead/kit': '1', pino: '2', native: '1' },
  },
  'apps/probe/dist/main.js': `import 'pino'\nimport '@bulkhead/kit'`,
  'apps/probe/dist/main.js.map': '{}',
  'apps/probe/dist/main.test.js': '',
  'apps/probe/src/main.ts': '',
  'apps/probe/assets/page.css': '',
  'packages/kit/package.json': {
    name: '@bulkhead/kit',
    exports: { '.': { default: './dist/index.js' } },
    dependencies: { pino: '1' },
  },
  'packages/kit/dist/index.js': `import 'pino'`,
  'packages/kit/assets/not-read.css': '',
  'node_modules/pino/package.json': { version: '2.0.0' },
  'node_modules/pino/index.js': '',
  'node_modules/pino/test/index.js': '',
  'packages/kit/node_modules/pino/package.json': { version: '1.0.0' },
  'node_modules/deep/package.json': {},
  'node_modules/native/package.json': {},
}
const target = { os: 'linux', cpu: 'x64', libc: 'glibc' }

function made(t, { app = 'probe', changes = {}, ...options } = {}) {
  const out = path.join(openFolder(t), 'image')
  const source = folderWith(t, { ...clone, ...changes })
  return { out, ...assemble(app, { source, out, target, ...options }) }
}
const namesIn = (folder) =>
  everything(folder)
    .filter(({ isFile }) => isFile)
    .map(({ name }) => name)
    .sort()

test('an image has the app at /app, our packages among the others, and each version where it is looked for', (t) => {
  const { out, packages, workspaces } = made(t)
  assert.deepEqual(namesIn(out), [
    'app/assets/page.css',
    'app/dist/main.js',
    'app/node_modules/@bulkhead/kit/dist/index.js',
    'app/node_modules/@bulkhead/kit/node_modules/pino/package.json',
    'app/node_modules/@bulkhead/kit/package.json',
    'app/node_modules/deep/package.json',
    'app/node_modules/pino/index.js',
    'app/node_modules/pino/package.json',
    'app/package.json',
  ])
  assert.deepEqual(packages, ['deep@3.0.0', 'pino@2.0.0', 'pino@1.0.0'])
  assert.deepEqual(workspaces, ['apps/probe', 'packages/kit'])
  unmake(out)
  assert.ok(!existsSync(out))
})

test('packages come from another folder where that is said', (t) => {
  const modules = folderWith(t, {
    'node_modules/deep/index.js': '',
    ...Object.fromEntries(Object.entries(clone).filter(([name]) => name.includes('node_modules/'))),
  })
  assert.ok(namesIn(made(t, { modules }).out).includes('app/node_modules/deep/index.js'))
  const empty = folderWith(t, {})
  assert.throws(
    () => made(t, { modules: empty }),
    /deep is not installed for linux on x64, and the image of probe needs it/,
  )
})

test('what cannot be an image is told', (t) => {
  assert.throws(
    () => made(t, { app: 'postgres' }),
    /There is no image of "postgres": scripts\/image\/apps\.mjs has chain-service, /,
  )
  assert.throws(() => made(t, { app: 'constructor' }), /There is no image of "constructor"/)
  assert.throws(
    () => made(t, { changes: { 'apps/probe/dist/main.js': `import './gone.js'` } }),
    /has to be built first/,
  )
  const native = { 'apps/probe/dist/main.js': `import 'native'` }
  assert.ok(made(t, { changes: native }))
  assert.throws(
    () => made(t, { changes: native, target: { ...target, cpu: 'arm64' } }),
    /native-arm64 is not installed for linux on arm64/,
  )
  const out = openFolder(t)
  mkdirSync(path.join(out, 'image'))
  assert.throws(
    () => made(t, { out: path.join(out, 'image') }),
    /is there already: what it holds would get into the image/,
  )
})

test('each script says how it is used, and what went wrong, and ends with 2', (t) => {
  const run = (script, ...args) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [inRoot('scripts', 'image', `${script}.mjs`), ...args],
      { encoding: 'utf8' },
    )
    assert.deepEqual([status, stdout], [2, ''], stderr)
    return stderr
  }
  for (const script of ['assemble', 'install', 'prune', 'runtime'])
    assert.match(run(script), new RegExp(`^usage: ${script}\\.mjs `))
  const out = path.join(openFolder(t), 'image')
  assert.match(run('assemble', 'nosuch', '--source', inRoot(), '--out', out), /^There is no image of "nosuch"/)
  assert.match(
    run('install', '.', '--architecture', 'riscv64'),
    /Images are made for amd64 and arm64, not for "riscv64"/,
  )
  assert.match(run('runtime', '--node', out, '--base', out, '--out', out), /^There is no \/usr\/local\/bin\/node/)
  assert.ok(!existsSync(out))
})
