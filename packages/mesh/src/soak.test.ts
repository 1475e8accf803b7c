import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parseManifests } from '@bulkhead/resources'
import { cleanUp, eventually, killed, temporaryFolder } from '@bulkhead/testing'
import { compile, type Snapshot } from '@bulkhead/verdict'
import { withGrant } from './capture/index.js'
import type { Mesh } from './mesh.js'
import { startMesh } from './start.js'

/*
 * Mixed load through real processes while everything about them changes: policies every 100 ms, certificates every
 * second, one server killed or its pod replaced again and again. 60 s with BULKHEAD_LONG=1, else 1.5.
 */

const SECONDS = process.env.BULKHEAD_LONG === '1' ? 60 : 1.5
const SWAP_MS = 100
const RESTART_MS = 400
/** What may stay between two looks at the same idle mesh. */
const HEAP_SLACK_BYTES = 8 * 1024 * 1024
const FD_SLACK = 8

const fixture = (path: string) => fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url))
const read = (name: string) => readFileSync(fixture(`shop/${name}.yaml`), 'utf8')
const resources = (text: string, name: string) => {
  const { resources, diagnostics } = parseManifests(text, `${name}.yaml`)
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === 'error'),
    [],
  )
  return resources
}

/** The shop, and web-api once more as `flaky`. */
const documents = read('workloads').split(/^---$/m)
const flaky = documents
  .filter((text) => text.includes('name: web-api'))
  .map((text) => text.replaceAll('web-api', 'flaky'))
const workloads = resources([...documents, ...flaky].join('\n---\n'), 'workloads')
const policies = read('policies').split(/^---$/m)
const forFlaky = policies
  .filter((text) => text.includes('name: web-api'))
  .map((text) => text.replaceAll('web-api', 'flaky'))
const walls = [...policies, ...forFlaky]
/** Both let sleep in and keep notsleep and outsider from web-api; of flaky they differ, and of much that changes nothing. */
const one = compile([...workloads, ...resources(walls.join('\n---\n'), 'one')])
const other = compile(
  [
    ...workloads,
    ...resources(
      [...policies, ...forFlaky.map((text) => text.replaceAll('sa/sleep', 'sa/*'))].join('\n---\n'),
      'other',
    ),
  ],
  { previous: one },
)

const podOf = (snapshot: Snapshot, workload: string): string => {
  const pod = [...snapshot.pods.values()].find((candidate) => candidate.workload === workload)
  assert.ok(pod, `no pod of ${workload}`)
  return pod.key
}

function run(t: TestContext, mesh: Mesh, workload: string, script: string, ...args: string[]): ChildProcess {
  const grant = mesh.grant(podOf(one, workload), { run: workload })
  const child = spawn(process.execPath, [fixture(script), ...args], {
    env: withGrant({ PATH: process.env.PATH }, grant.env),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  cleanUp(t, () => killed(child))
  return child
}

interface Told {
  readonly connects: number
  readonly asked: number
  readonly answered: number
  readonly failed: readonly string[]
  readonly wrongly: readonly string[]
  readonly hung: number
  readonly maybe: number
  readonly resets: number
}

async function load(t: TestContext, mesh: Mesh, workload: string, seconds: number, hosts: object): Promise<Told> {
  const child = run(t, mesh, workload, 'soak/client.mjs', JSON.stringify({ seconds, ...hosts }))
  let said = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    said += chunk
  })
  await once(child, 'close')
  return JSON.parse(said)
}

setFlagsFromString('--expose_gc')
const collect: () => void = runInNewContext('gc')

/** What the mesh holds when nothing goes through it. */
async function idle(mesh: Mesh) {
  await eventually('nothing open', () => mesh.openConnections === 0)
  await new Promise((resolve) => setTimeout(resolve, 400))
  collect()
  return { heap: process.memoryUsage().heapUsed, fds: readdirSync('/dev/fd').length }
}

it(`stays whole under ${SECONDS} s of mixed load, swaps and restarts`, {
  timeout: (SECONDS * 3 + 60) * 1000,
}, async (t) => {
  const runDir = temporaryFolder(t)
  const mesh = await startMesh({
    runDir,
    snapshot: one,
    connectTimeoutMs: 300,
    certificateTtlMs: 2_000,
    flowRing: 100,
  })
  cleanUp(t, () => mesh.close())
  await Promise.all([...one.pods.keys()].map((key) => mesh.addPod(key)))
  const serve = async (workload: string) => {
    const key = podOf(one, workload)
    const child = run(t, mesh, workload, 'soak/server.mjs')
    await eventually(`${workload} to listen`, () => mesh.listening(key).includes(8080))
    mesh.setReady(key, true)
    return child
  }
  await serve('shop/web-api')

  const records = new Map<string, number>()
  const sick: unknown[] = []
  mesh.onFlow((record) => {
    const { run = '', outcome, bytesReceived, durationMs } = record
    records.set(run, (records.get(run) ?? 0) + 1)
    // A connection that policy denied from its start has carried nothing, and none lasts longer than the load.
    const denied = outcome !== 'allow' && record.flag === 'DENY'
    if ((denied && bytesReceived > 0) || durationMs < 0 || durationMs > SECONDS * 1000 + 20_000) sick.push(record)
  })

  let generation = 0
  let swaps = 0
  let restarts = 0
  let on = true
  const swapping = setInterval(() => {
    generation += 1
    swaps += 1
    mesh.swap(generation % 2 === 0 ? one : other, generation)
  }, SWAP_MS)
  const restarting = (async () => {
    const key = podOf(one, 'shop/flaky')
    while (on) {
      const child = await serve('shop/flaky')
      const ended = once(child, 'close')
      await new Promise((resolve) => setTimeout(resolve, RESTART_MS))
      mesh.setReady(key, false)
      restarts += 1
      if (restarts % 2 === 0) {
        // The pod with all that it had, and another one of its name at once.
        await Promise.all([mesh.removePod(key), mesh.addPod(key)])
        child.kill('SIGKILL')
      } else child.kill('SIGKILL')
      await ended
      await eventually('its port to be free', () => !mesh.listening(key).includes(8080))
    }
  })()
  cleanUp(t, () => {
    on = false
    clearInterval(swapping)
  })

  const round = async (seconds: number) => {
    records.clear()
    const [sleep, notsleep, outsider] = await Promise.all([
      load(t, mesh, 'shop/sleep', seconds, { allowed: ['web-api'], may: ['flaky'] }),
      load(t, mesh, 'shop/notsleep', seconds, { may: ['flaky'], denied: ['web-api'] }),
      load(t, mesh, 'shop/outsider', seconds, { denied: ['web-api', 'flaky'] }),
    ])
    const held = await idle(mesh)
    for (const [run, told] of [
      ['shop/sleep', sleep],
      ['shop/notsleep', notsleep],
      ['shop/outsider', outsider],
    ] as const) {
      assert.deepEqual(told.wrongly, [], `${run} was answered, and must not be`)
      assert.equal(told.hung, 0, `requests of ${run} hung`)
      assert.equal(records.get(run), told.connects, `records of ${run}, against its connects`)
    }
    assert.deepEqual(sleep.failed, [])
    assert.equal(sleep.answered, sleep.asked)
    return { held, sleep, notsleep, outsider }
  }

  // The first round fills what is filled once: caches, compiled code, the ring of records.
  const first = await round(SECONDS / 3)
  const last = await round(SECONDS)
  on = false
  await restarting
  clearInterval(swapping)

  t.diagnostic(
    `${last.sleep.answered} answered, ${last.notsleep.asked + last.outsider.asked} denied, ${swaps} swaps, ${restarts} restarts, ${mesh.tunnels().handshakes} handshakes; ` +
      `heap ${(first.held.heap / 2 ** 20).toFixed(1)} -> ${(last.held.heap / 2 ** 20).toFixed(1)} MiB, file descriptors ${first.held.fds} -> ${last.held.fds}`,
  )
  assert.deepEqual(sick, [])
  for (const asked of [
    last.sleep.asked,
    last.sleep.resets,
    last.notsleep.asked,
    last.notsleep.maybe,
    last.outsider.asked,
  ])
    assert.ok(asked > 0, 'every kind of load was there')
  assert.ok(restarts > 0 && swaps >= 10)
  assert.ok(last.held.heap - first.held.heap < HEAP_SLACK_BYTES, 'the heap grew')
  assert.ok(Math.abs(last.held.fds - first.held.fds) <= FD_SLACK, 'file descriptors leaked')
})
