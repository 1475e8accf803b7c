import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from '@bulkhead/testing'

const app = fileURLToPath(new URL('..', import.meta.url))

/** A clone with the bin file alone. */
function bare(t: TestContext): string {
  const root = temporaryFolder(t)
  const folder = path.join(root, 'apps', 'cli')
  cpSync(path.join(app, 'bin'), path.join(folder, 'bin'), { recursive: true })
  cpSync(path.join(app, 'package.json'), path.join(folder, 'package.json'))
  return folder
}

const start = (folder: string, ...args: readonly string[]) =>
  spawnSync(process.execPath, [path.join(folder, 'bin', 'bulkhead.js'), ...args], { encoding: 'utf8' })

test('a clone that is not built yet says what to do', (t) => {
  const { status, stdout, stderr } = start(bare(t), 'attack')
  assert.equal(status, 2)
  assert.equal(stdout, '')
  assert.match(stderr, /^bulkhead: this clone is not built yet\. Run `npm start` in [^\n]+\n$/)
})

test('one that is built and not installed any more says what to do', (t) => {
  const folder = bare(t)
  mkdirSync(path.join(folder, 'dist'))
  writeFileSync(path.join(folder, 'dist', 'main.js'), "import 'a-package-that-is-not-there'\n")
  const { status, stderr } = start(folder)
  assert.equal(status, 2)
  assert.match(stderr, /^bulkhead: a part of the installation is missing \(.*a-package-that-is-not-there.*\)/)
})

test('an old Node is told that it is old', (t) => {
  const folder = bare(t)
  const old = path.join(folder, 'old.mjs')
  writeFileSync(old, "Object.defineProperty(process.versions, 'node', { value: '20.18.3' })\n")
  const { status, stderr } = spawnSync(process.execPath, ['--import', old, path.join(folder, 'bin', 'bulkhead.js')], {
    encoding: 'utf8',
  })
  assert.equal(status, 2)
  assert.match(stderr, /^bulkhead: Node\.js 20\.19 or newer is needed, and this is 20\.18\.3\./)
})

test('a built clone runs the command line, and its exit code is the process’s', () => {
  const { status, stdout } = start(app, '--version')
  assert.equal(status, 0)
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
  assert.equal(start(app, 'no-such-command').status, 2)
})

test('a reader that goes away is the end, not a failure', () => {
  const bin = path.join(app, 'bin', 'bulkhead.js')
  const { stderr } = spawnSync('sh', ['-c', `"${process.execPath}" "${bin}" --help | head -1`], { encoding: 'utf8' })
  assert.equal(stderr, '')
})

/** Where each script lies that Node.js has loaded, as it says of its coverage. */
function loaded(t: TestContext, ...args: readonly string[]): readonly string[] {
  const folder = temporaryFolder(t)
  const env = { ...process.env, NODE_V8_COVERAGE: folder }
  spawnSync(process.execPath, [path.join(app, 'bin', 'bulkhead.js'), ...args], { cwd: folder, env })
  return readdirSync(folder).flatMap((file) => {
    const { result }: { readonly result: readonly { readonly url: string }[] } = JSON.parse(
      readFileSync(path.join(folder, file), 'utf8'),
    )
    return result.map(({ url }) => url)
  })
}

test('what a command does not need is not loaded: it starts at once', (t) => {
  const state = ['--state', path.join(tmpdir(), 'bulkhead-nothing-is-here')]
  for (const args of [['--help'], ['cluster', '--help'], ['status', ...state]]) {
    const urls = loaded(t, ...args)
    assert.ok(
      urls.some((url) => url.endsWith('/dist/program.js')),
      args.join(' '),
    )
    assert.deepEqual(
      urls.filter((url) => /\/packages\/(kind-cluster|labs)\/|\/node_modules\/(mongodb|pg)\//.test(url)),
      [],
      args.join(' '),
    )
  }
  // The same way it is seen where it is wanted.
  const planned = loaded(t, 'cluster', 'up', '--plan')
  assert.ok(planned.some((url) => url.includes('/packages/kind-cluster/')))
})
