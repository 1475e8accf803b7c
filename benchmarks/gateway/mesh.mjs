// The mesh of the benchmark, a process of its own: two gateways, one in front of a pod in the mesh, one in front of a pod
// outside it, each published at a port of loopback.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { Session } from 'node:inspector/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startMesh } from '@bulkhead/mesh'
import { parseManifests } from '@bulkhead/resources'
import { compile } from '@bulkhead/verdict'

const pinned = process.argv.includes('--pinned')

const app = (name, mode) => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: shop }
spec: { selector: { app: ${name} }, ports: [{ name: http, port: 8080 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: shop }
spec:
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name}, istio.io/dataplane-mode: ${mode} } }
    spec:
      serviceAccountName: ${name}
      containers: [{ name: app, image: app, ports: [{ containerPort: 8080 }] }]
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: to-${name}, namespace: shop }
spec:
  gatewayClassName: istio
  listeners: [{ name: http, port: 80, protocol: HTTP }]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: ${name}, namespace: shop }
spec:
  parentRefs: [{ name: to-${name} }]
  rules:
    - matches: [{ path: { type: PathPrefix, value: / } }]
      backendRefs: [{ name: ${name}, port: 8080 }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: to-${name}, namespace: shop }
spec:
  targetRefs: [{ group: gateway.networking.k8s.io, kind: Gateway, name: to-${name} }]
  rules: [{ to: [{ operation: { methods: [GET] } }] }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ${name}, namespace: shop }
spec:
  selector: { matchLabels: { app: ${name} } }
  rules: [{ from: [{ source: { principals: [cluster.local/ns/shop/sa/to-${name}-istio] } }] }]
`

const shop = 'apiVersion: v1\nkind: Namespace\nmetadata: { name: shop, labels: { istio.io/dataplane-mode: ambient } }\n'
const manifests = [shop, app('inside', 'ambient'), app('outside', 'none')].join('---')
const { resources, diagnostics } = parseManifests(manifests, 'benchmark.yaml')
if (diagnostics.some(({ severity }) => severity === 'error')) throw new Error(JSON.stringify(diagnostics))
const snapshot = compile(resources)
const runDir = await mkdtemp(join(tmpdir(), 'bh-'))
const mesh = await startMesh({ runDir, snapshot })
const children = []

for (const key of snapshot.pods.keys()) await mesh.addPod(key)
const published = {}
for (const name of ['outside', 'inside']) {
  const pod = [...snapshot.pods.values()].find(({ workload }) => workload === `shop/${name}`)
  const args = [fileURLToPath(new URL('upstream.mjs', import.meta.url)), '8080']
  const [command, ...rest] = pinned ? ['taskset', '-c', '1', process.execPath, ...args] : [process.execPath, ...args]
  const env = { ...process.env, ...mesh.grant(pod.key).env }
  const child = spawn(command, rest, { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  children.push(child)
  await once(child, 'message')
  mesh.setReady(pod.key, true)
  mesh.setReady([...snapshot.pods.values()].find(({ gateway }) => gateway === `shop/to-${name}`).key, true)
  published[name] = (await mesh.publish(`shop/to-${name}-istio`, 80, { at: 0 })).port
}
process.send(published)

let session
process.on('message', async ({ profile }) => {
  if (profile) {
    session = new Session()
    session.connect()
    await session.post('Profiler.enable')
    await session.post('Profiler.start')
    return process.send({})
  }
  const { profile: taken } = await session.post('Profiler.stop')
  process.send({ taken })
})
process.on('disconnect', async () => {
  for (const child of children) child.disconnect()
  await mesh.close()
  await rm(runDir, { recursive: true, force: true })
  process.exit()
})
