import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { test } from 'node:test'
import { reading } from './reading.mjs'
import { inRoot } from './root.mjs'
import { folderWith } from './testing.mjs'

const own = 'packages/x/dist/own.test.js'

function mayShare(t, text, others = {}) {
  const root = folderWith(t, { [own]: text, ...others })
  return reading(root).mayShare(path.join(root, own))
}

for (const line of [
  'assert.equal(sum(1, 2), 3)',
  "import { createServer } from 'node:http'",
  'const seed = process.env.BULKHEAD_SEED',
  'const folder = process.cwd() + process.platform',
  '  beforeEach(() => {})',
  "import { helped } from './helper.js'",
])
  test(`shares a process: ${line}`, (t) =>
    assert.equal(mayShare(t, line, { 'packages/x/dist/helper.js': 'process.exit(1)' }), true))

for (const line of [
  "import { spawnSync } from 'node:child_process'",
  "const { Worker } = await import('node:worker_threads')",
  'process.env.HOME = "/"',
  'process.env["HOME"] ??= "/"',
  'delete process.env.HOME',
  'const env = { ...process.env, A: "b" }',
  "process.on('SIGINT', () => {})",
  'process.chdir(folder)',
  'const used = process.cpuUsage()',
  'globalThis.fetch = () => {}',
  't.mock.timers.enable()',
  'net.Socket.prototype.connect = () => {}',
  'const start = performance.now()',
  'const long = process.env.BULKHEAD_LONG',
  'beforeEach(() => {})',
  "await test('now', () => {})",
])
  test(`runs alone: ${line}`, (t) => assert.equal(mayShare(t, line), false))

test('runs alone for what a helper for tests does that it uses, and not for what it does not use', (t) => {
  const others = {
    'packages/y/package.json': { exports: { './testing': { types: './t.d.ts', default: './dist/testing/index.js' } } },
    'packages/y/dist/testing/index.js':
      "// All of it.\nexport { harmless } from './harmless.js';\nexport { a as b } from './does.js';\n",
    'packages/y/dist/testing/harmless.js': 'export const harmless = 1',
    'packages/y/dist/testing/does.js': "process.on('exit', () => {})",
  }
  assert.equal(mayShare(t, "import { harmless } from '@bulkhead/y/testing'", others), true)
  assert.equal(mayShare(t, "import { harmless, b } from '@bulkhead/y/testing'", others), false)
  assert.equal(mayShare(t, "import * as all from '@bulkhead/y/testing'", others), false)
})

test('runs alone for code far away that starts a process and goes on beside it', (t) => {
  const far = (how) => ({
    'packages/x/dist/near.js': "export const near = () => import('./far.js')",
    'packages/x/dist/far.js': `import { ${how} } from 'node:child_process'\n`,
  })
  assert.equal(mayShare(t, "import { near } from './near.js'", far('execFileSync')), true)
  assert.equal(mayShare(t, "import { near } from './near.js'", far('execFile, fork as start')), false)
})

test('files that share a process and leave it changed fail, and it is said what', (t) => {
  const root = folderWith(t, {
    'group.test.mjs': `
      import { loaded } from ${JSON.stringify(`file://${inRoot('scripts', 'lib', 'shared-process.mjs')}`)}
      import { test } from 'node:test'
      test('one', () => { process['env'].LEFT = 'yes'; process['on']('SIGTERM', () => {}) })
      loaded()`,
  })
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const { status, stderr } = spawnSync(process.execPath, [path.join(root, 'group.test.mjs')], { env, encoding: 'utf8' })
  assert.equal(stderr, 'test files that share a process left it changed: environment, handlers of SIGTERM\n')
  assert.equal(status, 1)
})
