import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { cleanUp, eventually, killed, temporaryFolder } from '@bulkhead/testing'
import { type ContainerOptions, ContainerRunner, spawnTied } from './container.js'
import { ProcessList, processStamp } from './processes.js'

const gone = (pid: number): boolean => processStamp(pid) === undefined

function runner(t: TestContext, script: string, options: Partial<ContainerOptions> = {}) {
  // Stopped before its folder goes: what is registered first is done first.
  cleanUp(t, () => container.stop(0))
  const folder = temporaryFolder(t)
  const output = join(folder, 'out.log')
  const notes: string[] = []
  const phases: string[] = []
  const container = new ContainerRunner({
    name: 'app',
    image: 'x',
    restart: 'Always',
    launch: () => ({ argv: [process.execPath, '-e', script], cwd: folder, env: {}, over: () => phases.push('over') }),
    output: openSync(output, 'a'),
    processes: new ProcessList(join(folder, 'processes.json')),
    note: (text) => notes.push(text),
    changed: (phase) => phases.push(phase),
    ...options,
  })
  const said = () => readFileSync(output, 'utf8')
  return { container, notes, phases, said, folder }
}

test('a container that was killed is started again at once, with a new launch, and waits from the second time on', async (t) => {
  const { container, notes, phases } = runner(t, 'setInterval(() => {}, 1000)')
  container.start()
  const first = container.status.pid ?? 0
  process.kill(first, 'SIGKILL')
  await eventually('another process', () => container.status.phase === 'running' && container.status.pid !== first)
  assert.deepEqual(phases, ['running', 'over', 'waiting', 'running'])
  process.kill(container.status.pid ?? 0, 'SIGKILL')
  await eventually('it waits', () => container.status.phase === 'back-off')
  assert.deepEqual(
    [container.status.restarts, container.status.lastExit, container.status.pid],
    [2, 'killed by SIGKILL', undefined],
  )
  assert.match(notes[1] ?? '', /started again in 1 s \(10 s on a cluster\)/)
  await container.stop(0)
  assert.equal(container.status.phase, 'ended')
})

test('stopping lets the process finish; one that does not is killed after its grace period', async (t) => {
  const ready = 'process.stdout.write("ready\\n"); setInterval(() => {}, 1000);'
  const polite = runner(
    t,
    `process.on('SIGTERM', () => setTimeout(() => { console.log('done'); process.exit(0) }, 50)); ${ready}`,
  )
  polite.container.start()
  await eventually('ready', () => polite.said().includes('ready'))
  await polite.container.stop(5000)
  assert.equal(polite.said(), 'ready\ndone\n')
  const deaf = runner(t, `process.on('SIGTERM', () => console.log('no')); ${ready}`)
  deaf.container.start()
  await eventually('ready', () => deaf.said().includes('ready'))
  await deaf.container.stop(100)
  assert.equal(deaf.said(), 'ready\nno\n')
  assert.match(deaf.notes[0] ?? '', /still running 0\.1 s after SIGTERM; killed/)
  assert.equal(deaf.container.status.lastExit, 'killed by SIGKILL')
})

test('a job that ended well stays ended under OnFailure, one that failed is run again', async (t) => {
  const well = runner(t, '', { restart: 'OnFailure' })
  well.container.start()
  await eventually('ended', () => well.container.status.phase === 'ended')
  assert.equal(well.container.status.restarts, 0)
  const badly = runner(t, 'process.exit(3)', { restart: 'OnFailure' })
  badly.container.start()
  await eventually('run again', () => badly.container.status.restarts > 0)
  assert.equal(badly.container.status.lastExit, 'exit code 3')
})

test('a program that is not there is told, not thrown', async (t) => {
  const { container } = runner(t, '', {
    launch: () => ({ argv: ['/no/such/program'], cwd: '/', env: {}, over: () => undefined }),
  })
  container.start()
  await eventually('told', () => /ENOENT/.test(container.status.lastExit ?? ''))
})

const grandchild = `
  const { spawn } = require('node:child_process')
  const native = spawn('sleep', ['600'], { stdio: 'ignore' })
  const node = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  console.log(JSON.stringify([process.pid, native.pid, node.pid]))
  setInterval(() => {}, 1000)
`

test('a process that ends takes its own children along', async (t) => {
  const { container, said } = runner(t, grandchild, { restart: 'Never' })
  container.start()
  await eventually('started', () => said().includes(']'))
  const pids = JSON.parse(said()) as number[]
  assert.ok(pids.every((pid) => !gone(pid)))
  process.kill(pids[0] ?? 0, 'SIGKILL')
  await eventually('all of them are gone', () => pids.every(gone))
})

test('kill -9 of the supervisor leaves neither its processes nor theirs', async (t) => {
  const folder = temporaryFolder(t)
  const script = join(folder, 'supervisor.mjs')
  writeFileSync(
    script,
    `import { spawnTied } from ${JSON.stringify(new URL('./container.js', import.meta.url).href)}
     import { ProcessList } from ${JSON.stringify(new URL('./processes.js', import.meta.url).href)}
     const launch = { argv: [process.execPath, '-e', ${JSON.stringify(grandchild)}], cwd: ${JSON.stringify(folder)}, env: { PATH: process.env.PATH }, over() {} }
     spawnTied(launch, ['ignore', 1, 2], new ProcessList(${JSON.stringify(join(folder, 'processes.json'))}))
     setInterval(() => {}, 1000)`,
  )
  const supervisor = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  cleanUp(t, () => killed(supervisor))
  const [line] = (await once(supervisor.stdout, 'data')) as [Buffer]
  const pids = JSON.parse(String(line)) as number[]
  assert.equal(pids.length, 3)
  assert.ok(pids.every((pid) => !gone(pid)))
  supervisor.kill('SIGKILL')
  await eventually('all of them are gone', () => pids.every(gone))
})

test('the lifeline itself keeps no process alive and is not handed on', async (t) => {
  const folder = temporaryFolder(t)
  const launch = {
    argv: [process.execPath, '-p', 'process.env.BULKHEAD_LIFELINE'] as const,
    cwd: folder,
    env: {},
    over: () => undefined,
  }
  const child: ChildProcess = spawnTied(
    launch,
    ['ignore', 'pipe', 'pipe'],
    new ProcessList(join(folder, 'processes.json')),
  )
  let said = ''
  child.stdout?.on('data', (chunk) => {
    said += chunk
  })
  assert.deepEqual(await once(child, 'close'), [0, null])
  assert.equal(said, 'undefined\n')
})
