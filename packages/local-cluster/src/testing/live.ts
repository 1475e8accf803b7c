import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Attempt } from '@bulkhead/scenarios'
import { cleanUp, eventually, killed, temporaryFolder } from '@bulkhead/testing'
import { LocalCluster } from '../cluster.js'
import type { LocalClusterOptions, ManifestsEvent } from '../cluster-types.js'

export const account = (name: string) => `
apiVersion: v1
kind: ServiceAccount
metadata: { name: ${name}, namespace: shop }
---`

export const namespace = `
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
export const web = (
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

export const policy = (name: string, action: 'ALLOW' | 'DENY', who: string, app = 'web') => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ${name}, namespace: shop }
spec:
  selector: { matchLabels: { app: ${app} } }
  action: ${action}
  rules: [{ from: [{ source: { principals: [cluster.local/ns/shop/sa/${who}] } }] }]
`

export async function start(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  options: Partial<LocalClusterOptions> = {},
) {
  const folder = temporaryFolder(t)
  const root = join(folder, 'k8s')
  const save = (name: string, text: string | Buffer) => writeFileSync(join(root, name), text)
  mkdirSync(join(root, 'layers/50-identity'), { recursive: true })
  for (const [name, text] of Object.entries({ 'namespace.yaml': namespace, ...files })) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    save(name, text)
  }
  const cluster = await LocalCluster.start({
    manifests: [root],
    relativeTo: root,
    stateDir: join(folder, 'state'),
    watch: { quietMs: 60 },
    ...options,
  })
  // Registered after the folder, so that it is done before the folder goes.
  cleanUp(t, () => cluster.stop({ graceMs: 0 }))
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

export const get: Attempt = {
  kind: 'http',
  to: { service: 'shop/web' },
  port: 8080,
  http: { method: 'GET', path: '/' },
}
export const statusOf = async (cluster: LocalCluster) => {
  const { observation } = await cluster.attempt('shop/client', get)
  return observation.http?.status ?? observation.symptom
}

/** Asks on and on, on kept connections and on new ones, and says in the end which answers it got how often. */
const asker = `
const { Agent, request } = require('node:http')
let going = true
const counts = {}
process.on('SIGTERM', () => { going = false })
// What a proxy answers itself is no JSON.
const wordOf = (status, body) => (status === 200 ? JSON.parse(body).body : 'of a proxy')
const ask = (agent) => new Promise((resolve) => {
  const asked = request({ host: 'web', port: 8080, path: '/', agent }, (response) => {
    let body = ''
    response.on('data', (chunk) => { body += chunk })
    response.on('error', () => {})
    response.on('close', () => resolve(response.complete ? response.statusCode + ' ' + wordOf(response.statusCode, body) : 'cut'))
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

export function ask(t: TestContext, cluster: LocalCluster) {
  const grant = cluster.exec('shop/client')
  const child: ChildProcess = spawn(process.execPath, ['-e', asker], {
    env: { ...grant.env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  cleanUp(t, () => killed(child))
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
