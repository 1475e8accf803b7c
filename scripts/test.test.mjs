import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { inRoot, root } from './lib/root.mjs'
import { folderWith } from './lib/testing.mjs'

// As in a person's shell: without the runner's own variable, which would make the inner run a part of this one.
const { NODE_TEST_CONTEXT: _, ...env } = process.env

const runnerOf = (folder, files) => `
    import { runTests } from ${JSON.stringify(`file://${inRoot('scripts', 'lib', 'run-tests.mjs')}`)}
    process.exitCode = await runTests(${JSON.stringify(files)}, { cwd: ${JSON.stringify(folder)}, env: process.env, timeoutMs: 60_000 })`

function runTestsIn(folder, files) {
  const code = runnerOf(folder, files)
  return spawnSync(process.execPath, ['--input-type=module', '--eval', code], { env, encoding: 'utf8' })
}

test('a filter that no file matches is an error, not a success without tests', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [inRoot('scripts', 'test.mjs'), 'no-such-test-file'], {
    cwd: root,
    env,
    encoding: 'utf8',
  })
  assert.equal(status, 2)
  assert.equal(stderr, 'No test file\'s path contains "no-such-test-file".\n')
  assert.equal(stdout, '')
})

test("ends with the runner's closing lines, and the sums alone on a line", (t) => {
  const folder = folderWith(t, {
    'a.test.mjs': "import { test } from 'node:test'\ntest('one', () => {})\ntest('two', () => {})",
  })
  const { status, stdout } = runTestsIn(folder, ['a.test.mjs'])
  assert.equal(status, 0, stdout)
  assert.match(stdout, /pass 2\n[\s\S]*duration_ms[^\n]*\n2 passed, 0 failed\n$/)
})

test('what failed and what was cancelled counts as failed', (t) => {
  const folder = folderWith(t, {
    'a.test.mjs': `
      import { test } from 'node:test'
      test('passes', () => {})
      test('fails', () => { throw new Error('meant') })
      test('is cancelled', { timeout: 20 }, () => new Promise((resolve) => { setTimeout(resolve, 60) }))`,
  })
  const { status, stdout } = runTestsIn(folder, ['a.test.mjs'])
  assert.equal(status, 1)
  assert.match(stdout, /\n1 passed, 2 failed\n$/)
})

test('of files that share a process each failure is told with its place, and one that cannot be read fails', (t) => {
  const folder = folderWith(t, {
    'packages/pure/a.test.mjs': "import { test } from 'node:test'\ntest('passes', () => {})",
    'packages/pure/b.test.mjs':
      "import { test } from 'node:test'\ntest('fails', () => { throw new Error('meant') })\ntest('passes too', () => {})",
  })
  const files = ['packages/pure/a.test.mjs', 'packages/pure/b.test.mjs']
  const { status, stdout } = runTestsIn(folder, files)
  assert.equal(status, 1)
  assert.match(stdout, /packages\/pure\/b\.test\.mjs:2/)
  assert.match(stdout, /\n2 passed, 1 failed\n$/)
  const missing = runTestsIn(folder, [...files, 'packages/pure/none.test.mjs'])
  assert.equal(missing.status, 1)
  assert.match(missing.stdout, /none\.test\.mjs/)
})

test('a run in which no test ran has failed', (t) => {
  const folder = folderWith(t, {
    'a.test.mjs': "import { test } from 'node:test'\ntest('not now', { skip: 'meant' }, () => {})",
  })
  const { status, stderr, stdout } = runTestsIn(folder, ['a.test.mjs'])
  assert.equal(status, 1)
  assert.match(stderr, /No test ran\./)
  assert.match(stdout, /\n0 passed, 0 failed, 1 skipped\n$/)
})

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  test(`a run that ${signal} ended says that it was interrupted, and how far it came`, async (t) => {
    const folder = folderWith(t, {
      'a.test.mjs': `
        import { test } from 'node:test'
        test('the first passes', () => {})
        test('the second passes', () => {})`,
      'b.test.mjs': `
        import { test } from 'node:test'
        test('never ends', () => new Promise(() => { setInterval(() => {}, 1000) }))`,
    })
    const args = ['--input-type=module', '--eval', runnerOf(folder, ['a.test.mjs', 'b.test.mjs'])]
    // A terminal's Ctrl-C goes to the whole group.
    const child = spawn(process.execPath, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    let [stdout, stderr, told] = ['', '', false]
    child.stderr.on('data', (text) => {
      stderr += text
    })
    child.stdout.on('data', (text) => {
      stdout += text
      if (told || !stdout.includes('the second passes')) return
      told = true
      process.kill(signal === 'SIGINT' ? -child.pid : child.pid, signal)
    })
    const [ended] = await once(child, 'close')
    assert.match(stdout, /\ninterrupted after 2 tests: 2 passed, 0 failed\n$/)
    assert.doesNotMatch(stdout + stderr, /No test ran/)
    assert.equal(ended, code)
  })
}
