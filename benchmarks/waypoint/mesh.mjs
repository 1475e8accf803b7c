// The mesh of the benchmark, a process of its own: a client's pod, and two Services that it calls. Before one stands a
// waypoint with 50 rules in force; the other one's pod is the bare proxy, with the same backend behind it. Both ways are
// HBONE at both ends.
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
const file = (path) => fileURLToPath(new URL(path, import.meta.url))

const app = (name, labels) => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: shop, labels: ${labels} }
spec: { selector: { app: ${name} }, ports: [{ name: http, port: 8080 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: shop }
spec:
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      serviceAccountName: ${name}
      containers: [{ name: app, image: app, ports: [{ containerPort: 8080 }] }]
`

/** Ten rules each; `last` is the tenth. */
const rules = (prefix, last) =>
  [...Array.from({ length: 9 }, (_, index) => rule(`${prefix}-${index}`, 'POST', `/${prefix}/${index}/*`)), last].join(
    '\n',
  )
const rule = (account, method, path) =>
  `    - { from: [{ source: { principals: [cluster.local/ns/shop/sa/${account}] } }], to: [{ operation: { methods: [${method}], paths: ['${path}'] } }] }`
const policy = (name, action, last) => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ${name}, namespace: shop }
spec:
  targetRefs: [{ group: '', kind: Service, name: backend }]
  action: ${action}
  rules:
${rules(name, last)}
`
// None of the first 49 is about the client's request, so all of them are read.
const policies = [
  policy('deny-a', 'DENY', rule('client', 'DELETE', '/*')),
  policy('deny-b', 'DENY', rule('nobody', 'GET', '/*')),
  policy('allow-a', 'ALLOW', rule('client', 'POST', '/*')),
  policy('allow-b', 'ALLOW', rule('other', 'GET', '/*')),
  policy('allow-c', 'ALLOW', rule('client', 'GET', '/*')),
]
const waypoint = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: waypoint, namespace: shop }
spec:
  gatewayClassName: istio-waypoint
  listeners: [{ name: mesh, port: 15008, protocol: HBONE }]
`
const shop = 'apiVersion: v1\nkind: Namespace\nmetadata: { name: shop, labels: { istio.io/dataplane-mode: ambient } }\n'
const apps = [
  app('client', '{}'),
  app('proxy', '{}'),
  app('direct', '{}'),
  app('backend', '{ istio.io/use-waypoint: waypoint }'),
]
const manifests = [shop, waypoint, ...apps, ...policies]
  .join('---')
  .replace('selector: { app: direct }, ports', 'selector: { app: backend }, ports')
const { resources, diagnostics } = parseManifests(manifests, 'benchmark.yaml')
if (diagnostics.some(({ severity }) => severity === 'error')) throw new Error(JSON.stringify(diagnostics))
const snapshot = compile(resources)
const runDir = await mkdtemp(join(tmpdir(), 'bh-'))
const mesh = await startMesh({ runDir, snapshot })
const children = []
const podOf = (workload) => [...snapshot.pods.values()].find((pod) => pod.workload === `shop/${workload}`).key

async function start(workload, core, args) {
  const [command, ...rest] = pinned
    ? ['taskset', '-c', String(core), process.execPath, ...args]
    : [process.execPath, ...args]
  const env = { ...process.env, ...mesh.grant(podOf(workload)).env }
  const child = spawn(command, rest, { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  children.push(child)
  return child
}

for (const key of snapshot.pods.keys()) await mesh.addPod(key)
mesh.setReady(podOf('waypoint'), true)
for (const [workload, core, args] of [
  ['backend', 1, [file('../gateway/upstream.mjs'), '8080']],
  ['proxy', 0, [file('../gateway/bare-proxy.mjs'), 'http://direct:8080', '8080']],
]) {
  const child = await start(workload, core, args)
  await once(child, 'message')
  mesh.setReady(podOf(workload), true)
}
const generator = await start('client', 1, [file('../chain/load.mjs')])
process.send({ proxy: children[1].pid })

let session
process.on('message', async ({ load, profile }) => {
  if (load !== undefined) {
    generator.send(load)
    return process.send((await once(generator, 'message'))[0])
  }
  if (profile) {
    session = new Session()
    session.connect()
    await session.post('Profiler.enable')
    await session.post('Profiler.start')
    return process.send({})
  }
  const { profile: taken } = await session.post('Profiler.stop')
  process.send({ taken, handshakes: mesh.tunnels().handshakes })
})
process.on('disconnect', async () => {
  for (const child of children) child.disconnect()
  await mesh.close()
  await rm(runDir, { recursive: true, force: true })
  process.exit()
})
