import assert from 'node:assert/strict'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { describe, it, type TestContext } from 'node:test'
import { placeOf, spawnTools, type Tools } from '@bulkhead/kind-cluster'
import {
  goodAnswers,
  goodInfo,
  goodMachine,
  goodVersion,
  recordingTools,
  type StandIns,
  standIns,
} from '@bulkhead/kind-cluster/testing'
import { temporaryFolder } from '@bulkhead/testing'
import { matchesGolden, repository } from '../golden.js'
import type { Io } from '../io.js'
import { type DoctorGiven, type DoctorOptions, doctor } from './doctor.js'

interface Told {
  readonly code: number
  readonly stdout: string
}

async function told(given: DoctorGiven, options: DoctorOptions = {}, signal?: AbortSignal): Promise<Told> {
  const chunks: Buffer[] = []
  const stdout = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk)
      done()
    },
  })
  let code = 0
  const io: Io = {
    stdin: new PassThrough().end(),
    stdout,
    stderr: new PassThrough(),
    cwd: repository,
    env: {},
    colour: false,
    signal: signal ?? new AbortController().signal,
    exit(to) {
      code = to
    },
  }
  await doctor(options, io, given)
  return { code, stdout: Buffer.concat(chunks).toString() }
}

/** A machine that has everything, but for what is given. */
function given(t: TestContext, tools: Tools, machine = goodMachine()): DoctorGiven {
  return { tools, machine, place: placeOf(repository, temporaryFolder(t)) }
}

describe('cluster doctor', () => {
  it('says of a machine that has everything what it has, and exits with 0', async (t) => {
    const { code, stdout } = await told(given(t, recordingTools(goodAnswers())))
    assert.equal(code, 0)
    matchesGolden(stdout, 'doctor/good.txt')
  })

  it('says what stands in the way, why it matters and what to do, and exits with 1', async (t) => {
    const tools = recordingTools(
      goodAnswers([
        ['docker info', { stdout: JSON.stringify({ ...goodInfo, NCPU: 2, MemTotal: 4 * 1024 ** 3 }) }],
        ['helm', { fails: 'missing' }],
        ['cilium', { fails: 'missing' }],
      ]),
    )
    const machine = goodMachine({
      files: { '/proc/sys/fs/inotify/max_user_instances': '128\n' },
      isFree: async (_, port) => port !== 30080,
    })
    const { code, stdout } = await told(given(t, tools, machine))
    assert.equal(code, 1)
    matchesGolden(stdout, 'doctor/missing.txt')
  })

  it('says the same for programs', async (t) => {
    const { code, stdout } = await told(given(t, recordingTools(goodAnswers([['kind', { fails: 'missing' }]]))), {
      json: true,
    })
    assert.equal(code, 1)
    const { ok, checks }: { ok: boolean; checks: { id: string; status: string; command?: string }[] } =
      JSON.parse(stdout)
    assert.equal(ok, false)
    assert.deepEqual(
      checks.filter(({ status }) => status !== 'ok').map(({ id, status }) => `${id} ${status}`),
      ['kind fail', 'cluster skipped'],
    )
    assert.equal(checks.find(({ id }) => id === 'helm')?.command, 'helm version --short')
  })
})

describe('cluster doctor, with real programs', () => {
  function programs(t: TestContext): { readonly stand: StandIns; readonly given: DoctorGiven } {
    const folder = temporaryFolder(t)
    const stand = standIns(folder, {
      docker: [
        { args: '^version', stdout: JSON.stringify(goodVersion) },
        { args: '^info', stdout: JSON.stringify(goodInfo) },
        { args: '^buildx version', stdout: 'github.com/docker/buildx v0.30.1 9e66234\n' },
        { args: '^(ps|network inspect|context inspect)' },
      ],
      kind: [{ args: '^version', stdout: 'kind v0.33.0\n' }, { args: '^get clusters' }],
      kubectl: [{ args: '^version', stdout: '{"clientVersion":{"gitVersion":"v1.35.8"}}' }],
      helm: [{ args: '^version', stdout: 'v4.3.1\n' }],
    })
    const tools = spawnTools({ cwd: repository, env: { PATH: join(folder, 'bin') }, graceMs: 300 })
    return { stand, given: { tools, machine: goodMachine(), place: placeOf(repository, join(folder, 'state')) } }
  }

  it('asks them, and does without those that are not needed', async (t) => {
    const { stand, given } = programs(t)
    const { code, stdout } = await told(given)
    assert.equal(code, 0, stdout)
    assert.match(stdout, /^- +istioctl +not there, and not needed$/m)
    const asked = stand.asked().map(({ tool, args }) => `${tool} ${args[0]}`)
    assert.deepEqual(asked, [...new Set(asked)])
  })

  it('ends with the one that hangs when it is called off', async (t) => {
    const { stand, given } = programs(t)
    stand.answer('helm', [{ args: '', hangs: 'deaf' }])
    const abort = new AbortController()
    const why = new Error('Ctrl-C')
    const watching: DoctorGiven = {
      ...given,
      tools: {
        run: (command, options) => {
          if (command.tool === 'helm') setImmediate(() => abort.abort(why))
          return given.tools.run(command, options)
        },
      },
    }
    await assert.rejects(told(watching, {}, abort.signal), (error) => error === why)
    assert.ok(!stand.asked().some(({ tool }) => tool === 'istioctl'))
  })
})
