import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { standIns } from '@bulkhead/kind-cluster/testing'
import { reader } from './cluster/testing.js'
import { repository } from './golden.js'
import { RefusedWith, saidToPrograms } from './refused.js'
import { runCli } from './testing.js'

function folder(t: TestContext): string {
  const made = mkdtempSync(path.join(tmpdir(), 'bulkhead-refused-'))
  t.after(() => rmSync(made, { recursive: true, force: true }))
  return made
}

describe('a command that is refused says why on stderr, and with --json on stdout, too', () => {
  for (const [args, code] of [
    [['attack', '--on', 'kind', '--json'], 'none'],
    [['verify', '--on', 'kind', '--json'], 'none'],
    [['verify', '--on', 'kind', '--format', 'json'], 'none'],
    [['attack', '--json'], 'not-up'],
    [['status', '--on', 'kind', '--json'], 'refused'],
    [['cluster', 'up', '--bundle', 'no-such-file.tar', '--json'], 'refused'],
  ] as const) {
    test(args.join(' '), async (t) => {
      const ran = await runCli([...args, '--state', folder(t)], { cwd: repository })
      assert.equal(ran.code, 2)
      const { error } = JSON.parse(ran.stdout)
      assert.equal(error.code, code)
      assert.equal(ran.stderr, `bulkhead: ${error.message}\n`)
    })
  }

  test('cluster down, where the cluster is not ours', async (t) => {
    const state = folder(t)
    const { path: PATH } = standIns(state, { kind: [{ args: 'get clusters', stdout: 'bulkhead\n' }] })
    const ran = await runCli(['cluster', 'down', '--json', '--state', state], { cwd: repository, env: { PATH } })
    assert.equal(ran.code, 2)
    assert.equal(JSON.parse(ran.stdout).error.code, 'not-ours')
    assert.match(ran.stderr, /^bulkhead: kind has a cluster named bulkhead, and it was not made here/)
  })

  test('cluster up, with what the doctor has found', async (t) => {
    const state = folder(t)
    const nothing = { args: '', code: 1, stderr: 'not today' }
    const { path: PATH } = standIns(state, {
      kind: [{ args: 'get clusters' }, nothing],
      docker: [nothing],
      kubectl: [nothing],
      helm: [nothing],
    })
    const ran = await runCli(['cluster', 'up', '--json', '--state', state], { cwd: repository, env: { PATH } })
    assert.equal(ran.code, 2)
    const { error, doctor } = JSON.parse(ran.stdout)
    assert.equal(error.code, 'in-the-way')
    assert.match(error.message, /in the way, and nothing was made/)
    assert.equal(doctor.ok, false)
    const broken = doctor.checks.filter(({ status }: { readonly status: string }) => status === 'fail')
    assert.ok(broken.length > 0)
    assert.match(error.message, new RegExp(`^(one|${broken.length}) thing`))
  })
})

test('without --json nothing of it is on stdout, and who interrupts a command is not told why it ended', async () => {
  const refuse = async (): Promise<never> => {
    throw new RefusedWith('none', 'there is none.', { more: 1 })
  }
  const said = async (json: boolean, signal: AbortSignal): Promise<string> => {
    const { io, stdout } = reader(signal)
    await assert.rejects(saidToPrograms(json, io, refuse), /there is none/)
    return stdout()
  }
  const { signal } = new AbortController()
  assert.deepEqual(JSON.parse(await said(true, signal)), {
    error: { code: 'none', message: 'there is none.' },
    more: 1,
  })
  assert.equal(await said(false, signal), '')
  assert.equal(await said(true, AbortSignal.abort('SIGINT')), '')
})
