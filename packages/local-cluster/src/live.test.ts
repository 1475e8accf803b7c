import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Attempt } from '@bulkhead/scenarios'
import { LocalCluster } from './cluster.js'
import type { LocalClusterOptions, ManifestsEvent } from './cluster-types.js'
import { eventually, temporaryFolder } from './testing.js'

const account = (name: string) => `
apiVersion: v1
kind: ServiceAccount
metadata: { name: ${name}, namespace: shop }
---`

const namespace = `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { istio.io/dataplane-mode: ambient } }
---${account('client')}
apiVersion: apps/v1
kind: Deployment
metadata: { name: client, namespace: shop }
spec:
  selector: { matchLabels: { app: client } }
  template:
    metadata: { labels: { app: client } }
    spec:
      serviceAccountName: client
      containers: [{ name: probe, image: localhost/bulkhead/probe:0.1.0 }]
`

/** A service that answers with its message. */
const web = (
  message: string,
  options: { readonly replicas?: number; readonly command?: string } = {},
) => `${account('web')}
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { selector: { app: web }, ports: [{ port: 8080 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  replicas: ${options.replicas ?? 1}
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      serviceAccountName: web
      containers:
        - name: web
          image: localhost/bulkhead/chain-service:0.1.0
          ${options.command ?? ''}
          env:
            - { name: LISTEN_ADDR, value: "0.0.0.0:8080" }
            - { name: NAME, value: web }
            - { name: MESSAGE, value: ${message} }
            - { name: SHUTDOWN_DELAY, value: 50ms }
          ports: [{ containerPort: 8080 }]
          readinessProbe: { httpGet: { path: /readyz, port: 8080 }, periodSeconds: 1 }
`

const policy = (name: string, action: 'ALLOW' | 'DENY', who: string, app = 'web') => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ${name}, namespace: shop }
spec:
  selector: { matchLabels: { app: ${app} } }
  action: ${action}
  rules: [{ from: [{ source: { principals: [cluster.local/ns/shop/sa/${who}] } }] }]
`

async function start(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  options: Partial<LocalClusterOptions> = {},
) {
  const folder = temporaryFolder(t)
  const root = join(folder, 'k8s')
  const save = (name: string, text: string) => writeFileSync(join(root, name), text)
  mkdirSync(join(root, 'layers/50-identity'), { recursive: true })
  for (const [name, text] of Object.entries({ 'namespace.yaml': namespace, ...files })) save(name, text)
  const cluster = await LocalCluster.start({
    manifests: [root],
    relativeTo: root,
    stateDir: join(folder, 'state'),
    watch: { quietMs: 60 },
    ...options,
  })
  // Registered after the folder, so that it is done before the folder goes.
  t.after(() => cluster.stop({ graceMs: 0 }))
  const events: ManifestsEvent[] = []
  cluster.onManifests((event) => void events.push(event))
  /** The next event of that kind, or the next rollout of that state, after what `change` does. */
  const told = async <K extends ManifestsEvent['kind']>(kind: K, change: () => void, state?: 'complete' | 'stuck') => {
    const from = events.length
    change()
    const found = () =>
      events.slice(from).find((event) => event.kind === kind && (event.kind !== 'rollout' || event.state === state))
    await eventually(`${kind} ${state ?? ''} is told`, () => found() !== undefined, 10_000)
    return found() as Extract<ManifestsEvent, { kind: K }>
  }
  const rolled = (change: () => void, state: 'complete' | 'stuck' = 'complete') => told('rollout', change, state)
  assert.deepEqual(await cluster.whenReady(10_000), [])
  return { cluster, root, save, told, rolled, events }
}

const get: Attempt = { kind: 'http', to: { service: 'shop/web' }, port: 8080, http: { method: 'GET', path: '/' } }
const statusOf = async (cluster: LocalCluster) => {
  const { observation } = await cluster.attempt('shop/client', get)
  return observation.http?.status ?? observation.symptom
}

/** Asks on and on, on kept connections and on new ones, and says in the end which answers it got how often. */
const asker = `
const { Agent, request } = require('node:http')
let going = true
const counts = {}
process.on('SIGTERM', () => { going = false })
const ask = (agent) => new Promise((resolve) => {
  const asked = request({ host: 'web', port: 8080, path: '/', agent }, (response) => {
    let body = ''
    response.on('data', (chunk) => { body += chunk })
    response.on('error', () => {})
    response.on('close', () => resolve(response.complete ? response.statusCode + ' ' + JSON.parse(body).body : 'cut'))
  })
  asked.on('error', (error) => resolve(error.code))
  asked.end()
})
const loop = async (agent) => {
  while (going) {
    const answer = await ask(agent)
    if (counts[answer] === undefined) console.log(answer)
    counts[answer] = (counts[answer] ?? 0) + 1
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  agent?.destroy()
}
Promise.all([new Agent({ keepAlive: true, maxSockets: 1 }), new Agent({ keepAlive: true, maxSockets: 1 }), new Agent()].map(loop))
  .then(() => console.log('counts ' + JSON.stringify(counts)))
`

function ask(t: TestContext, cluster: LocalCluster) {
  const grant = cluster.exec('shop/client')
  const child: ChildProcess = spawn(process.execPath, ['-e', asker], {
    env: { ...grant.env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  let said = ''
  child.stdout?.on('data', (chunk) => {
    said += chunk
  })
  return {
    heard: (what: string) => eventually(`${what} is heard, and not only ${said}`, () => said.includes(`${what}\n`)),
    async counts(): Promise<Record<string, number>> {
      child.kill('SIGTERM')
      await once(child, 'close')
      grant.revoke()
      return JSON.parse(/^counts (.*)$/m.exec(said)?.[1] ?? 'null')
    },
  }
}

test('a save is in force and told; a broken one changes nothing, says where, and the next good one heals it', async (t) => {
  const { cluster, root, save, told, events } = await start(t, {
    'web.yaml': web('one'),
    'p.yaml': policy('p', 'ALLOW', 'client'),
  })
  assert.equal(await statusOf(cluster), 200)
  const closing = await told('changed', () => save('p.yaml', policy('p', 'ALLOW', 'nobody')))
  assert.deepEqual([closing.files, closing.rolling], [['p.yaml'], []])
  // Of the account that is not there it is warned once.
  assert.equal(closing.warnings.length, 1)
  assert.ok(
    closing.diff.closed.some(({ from, to }) => from === 'shop/client' && to.startsWith('shop/web')),
    JSON.stringify(closing.diff.closed),
  )
  assert.deepEqual(closing.diff.objects.changed, ['AuthorizationPolicy/shop/p'])
  assert.equal(closing.generation, cluster.status().generation)
  assert.equal(await statusOf(cluster), 'reset')

  const { generation } = cluster.status()
  const broken: readonly [string, RegExp][] = [
    ['kind: [', /^p\.yaml:1:/],
    [policy('p', 'ALLOW', 'client').replace('rules', 'rulez'), /^p\.yaml:8:3: .*rulez/],
    [
      `${policy('p', 'ALLOW', 'client')}---${policy('p', 'ALLOW', 'nobody')}`,
      /p\.yaml:\d+:.*AuthorizationPolicy\/shop\/p/,
    ],
    [
      `${web('x').replaceAll('web', 'web2').replace('chain-service', 'nginx')}`,
      /p\.yaml:\d+: Deployment\/shop\/web2: the image .* is not known here/,
    ],
    [web('x').replaceAll('web', 'web3').replace('replicas: 1', 'replicas: 1.5'), /p\.yaml:\d+:/],
  ]
  for (const [text, message] of broken) {
    const refused = await told('refused', () => save('p.yaml', text))
    assert.deepEqual(refused.files, ['p.yaml'])
    assert.match(refused.message, message)
    assert.equal(cluster.status().refused, refused.message)
  }
  assert.equal(cluster.status().generation, generation)
  assert.equal(await statusOf(cluster), 'reset')

  // Back to what is in force: nothing changes, and that it is whole again is told all the same.
  const healed = await told('changed', () => save('p.yaml', policy('p', 'ALLOW', 'nobody')))
  assert.deepEqual([healed.diff.opened, healed.diff.closed], [[], []])
  assert.equal(cluster.status().refused, undefined)
  const opened = await told('changed', () => rmSync(join(root, 'p.yaml')))
  assert.deepEqual(opened.diff.objects.removed, ['AuthorizationPolicy/shop/p'])
  assert.equal(await statusOf(cluster), 200)

  const before = events.length
  save('web.yaml', `# another comment\n${web('one')}`)
  await eventually('it is read', () => cluster.status().generation === opened.generation + 1)
  assert.equal(events.length, before)
})

test('layers that are off stay off, one that is new is on, and a change stays on top of what is saved', async (t) => {
  const deny = policy('p', 'DENY', 'client')
  const { cluster, root, save, told } = await start(t, { 'web.yaml': web('one'), 'layers/50-identity/p.yaml': deny })
  const { diff } = await cluster.setLayers({ off: ['50'] })
  assert.ok(diff.opened.length > 0)
  await told('changed', () => save('layers/50-identity/q.yaml', policy('q', 'DENY', 'client')))
  assert.equal(await statusOf(cluster), 200)
  const made = await told('changed', () => {
    mkdirSync(join(root, 'layers/60-requests'))
    save('layers/60-requests/r.yaml', policy('r', 'DENY', 'client'))
  })
  assert.deepEqual(made.files, ['layers/60-requests/r.yaml'])
  assert.deepEqual(
    cluster.status().layers.map(({ name, on, objects }) => [name, on, objects]),
    [
      ['50-identity', false, 2],
      ['60-requests', true, 1],
    ],
  )
  assert.equal(await statusOf(cluster), 'reset')
  await cluster.apply('without', { without: ['AuthorizationPolicy/shop/r'] })
  await told('changed', () =>
    save('layers/60-requests/r.yaml', policy('r', 'DENY', 'client').replace('name: r', 'name: r, labels: { a: b }')),
  )
  assert.equal(await statusOf(cluster), 200)
})

test('a save closes the open connections that it denies', async (t) => {
  const { cluster, save, told } = await start(t, { 'web.yaml': web('one'), 'p.yaml': policy('p', 'ALLOW', 'client') })
  let closing: Extract<ManifestsEvent, { kind: 'changed' }> | undefined
  const { observation, flows } = await cluster.attempt(
    'shop/client',
    { ...get, hold: true, timeoutMs: 10_000 },
    {
      held: async () => {
        closing = await told('changed', () => save('p.yaml', policy('p', 'ALLOW', 'nobody')))
      },
    },
  )
  assert.equal(closing?.closedConnections, 1)
  assert.deepEqual([observation.phase, observation.symptom, flows[0]?.flag], ['held', 'reset', 'POLICY_CHANGE'])
})

test('of policies that are saved together no mixture is ever in force', async (t) => {
  // Either set denies the client, each by another file; half of one and half of the other would let it through.
  const none = policy('deny', 'DENY', 'nobody')
  const sets = [
    { 'allow.yaml': policy('allow', 'ALLOW', 'nobody'), 'deny.yaml': none },
    { 'allow.yaml': policy('allow', 'ALLOW', 'client'), 'deny.yaml': policy('deny', 'DENY', 'client') },
  ] as const
  const { cluster, save, told, events } = await start(t, { 'web.yaml': web('one'), ...sets[0] })
  const asking = ask(t, cluster)
  await asking.heard('ECONNRESET')
  for (let n = 1; n <= 50; n++) {
    await told('changed', () => {
      // The opening half first.
      const files = Object.entries(sets[n % 2 === 0 ? 0 : 1])
      for (const [name, text] of n % 2 === 0 ? files.reverse() : files) save(name, text)
    })
  }
  const codes = new Set(cluster.flows().flatMap(({ steps, decidedBy = -1 }) => steps[decidedBy]?.code ?? []))
  assert.deepEqual([...codes].sort(), ['authz.no-rule-allows', 'authz.rule-denies'])
  assert.equal(events.length, 50)
  // The mixture would have been seen.
  await told('changed', () => {
    save('allow.yaml', sets[1]['allow.yaml'])
    save('deny.yaml', none)
  })
  await asking.heard('200 one')
  const { ECONNRESET: denied = 0, ...others } = await asking.counts()
  assert.ok(denied > 100, String(denied))
  assert.deepEqual(Object.keys(others), ['200 one'])
})

test('while a template changes five times no request is lost', async (t) => {
  const { cluster, save, rolled } = await start(t, {
    'web.yaml': web('v0', { replicas: 2 }),
    'p.yaml': policy('p', 'ALLOW', 'client'),
  })
  const asking = ask(t, cluster)
  await asking.heard('200 v0')
  for (let n = 1; n <= 5; n++) {
    const rollout = await rolled(() => save('web.yaml', web(`v${n}`, { replicas: 2 })))
    assert.deepEqual(rollout.workloads, ['shop/web'])
    await asking.heard(`200 v${n}`)
  }
  const counts = await asking.counts()
  assert.deepEqual(Object.keys(counts).sort(), ['200 v0', '200 v1', '200 v2', '200 v3', '200 v4', '200 v5'])
  const pods = cluster.status().workloads.find(({ workload }) => workload === 'shop/web')
  assert.deepEqual([pods?.ready, pods?.of], [2, 2])
})

test('a rollout that is stuck keeps what serves, under the policies of its save; the next save gets it going', async (t) => {
  const { cluster, save, told, rolled } = await start(
    t,
    { 'web.yaml': web('good'), 'p.yaml': policy('p', 'ALLOW', 'client') },
    { rolloutTimeoutMs: 300 },
  )
  const asking = ask(t, cluster)
  await asking.heard('200 good')
  const hangs = web('bad', { command: 'command: [node, -e, "setInterval(() => {}, 1000)"]' })
  const stuck = await rolled(() => save('web.yaml', hangs), 'stuck')
  assert.match(stuck.waitingFor.join(), /^shop\/web-/)
  assert.deepEqual(Object.keys(await asking.counts()), ['200 good'])
  // The old pod is still one of the workload: policies of later saves hold for it.
  await told('changed', () => save('p.yaml', policy('p', 'ALLOW', 'nobody')))
  assert.equal(await statusOf(cluster), 'reset')
  await told('changed', () => save('p.yaml', policy('p', 'ALLOW', 'client')))
  assert.equal(await statusOf(cluster), 200)
  await rolled(() => save('web.yaml', web('better')))
  assert.equal((await cluster.attempt('shop/client', get)).observation.http?.body.includes('better'), true)
  assert.equal(cluster.status().workloads.find(({ workload }) => workload === 'shop/web')?.of, 1)
})

test('workloads come, scale and go with their files', async (t) => {
  const { cluster, root, save, rolled } = await start(t, {})
  const count = () => cluster.status().workloads.find(({ workload }) => workload === 'shop/web')?.pods.length
  for (const [replicas, pods] of [
    [1, 1],
    [3, 3],
    [1, 1],
    [0, undefined],
  ] as const) {
    await rolled(() => save('web.yaml', web('one', { replicas })))
    assert.equal(count(), pods)
  }
  await rolled(() => save('web.yaml', web('one')))
  assert.equal(await statusOf(cluster), 200)
  await rolled(() => rmSync(join(root, 'web.yaml')))
  assert.equal(count(), undefined)
})
