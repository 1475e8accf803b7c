import assert from 'node:assert/strict'
import path from 'node:path'
import { describe, test } from 'node:test'
import { standIns } from '@bulkhead/kind-cluster/testing'
import { plainFolder } from '@bulkhead/testing'
import type { Command } from 'commander'
import { reader } from './cluster/testing.js'
import { repository } from './golden.js'
import { createProgram } from './program.js'
import { RefusedWith, tellPrograms } from './refused.js'
import { runCli } from './testing.js'

/** In the place of a folder where nothing is up. */
const STATE = 'STATE'

/** A refusal of each command that has --json: the words that name it, what is wrong, and the code that a program is told. */
const refusals: readonly (readonly [name: string, args: readonly string[], code: string])[] = [
  ['up', ['--manifests', 'no-such-folder', '--state', STATE], 'refused'],
  ['down', ['--state', 'no-such-folder', '--unknown'], 'usage'],
  ['status', ['--state', STATE], 'not-up'],
  ['status', ['--on', 'kind', '--state', STATE], 'refused'],
  ['flows', ['--state', STATE], 'not-up'],
  ['flows', ['--on', 'kind', '--follow', '--state', STATE], 'none'],
  ['attack', ['--state', STATE], 'not-up'],
  ['attack', ['--on', 'kind', '--state', STATE], 'none'],
  ['verify', ['--state', STATE], 'not-up'],
  ['verify', ['--on', 'kind', '--state', STATE], 'none'],
  ['verify', ['--format', 'nothing'], 'usage'],
  ['explain', ['shop/sleep', 'shop/web-api:8080', '--state', STATE], 'not-up'],
  ['explain', ['shop/sleep', 'shop/web-api:8080', '--on', 'kind', '--state', STATE], 'none'],
  ['admit', ['-f', 'no-such-file.yaml', '--state', STATE], 'refused'],
  ['matrix', ['--manifests', 'no-such-folder'], 'refused'],
  ['diff', ['no-such-folder', 'nor-such'], 'refused'],
  ['peel', ['no-such-scenario'], 'refused'],
  ['peel', ['--run', '--on', 'kind', '--state', STATE], 'none'],
  ['layer', ['--state', STATE], 'not-up'],
  ['layer', ['off', '50-identity', '--on', 'kind', '--state', STATE], 'none'],
  ['apply', ['-f', 'k8s/workloads', '--state', STATE], 'not-up'],
  ['delete', ['-f', 'k8s/workloads', '--state', STATE], 'not-up'],
  ['lab', ['start', '99', '--state', STATE], 'refused'],
  ['cluster doctor', ['--no-such-option'], 'usage'],
  ['cluster up', ['--bundle', 'no-such-file.tar', '--state', STATE], 'unreadable'],
  ['cluster status', ['--state', STATE], 'none'],
  ['cluster down', ['--no-such-option'], 'usage'],
  ['cluster bundle', ['no-such-folder/file.tar', '--state', STATE], 'refused'],
  ['cluster unpack', ['no-such-file.tar', '--state', STATE], 'unreadable'],
]

/** A command, and all that are below it. */
const withBelow = (command: Command): readonly Command[] => [command, ...command.commands.flatMap(withBelow)]

describe('a command that is refused says why on stderr, and with --json on stdout, too', () => {
  test('each that has --json is tried', () => {
    const program = createProgram(reader().io)
    const names = withBelow(program)
      .filter(({ options }) => options.some(({ long }) => long === '--json'))
      .map((one) => (one.parent === program ? one.name() : `${one.parent?.name()} ${one.name()}`))
    assert.deepEqual([...new Set(refusals.map(([name]) => name))].toSorted(), names.toSorted())
  })

  for (const [name, args, code] of refusals) {
    test([name, ...args].join(' '), async (t) => {
      const given = args.map((one) => (one === STATE ? plainFolder(t) : one))
      const ran = await runCli([...name.split(' '), ...given, '--json'], { cwd: repository })
      assert.equal(ran.code, 2, ran.stderr)
      assert.match(ran.stdout, /^[^\n]+\n$/, 'a line, as a record is')
      const { error } = JSON.parse(ran.stdout)
      assert.equal(error.code, code)
      assert.equal(ran.stderr, `bulkhead: ${error.message}\n`)
      const toPeople = await runCli([...name.split(' '), ...given], { cwd: repository })
      assert.deepEqual([toPeople.stdout, toPeople.stderr], ['', ran.stderr])
    })
  }

  for (const args of [
    ['cluster', 'status'],
    ['layer', '--on', 'kind'],
    ['verify', '--on', 'kind'],
    ['flows', '--on', 'kind'],
  ])
    test(`${args.join(' ')}: what to type means the folder that was given`, async (t) => {
      const state = plainFolder(t)
      const { stderr, stdout } = await runCli([...args, '--json', '--state', state], { cwd: repository })
      assert.ok(stderr.includes(`npx bulkhead cluster up --state ${state}`), stderr)
      assert.ok(JSON.parse(stdout).error.message.includes(`npx bulkhead cluster up --state ${state}`), stdout)
      const usual = await runCli([...args, '--state', state, '--state', '.bulkhead'], { cwd: plainFolder(t) })
      assert.ok(!usual.stderr.includes('--state'), usual.stderr)
    })

  test('verify --format json', async (t) => {
    const ran = await runCli(['verify', '--format', 'json', '--state', plainFolder(t)], { cwd: repository })
    assert.equal(JSON.parse(ran.stdout).error.code, 'not-up')
  })

  test('cluster doctor, outside of a clone', async (t) => {
    const ran = await runCli(['cluster', 'doctor', '--json'], { cwd: plainFolder(t) })
    assert.match(JSON.parse(ran.stdout).error.message, /^there is no k8s\/ folder/)
  })

  test('cluster bundle, when a tool fails in the middle', async (t) => {
    const state = plainFolder(t)
    const nothing = { args: '', code: 1, stderr: 'not today' }
    const { path: PATH } = standIns(state, { docker: [nothing], helm: [nothing], npm: [nothing], curl: [nothing] })
    const file = path.join(state, 'bundle.tar')
    const ran = await runCli(['cluster', 'bundle', file, '--json', '--state', state], {
      cwd: repository,
      env: { PATH },
    })
    assert.equal(ran.code, 2)
    const { error } = JSON.parse(ran.stdout)
    assert.equal(error.code, 'step-failed')
    assert.match(error.message, /not today/)
  })

  test('cluster down, where the cluster is not ours', async (t) => {
    const state = plainFolder(t)
    const { path: PATH } = standIns(state, { kind: [{ args: 'get clusters', stdout: 'bulkhead\n' }] })
    const ran = await runCli(['cluster', 'down', '--json', '--state', state], { cwd: repository, env: { PATH } })
    assert.equal(ran.code, 2)
    assert.equal(JSON.parse(ran.stdout).error.code, 'not-ours')
    assert.match(ran.stderr, /^bulkhead: kind has a cluster named bulkhead, and it was not made here/)
  })

  test('cluster up, with what the doctor has found', async (t) => {
    const state = plainFolder(t)
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

test('who interrupts a command is not told why it ended, and a refusal may have more to say', () => {
  const said = (signal: AbortSignal): string => {
    const { io, stdout } = reader(signal)
    tellPrograms(new RefusedWith('none', 'there is none.', { more: 1 }), io)
    return stdout()
  }
  assert.deepEqual(JSON.parse(said(new AbortController().signal)), {
    error: { code: 'none', message: 'there is none.' },
    more: 1,
  })
  assert.equal(said(AbortSignal.abort('SIGINT')), '')
})
