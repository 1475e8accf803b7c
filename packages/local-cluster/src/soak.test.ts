import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Mesh, startMesh } from '@bulkhead/mesh'
import { isLong, liveBytes, openHandles } from '@bulkhead/resources/testing'
import { LocalCluster } from './cluster.js'
import type { ManifestsEvent } from './cluster-types.js'
import { realEngine } from './real-engine.js'
import { eventually, temporaryFolder } from './testing.js'

/*
 * The shop under load while everything about it changes: each second a workload's template is saved, a policy is put in
 * force or taken away, and certificates are rotated. 10 minutes with BULKHEAD_LONG=1, else 8 seconds.
 */

const SECONDS = isLong ? 600 : 8
const EVERY_MS = 1_000
/** Rotated at half of it. */
const CERTIFICATE_TTL_MS = 2_000
const FLOW_RING = 500
/** Bytes that may live longer at the end than after a third of the time, with the same going on. */
const GROWTH_BYTES = 12 * 2 ** 20
const MiB = 2 ** 20
/** Each pod that calls has a session per pod that it calls and per certificate; old ones drain. */
const MOST_SESSIONS = 60
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
}

/** A client's process; `env` is a pod's, or nobody's. */
class Client {
  readonly told: Told[] = []
  counts: Readonly<Record<string, number>> = {}
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  readonly started: Promise<void>

  constructor(t: TestContext, env: Readonly<Record<string, string>>, loads: readonly Load[]) {
    const child = spawn(process.execPath, [client, JSON.stringify(loads)], { env, stdio: ['pipe', 'pipe', 'inherit'] })
    t.after(() => child.kill('SIGKILL'))
    this.#child = child
    const lines = createInterface({ input: child.stdout })
    this.#ended = Promise.all([once(child, 'close'), once(lines, 'close')])
    this.started = once(lines, 'line').then(() => undefined)
    lines.on('line', (line) => {
      const said: unknown = JSON.parse(line)
      if (Array.isArray(said)) {
        const [name, started, ended, status, error] = said
        this.told.push({ name, started, ended, status, error })
      } else if (typeof said === 'object' && said !== null) this.counts = said as Record<string, number>
    })
  }

  async end(): Promise<void> {
    this.#child.stdin?.end()
    await this.#ended
  }
}

/** A time in which the toggling pair was open, or closed, and nothing about that changed. */
interface Window {
  readonly open: boolean
  readonly from: number
  readonly until: number
}

test(`the shop stays whole under ${SECONDS} s of load while a workload, a policy and a certificate change every second`, {
  timeout: (SECONDS * 2 + 110) * 1000,
}, async (t) => {
  const folder = temporaryFolder(t)
  cpSync(join(root, 'k8s'), join(folder, 'k8s'), { recursive: true })
  let mesh: Mesh | undefined
  const cluster = await LocalCluster.start({
    manifests: [join(folder, 'k8s/workloads'), join(folder, 'k8s/layers')],
    relativeTo: folder,
    stateDir: join(folder, 'state'),
    watch: { quietMs: 30 },
    engine: {
      ...realEngine,
      async startMesh(options) {
        mesh = await startMesh({ ...options, certificateTtlMs: CERTIFICATE_TTL_MS, flowRing: FLOW_RING })
        return mesh
      },
    },
  })
  t.after(() => cluster.stop({ graceMs: 500 }))
  assert.deepEqual(await cluster.whenReady(30_000), [])
  assert.ok(mesh)
  const data: Mesh = mesh
  const events: ManifestsEvent[] = []
  cluster.onManifests((event) => events.push(event))

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

  const windows: Window[] = []
  const samples: { readonly live: number; readonly rss: number; readonly handles: number }[] = []
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
    const handles = Object.values(openHandles()).reduce((sum, count) => sum + count, 0)
    samples.push({ live: await liveBytes(), rss: process.memoryUsage.rss(), handles })
  }
  while (Date.now() - began < SECONDS * 1000) {
    turn += 1
    // A workload: as somebody edits its file, and saves.
    const file = files[turn % files.length]
    assert.ok(file)
    writeFileSync(file.path, file.text.replace('Hello From', `Hello ${turn} From`))
    // A policy that decides, and one that does not.
    windows.push({ open, from: since, until: Date.now() })
    if (open) await cluster.withdraw('soak-toggle')
    else await cluster.apply('soak-toggle', { objects: toggle })
    open = !open
    since = Date.now()
    await cluster.apply('soak-noise', { objects: noise(turn) })
    sessions = Math.max(sessions, data.tunnels().open.length)
    if (turn === third || (isLong && turn % 30 === 0)) await sample()
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, began + turn * EVERY_MS - Date.now())))
  }
  windows.push({ open, from: since, until: Date.now() })
  await sample()
  await Promise.all(clients.map((one) => one.end()))
  const told = clients.flatMap((one) => one.told)
  const counts: Record<string, number> = Object.assign({}, ...clients.map((one) => one.counts))

  const [first, last] = [samples[0], samples.at(-1)]
  assert.ok(first && last)
  const saved = events.filter(({ kind }) => kind === 'changed').length
  t.diagnostic(
    `${JSON.stringify(counts)}; ${turn} changes of policy, ${saved} saves in force, ${data.tunnels().handshakes} handshakes, at most ${sessions} sessions; ` +
      `live ${(first.live / MiB).toFixed(1)} -> ${(last.live / MiB).toFixed(1)} MiB, RSS ${(first.rss / MiB).toFixed(0)} -> ${(last.rss / MiB).toFixed(0)} MiB, handles ${first.handles} -> ${last.handles}`,
  )

  assert.deepEqual(
    told.filter(({ error }) => error === 'hung'),
    [],
    'no request hangs',
  )
  for (const name of ['sleep, kept', 'sleep, once', 'outside'])
    assert.deepEqual(
      told.filter((one) => one.name === name),
      [],
      `${name}: what is allowed is answered with 200`,
    )
  for (const name of ['sleep to purchase-history', 'notsleep to web-api', 'outsider to web-api', 'outside, metrics'])
    assert.deepEqual(
      told.filter((one) => one.name === name),
      [],
      `${name}: what is denied is not answered`,
    )
  const seen = { open: 0, closed: 0 }
  // Only what began and ended in a window tells which policies it met.
  for (const one of told.filter(({ name }) => name.startsWith('toggled'))) {
    const window = windows.find(({ from, until }) => one.started >= from + CLOCK_MS && one.ended <= until - CLOCK_MS)
    if (window === undefined) continue
    seen[window.open ? 'open' : 'closed'] += 1
    assert.equal(one.status, window.open ? 200 : 0, `${JSON.stringify(one)} in ${JSON.stringify(window)}`)
  }
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

  assert.deepEqual(
    events.filter(({ kind }) => kind === 'refused'),
    [],
  )
  assert.ok(saved >= turn / 2, `${saved} of ${turn} saves were in force`)
  assert.ok(data.tunnels().handshakes >= SECONDS, 'certificates were rotated, and sessions with them')
  assert.ok(sessions <= MOST_SESSIONS, `${sessions} sessions were open at once`)
  assert.ok(cluster.flows().length <= FLOW_RING)
  assert.ok(last.live - first.live <= GROWTH_BYTES, `memory grew: ${JSON.stringify(samples)}`)
  assert.ok(last.handles - first.handles <= 40, `handles grew: ${JSON.stringify(samples)}`)
  await eventually('nothing is held', () => Object.values(data.held).every((count) => count === 0), 15_000)
})
