import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { cleanUp, killed, temporaryFolder } from '@bulkhead/testing'
import { type StandInAnswer, type StandIns, standIns } from '../testing/index.js'
import { type Command, ToolError, type Tools } from '../tools.js'
import { fileLog } from './log.js'
import { type SpawnOptions, spawnTools } from './spawn.js'

interface Bench {
  readonly tools: Tools
  readonly kubectl: StandIns
  readonly folder: string
  readonly log: string
}

/** What says, to one tool or another, that somebody else's cluster is meant, or another engine, network or processor. */
const theirs = {
  ...{ KUBECONFIG: '/somebody/elses', KUBERNETES_MASTER: 'https://theirs.example' },
  ...{ HELM_KUBETOKEN: 'theirs', HELM_KUBEAPISERVER: 'https://theirs.example', HELM_KUBECONTEXT: 'theirs' },
  ...{ HELM_DRIVER: 'sql', HELM_DRIVER_SQL_CONNECTION_STRING: 'postgres://theirs.example', HELM_NAMESPACE: 'theirs' },
  ...{ KIND_CLUSTER_NAME: 'theirs', KIND_EXPERIMENTAL_PROVIDER: 'podman', KIND_EXPERIMENTAL_DOCKER_NETWORK: 'theirs' },
  DOCKER_DEFAULT_PLATFORM: 'linux/s390x',
}

function bench(t: TestContext, answers: readonly StandInAnswer[], options: Partial<SpawnOptions> = {}): Bench {
  const folder = temporaryFolder(t)
  const kubectl = standIns(folder, { kubectl: answers })
  const log = join(folder, 'logs', 'cluster.log')
  const env = { ...theirs, PATH: kubectl.path, DOCKER_HOST: 'unix:///x' }
  return { tools: spawnTools({ cwd: folder, env, log: fileLog(log), ...options }), kubectl, folder, log }
}

const command = (args: string, more: Partial<Command> = {}): Command => ({
  tool: 'kubectl',
  args: args.split(' '),
  timeoutMs: 60_000,
  ...more,
})

/** Waits until a process is no more: what was ended may be seen for a moment until its parent has heard of it. */
async function gone(pid: number): Promise<void> {
  for (const deadline = performance.now() + 30_000; performance.now() < deadline; await wait(10)) {
    try {
      process.kill(pid, 0)
    } catch {
      return
    }
    const state = statOf(pid)
    if (state === 'Z') return
  }
  assert.fail(`process ${pid} still runs`)
}

function statOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0]
  } catch {
    return undefined
  }
}

/** The one call, once it has been made. */
async function called(kubectl: StandIns): Promise<ReturnType<StandIns['asked']>[number]> {
  for (const deadline = performance.now() + 30_000; performance.now() < deadline; await wait(10)) {
    const [first] = kubectl.asked()
    if (first !== undefined) return first
  }
  return assert.fail('nothing was called')
}

describe('a command that is run', () => {
  it('is given its arguments, its stdin and the clone as its folder; how it ended is its answer', async (t) => {
    const { tools, kubectl, folder } = bench(t, [{ args: '^apply', stdout: 'a\n', stderr: 'b\n', code: 3 }])
    const lines: string[] = []
    const asked = command("apply -f -;'$x", { stdin: 'kind: Pod\n' })
    const result = await tools.run(asked, { onLine: (line, stream) => lines.push(`${stream} ${line}`) })
    const { code, stdout, stderr } = result
    assert.deepEqual([code, stdout, stderr, result.command], [3, 'a\n', 'b\n', asked])
    assert.deepEqual(lines.toSorted(), ['stderr b', 'stdout a'])
    const [call] = kubectl.asked()
    assert.deepEqual([call?.args, call?.stdin, call?.cwd], [asked.args, 'kind: Pod\n', folder])
    assert.ok(result.durationMs > 0)
  })

  it('learns from no environment which cluster is meant, and keeps the rest of it', async (t) => {
    const { tools, kubectl } = bench(t, [{ args: '' }])
    await tools.run(command('get pods', { env: { KUBECONFIG: '/also/not', DOCKER_CONTEXT: 'x' } }))
    assert.deepEqual(kubectl.asked()[0]?.env, { DOCKER_HOST: 'unix:///x', DOCKER_CONTEXT: 'x', KUBERC: 'off' })
  })

  it('may end by a signal, and before it has read its stdin', async (t) => {
    const { tools } = bench(t, [
      { args: '^killed', signal: 'SIGKILL' },
      { args: '^deaf', ignoresStdin: true, code: 1 },
    ])
    const killed = await tools.run(command('killed'))
    assert.deepEqual([killed.code, killed.signal], [undefined, 'SIGKILL'])
    assert.equal((await tools.run(command('deaf', { stdin: 'x'.repeat(4_000_000) }))).code, 1)
  })

  it('is not started when that was called off before', async (t) => {
    const { tools, kubectl } = bench(t, [{ args: '' }])
    const why = new Error('called off')
    await assert.rejects(tools.run(command('get'), { signal: AbortSignal.abort(why) }), (error) => error === why)
    assert.deepEqual(kubectl.asked(), [])
  })
})

describe('a command that is not there', () => {
  it('is told by name, with where to look', async (t) => {
    const { tools, folder } = bench(t, [])
    await assert.rejects(
      tools.run({ ...command('version'), tool: 'istioctl' }),
      (error) =>
        error instanceof ToolError &&
        error.code === 'missing' &&
        /^istioctl could not start: no program of that name is in PATH\..*cluster doctor/.test(error.message),
    )
    const nowhere = join(folder, 'nowhere')
    await assert.rejects(tools.run(command('get', { cwd: nowhere })), {
      code: 'missing',
      message: `kubectl could not start: there is no folder ${JSON.stringify(nowhere)}`,
    })
  })
})

describe('a command that has to be ended', () => {
  const short = { graceMs: 300 }

  it('is ended with all that it has started when it takes too long, though they do not hear', async (t) => {
    const waits: StandInAnswer = { args: '^wait', hangs: 'deaf', child: 'stays', stdout: 'so far\n' }
    const { tools, kubectl } = bench(t, [waits, { args: '^quick' }], short)
    // How long a command takes on this machine now: many times that, and it has surely come to what it says.
    const { durationMs } = await tools.run(command('quick'))
    const lines: string[] = []
    const asked = command('wait --for=x', { timeoutMs: Math.ceil(durationMs * 25) })
    const run = tools.run(asked, { onLine: (line) => lines.push(line) })
    await assert.rejects(run, {
      code: 'timeout',
      message: /^kubectl wait --for=x took longer than [\d.]+ s and was ended/,
    })
    assert.deepEqual(lines, ['so far'])
    const { pid = 0, child = 0 } = kubectl.asked()[1] ?? {}
    await gone(pid)
    await gone(child)
  })

  it('is ended when the caller does not want it any more, with the reason that the caller gave', async (t) => {
    const { tools, kubectl } = bench(t, [{ args: '', hangs: 'hears', child: 'stays' }], short)
    const abort = new AbortController()
    const run = tools.run(command('logs -f'), { signal: abort.signal })
    const { pid, child = 0 } = await called(kubectl)
    const why = new Error('Ctrl-C')
    abort.abort(why)
    await assert.rejects(run, (error) => error === why)
    await gone(pid)
    await gone(child)
  })

  it('has the time that it says to take back what it has done, when it is asked to end', async (t) => {
    const { tools, kubectl } = bench(t, [{ args: '', hangs: 'tidies' }], { graceMs: 1 })
    const abort = new AbortController()
    const lines: string[] = []
    const asked = command('verify', { graceMs: 60_000 })
    const run = tools.run(asked, { signal: abort.signal, onLine: (line) => lines.push(line) })
    await called(kubectl)
    abort.abort(new Error('Ctrl-C'))
    await assert.rejects(run, /Ctrl-C/)
    assert.deepEqual(lines, ['tidied'])
  })

  it('does not outlive the process that runs it, however that exits', async (t) => {
    const { kubectl, folder } = bench(t, [{ args: '', hangs: 'deaf', child: 'stays' }])
    const script = join(folder, 'starter.mjs')
    const spawner = join(import.meta.dirname, 'spawn.js')
    writeFileSync(
      script,
      `import { spawnTools } from ${JSON.stringify(spawner)}
      const tools = spawnTools({ cwd: ${JSON.stringify(folder)}, env: { PATH: ${JSON.stringify(kubectl.path)} } })
      tools.run({ tool: 'kubectl', args: ['wait'], timeoutMs: 60000 })
      process.stdin.once('data', () => process.exit(3))`,
    )
    const starter = spawn(process.execPath, [script], { stdio: ['pipe', 'ignore', 'inherit'] })
    cleanUp(t, () => killed(starter))
    const { pid, child = 0 } = await called(kubectl)
    starter.stdin.write('now\n')
    await once(starter, 'exit')
    await gone(pid)
    await gone(child)
  })

  it('is ended when it says more than is kept', async (t) => {
    const { tools, kubectl } = bench(t, [{ args: '', stdout: 'again\n', times: 100_000 }], { keepBytes: 10_000 })
    await assert.rejects(tools.run(command('get events')), { code: 'output', message: /said more than 10 KiB/ })
    await gone((await called(kubectl)).pid)
  })

  it('may say as much as it wants when only its lines are wanted', async (t) => {
    const { tools } = bench(t, [{ args: '', stdout: 'again\n', times: 5_000 }], { keepBytes: 10_000 })
    let lines = 0
    const onLine = (): void => {
      lines += 1
    }
    const { code, stdout } = await tools.run(command('logs -f'), { onLine, linesOnly: true })
    assert.deepEqual([code, stdout, lines], [0, '', 5_000])
  })

  it('is at its end though something that it started holds its output, and that is ended', async (t) => {
    const { tools, kubectl } = bench(t, [{ args: '', child: 'leaves', stdout: 'done\n', code: 4 }], short)
    const { code, stdout } = await tools.run(command('proxy'))
    assert.deepEqual([code, stdout], [4, 'done\n'])
    await gone((await called(kubectl)).child ?? 0)
  })
})

describe('the log', () => {
  it('has each command line, what it said and how it ended, with times, and may be read by its owner alone', async (t) => {
    const { tools, log } = bench(t, [{ args: '', stdout: 'one\n\u001b[31mtwo', stderr: 'three\n', code: 1 }])
    await tools.run(command("get pods -l a='b'", { env: { TOKEN: 'hush' } }))
    const text = readFileSync(log, 'utf8').replace(/^\S+Z \[\d+\] /gm, '')
    const lines = text.trimEnd().split('\n')
    assert.equal(lines[0], `$ TOKEN=... kubectl get pods -l 'a='\\''b'\\'''`)
    assert.deepEqual(lines.slice(1, 4).toSorted(), ['! three', '| \\u001b[31mtwo', '| one'])
    assert.match(lines[4] ?? '', /^= exit 1 after \d+\.\d s$/)
    assert.equal(statSync(log).mode & 0o777, 0o600)
  })

  it('may fail, as on a full disk, at first or in the middle: the command runs all the same, and that is told once', async (t) => {
    const { tools, folder, log } = bench(t, [{ args: '', stdout: 'one\ntwo\nthree\n' }])
    const told: string[] = []
    const onUnwritten = (why: string): void => void told.push(why)
    const run = (to: string): ReturnType<Tools['run']> => {
      const env = { PATH: `${folder}/bin:/usr/bin:/bin` }
      return spawnTools({ cwd: folder, env, log: fileLog(to, { onUnwritten }) }).run(command('get pods'), {
        // In the middle: what was a file is none any more.
        onLine: (line) => {
          if (line !== 'two' || to !== log) return
          rmSync(log, { force: true })
          mkdirSync(log)
        },
      })
    }
    await tools.run(command('get nodes'))
    assert.equal((await run(log)).code, 0)
    assert.match(told[0] ?? '', /cluster\.log" cannot be written \(EISDIR/)
    assert.equal((await run(join(folder, 'kubectl.json', 'cluster.log'))).stdout, 'one\ntwo\nthree\n')
    assert.equal(told.length, 2)
  })

  it('has of what a command says no more than a MiB, and says so', async (t) => {
    const { tools, log } = bench(t, [{ args: '', stdout: 'a\n', times: 40_000, stderr: 'the last\n' }])
    const { stdout } = await tools.run(command('get events'))
    assert.equal(stdout.length, 80_000)
    const text = readFileSync(log, 'utf8')
    assert.equal(text.match(/\] \| a\n/g)?.length, (1024 * 1024) / 64)
    assert.match(text, /\(what it says beyond this is not written down\)\n.* = exit 0 after/)
  })

  it('has nothing of a secret but that there was one', async (t) => {
    const { tools, log } = bench(t, [{ args: '', stdout: 'data: aHVzaA==\n' }])
    const { stdout } = await tools.run(command('get secret', { secret: true, stdin: 'hush' }))
    assert.equal(stdout, 'data: aHVzaA==\n')
    const text = readFileSync(log, 'utf8')
    assert.match(text, /\$ kubectl get secret \(stdin: 4 bytes\)\n.*= exit 0/)
    assert.doesNotMatch(text, /hush|aHVzaA/)
  })
})
