import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Mesh, startMesh } from '@bulkhead/mesh'
import { isLong, liveBytes, openHandles } from '@bulkhead/resources/testing'
import { cleanUp, eventually, killed, temporaryFolder } from '@bulkhead/testing'
import { LocalCluster } from './cluster.js'
import type { ManifestsEvent } from './cluster-types.js'
import { realEngine } from './real-engine.js'
import { Trace } from './testing/trace.js'

/*
 * The shop under load while everything about it changes: each second a workload's template is saved, a policy is put in
 * force or taken away, and certificates are rotated. 10 minutes with BULKHEAD_LONG=1, else 8 seconds.
 */

const SECONDS = isLong ? 600 : 8
const EVERY_MS = 1_000
/** A machine that is busy with something else changes less in that time: it goes on until it has seen enough, but no longer than this. */
const MOST_MS = Math.max(60, SECONDS) * 1_000
const LEAST_TURNS = 5
/** Rotated at half of it; a busy machine may be late by a second, and none may have ended by then. */
const CERTIFICATE_TTL_MS = 4_000
/** No packet is dropped here: what a busy machine is slow with must not be taken for one. */
const CONNECT_MS = 10_000
const FLOW_RING = 500
/** Bytes that may live longer at the end than after a third of the time, with the same going on. */
const GROWTH_BYTES = 12 * 2 ** 20
const MiB = 2 ** 20
/** Each pod that calls has a session per pod that it calls and per certificate; old ones drain. */
const MOST_SESSIONS = 60
/** Six clients at a time have their requests passed on, over two hops; each service keeps its connections, and three points watch each. */
const MOST_IDLE = 6 * 2 * 3
/** On a busy machine; the target is under a second. */
const SAVED_MS = 20_000
const FD_SLACK = 12
/** Wall clocks of two processes, read at the two ends of an event. */
const CLOCK_MS = 5

const root = fileURLToPath(new URL('../../..', import.meta.url))
const client = fileURLToPath(new URL('../fixtures/soak.mjs', import.meta.url))

/** Opens purchase-history to notsleep while it stands. */
const toggle = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: soak-toggle, namespace: shop }
spec:
  selector: { matchLabels: { app: purchase-history } }
  action: ALLOW
  rules: [{ from: [{ source: { principals: [cluster.local/ns/shop/sa/notsleep] } }] }]
`
/** Concerns who is nowhere, another one each time. */
const noise = (turn: number) => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: soak-noise, namespace: shop }
spec:
  selector: { matchLabels: { app: web-api } }
  action: ${turn % 2 === 0 ? 'ALLOW' : 'DENY'}
  rules: [{ from: [{ source: { principals: [cluster.local/ns/shop/sa/nobody-${turn}] } }] }]
`

interface Load {
  readonly name: string
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly keepAlive: boolean
  readonly clients: number
  readonly tell: 'all' | 'answered' | 'failed'
}

interface Told {
  readonly name: string
  readonly started: number
  readonly ended: number
  readonly status: number
  readonly error: string
  readonly words: string
}

/** A client's process; `env` is a pod's, or nobody's. */
class Client {
  told: Told[] = []
  counts: Readonly<Record<string, number>> = {}
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  readonly started: Promise<void>

  constructor(t: TestContext, env: Readonly<Record<string, string>>, loads: readonly Load[]) {
    const child = spawn(process.execPath, [client, JSON.stringify(loads)], { env, stdio: ['pipe', 'pipe', 'inherit'] })
    cleanUp(t, () => killed(child))
    this.#child = child
    const lines = createInterface({ input: child.stdout })
    this.#ended = Promise.all([once(child, 'close'), once(lines, 'close')])
    this.started = once(lines, 'line').then(() => undefined)
    lines.on('line', (line) => {
      const said: unknown = JSON.parse(line)
      if (Array.isArray(said)) {
        const [name, started, ended, status, error, words] = said
        this.told.push({ name, started, ended, status, error, words })
      } else if (typeof said === 'object' && said !== null) this.counts = said as Record<string, number>
    })
  }

  /** Those of a name that ended by then; they are not kept. */
  take(name: string, until: number): readonly Told[] {
    const taken = this.told.filter((one) => one.name.startsWith(name) && one.ended <= until)
    this.told = this.told.filter((one) => !taken.includes(one))
    return taken
  }

  async end(): Promise<void> {
    this.#child.stdin?.end()
    await this.#ended
  }
}

const openFiles = (): number => openHandles()['file descriptors'] ?? 0

const pidOf = (cluster: LocalCluster, name: string): number | undefined =>
  cluster.status().workloads.find(({ workload }) => workload === `shop/${name}`)?.pods[0]?.containers[0]?.pid

/** What the outside is shown. */
async function page(url: string): Promise<string> {
  const asked = request(url, { headers: { host: 'istioexplained.io' } }).end()
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  let text = ''
  for await (const chunk of answer) text += chunk
  return text
}

/** A time in which the toggling pair was open, or closed, and nothing about that changed. */
interface Window {
  readonly open: boolean
  readonly from: number
  readonly until: number
}

/** What became of the requests of the toggling pair. */
class Toggled {
  readonly seen = { open: 0, closed: 0 }
  readonly wrong: { readonly one: Told; readonly met: Window }[] = []
  #before: Window | undefined

  /** Judges, and forgets, the requests up to the end of a window. Only what began and ended in one tells which policies it met. */
  over(window: Window, clients: readonly Client[]): void {
    for (const one of clients.flatMap((client) => client.take('toggled', window.until))) {
      const met = [this.#before, window].find(
        (a) => a && one.started >= a.from + CLOCK_MS && one.ended <= a.until - CLOCK_MS,
      )
      if (met === undefined) continue
      this.seen[met.open ? 'open' : 'closed'] += 1
      if (one.status !== (met.open ? 200 : 0)) this.wrong.push({ one, met })
    }
    this.#before = window
  }
}

test(`the shop stays whole under ${SECONDS} s of load while a workload, a policy and a certificate change every second`, {
  timeout: (SECONDS * 2 + 110) * 1000,
}, async (t) => {
  const folder = temporaryFolder(t)
  cpSync(join(root, 'k8s'), join(folder, 'k8s'), { recursive: true })
  let mesh: Mesh | undefined
  const cluster = await LocalCluster.start({
    // Its model of what is open is of identity, and not of the network's walls.
    manifests: ['workloads/shop', 'layers/40-mtls', 'layers/50-identity', 'layers/70-ingress'].map((one) =>
      join(folder, 'k8s', one),
    ),
    relativeTo: folder,
    stateDir: join(folder, 'state'),
    watch: { quietMs: 30 },
    connectTimeoutMs: CONNECT_MS,
    engine: {
      ...realEngine,
      async startMesh(options) {
        mesh = await startMesh({ ...options, certificateTtlMs: CERTIFICATE_TTL_MS, flowRing: FLOW_RING })
        return mesh
      },
    },
  })
  cleanUp(t, () => cluster.stop({ graceMs: 500 }))
  assert.deepEqual(await cluster.whenReady(30_000), [])
  assert.ok(mesh)
  const data: Mesh = mesh
  const before = new Map(
    ['web-api', 'recommendation', 'purchase-history-v1'].map((name) => [name, pidOf(cluster, name)]),
  )
  let saves = 0
  const refused: ManifestsEvent[] = []
  cluster.onManifests((event) => {
    if (event.kind === 'changed') saves += 1
    if (event.kind === 'refused') refused.push(event)
  })
  const delays = monitorEventLoopDelay()
  delays.enable()
  cleanUp(t, () => delays.disable())
  const trace = new Trace(cluster, join(folder, 'state', 'logs'))
  const idle = openFiles()
  const allowed = { keepAlive: true, clients: 2, tell: 'failed' } as const
  const denied = { keepAlive: false, clients: 1, tell: 'answered' } as const
  const door = cluster.status().published.find(({ hosts }) => hosts.includes('istioexplained.io'))
  assert.ok(door, 'the gateway is published')
  const as = (workload: string, loads: readonly Load[]) => new Client(t, cluster.exec(workload).env, loads)
  const clients = [
    as('shop/sleep', [
      { ...allowed, name: 'sleep, kept', url: 'http://web-api:8080/' },
      { ...allowed, name: 'sleep, once', url: 'http://web-api:8080/', keepAlive: false },
      { ...denied, name: 'sleep to purchase-history', url: 'http://purchase-history:8080/' },
    ]),
    as('shop/notsleep', [
      { ...denied, name: 'notsleep to web-api', url: 'http://web-api:8080/' },
      { name: 'toggled', url: 'http://purchase-history:8080/', keepAlive: false, clients: 2, tell: 'all' },
      { name: 'toggled, kept', url: 'http://purchase-history:8080/', keepAlive: true, clients: 1, tell: 'all' },
    ]),
    as('shop/outsider', [{ ...denied, name: 'outsider to web-api', url: 'http://web-api:8080/' }]),
    new Client(t, { PATH: process.env.PATH ?? '' }, [
      { ...allowed, name: 'outside', url: door.url, headers: { host: 'istioexplained.io' } },
      { ...denied, name: 'outside, metrics', url: `${door.url}/metrics`, headers: { host: 'istioexplained.io' } },
    ]),
  ]
  await Promise.all(clients.map(({ started }) => started))

  const pair = new Toggled()
  const samples: { readonly live: number; readonly rss: number }[] = []
  let sessions = 0
  let turn = 0
  let open = false
  let since = Date.now()
  const began = Date.now()
  const third = Math.floor(SECONDS / 3)
  const files = ['web-api', 'recommendation', 'purchase-history'].map((name) => {
    const path = join(folder, 'k8s/workloads/shop', `${name}.yaml`)
    return { path, text: readFileSync(path, 'utf8') }
  })
  const sample = async () => {
    samples.push({ live: await liveBytes(), rss: process.memoryUsage.rss() })
  }
  const enough = () => turn >= LEAST_TURNS && pair.seen.open > turn && pair.seen.closed > turn
  const soFar = () => Date.now() - began
  while (soFar() < SECONDS * 1000 || (!enough() && soFar() < MOST_MS)) {
    turn += 1
    // A workload: as somebody edits its file, and saves.
    const file = files[turn % files.length]
    assert.ok(file)
    writeFileSync(file.path, file.text.replace('Hello From', `Hello ${turn} From`))
    const inForce = eventually(`save ${turn} is in force`, () => saves >= turn, SAVED_MS).catch((error: Error) => {
      // A machine that was busy for so long, or a save that nobody saw.
      const busy = `at most ${Math.round(delays.max / 1e6)} ms without a turn of the event loop`
      throw new Error(`${error.message}; ${saves} are; ${busy}; refused: ${JSON.stringify(refused)}`, { cause: error })
    })
    // A policy that decides, and one that does not.
    pair.over({ open, from: since, until: Date.now() }, clients)
    if (open) await cluster.withdraw('soak-toggle')
    else await cluster.apply('soak-toggle', { objects: toggle })
    open = !open
    since = Date.now()
    await cluster.apply('soak-noise', { objects: noise(turn) })
    await inForce
    sessions = Math.max(sessions, data.tunnels().open.length)
    if (turn === third || (isLong && turn % 30 === 0)) await sample()
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, began + turn * EVERY_MS - Date.now())))
  }
  const until = Date.now()
  await sample()
  await Promise.all(clients.map((one) => one.end()))
  pair.over({ open, from: since, until }, clients)
  const told = clients.flatMap((one) => one.told)
  const counts: Record<string, number> = Object.assign({}, ...clients.map((one) => one.counts))

  const [first, last] = [samples[0], samples.at(-1)]
  assert.ok(first && last)
  t.diagnostic(
    `${JSON.stringify(counts)}; ${turn} changes of policy, ${saves} saves in force, ${data.tunnels().handshakes} handshakes, at most ${sessions} sessions; ` +
      `live ${(first.live / MiB).toFixed(1)} -> ${(last.live / MiB).toFixed(1)} MiB, RSS ${(first.rss / MiB).toFixed(0)} -> ${(last.rss / MiB).toFixed(0)} MiB, file descriptors ${idle} -> ${openFiles()}`,
  )

  assert.deepEqual(
    told.filter(({ error }) => error === 'hung'),
    [],
    'no request hangs',
  )
  for (const name of ['sleep, kept', 'sleep, once', 'outside']) {
    const failed = told.filter((one) => one.name === name)
    assert.equal(failed.length, 0, `${name}: what is allowed is answered with 200; ${trace.of(failed)}`)
  }
  for (const name of ['sleep to purchase-history', 'notsleep to web-api', 'outsider to web-api', 'outside, metrics'])
    assert.deepEqual(
      told.filter((one) => one.name === name),
      [],
      `${name}: what is denied is not answered`,
    )
  const wrong = pair.wrong.map(({ one, met }) => ({ ...one, met }))
  assert.equal(wrong.length, 0, `what changes is as it was meant to be at that time; ${trace.of(wrong)}`)
  const { seen } = pair
  assert.ok(
    seen.open > turn && seen.closed > turn,
    `the toggled pair was tried in both states: ${JSON.stringify(seen)}`,
  )
  for (const name of [
    'sleep, kept',
    'sleep, once',
    'outside',
    'notsleep to web-api',
    'outsider to web-api',
    'outside, metrics',
  ])
    assert.ok((counts[name] ?? 0) > SECONDS, `${name} was tried`)

  assert.deepEqual(refused, [])
  await eventually(
    'all workloads were replaced',
    () => [...before].every(([name, pid]) => pidOf(cluster, name) !== pid),
    30_000,
  )
  const words = `Hello ${turn - (turn % files.length)} From`
  await eventually(`web-api says ${words}`, async () => (await page(door.url)).includes(words), 30_000)
  assert.ok(data.tunnels().handshakes >= SECONDS, 'certificates were rotated, and sessions with them')
  assert.ok(sessions <= MOST_SESSIONS, `${sessions} sessions were open at once`)
  assert.ok(cluster.flows().length <= FLOW_RING)
  assert.ok(last.live - first.live <= GROWTH_BYTES, `memory grew: ${JSON.stringify(samples)}`)
  await eventually('no more is carried than idle services keep', () => data.openConnections <= MOST_IDLE, 15_000)
  // Sessions stay a while for the next call, each with a socket at both ends.
  const most = () => idle + FD_SLACK + 2 * data.tunnels().open.length + 2 * data.openConnections
  await eventually(`as many files are open as before: ${idle}`, () => openFiles() <= most(), 15_000)
})
