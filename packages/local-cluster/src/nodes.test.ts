import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Attempt } from '@bulkhead/scenarios'
import type { Flow } from '@bulkhead/verdict'
import type { LocalCluster } from './cluster.js'
import { account, get, start, web } from './testing/live.js'

const strict = `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: strict, namespace: shop }
spec: { mtls: { mode: STRICT } }
`
/** On the node's own network: with the node's address, and out of the mesh. */
const host = `${account('host')}
apiVersion: apps/v1
kind: Deployment
metadata: { name: host, namespace: shop }
spec:
  selector: { matchLabels: { app: host } }
  template:
    metadata: { labels: { app: host } }
    spec:
      serviceAccountName: host
      hostNetwork: true
      containers: [{ name: probe, image: localhost/bulkhead/probe:0.1.0 }]
`

const flowOf = (from: Flow['from'], { to, port, http }: Attempt): Flow => ({
  from,
  to,
  port,
  http: { method: http?.method ?? 'GET', path: http?.path ?? '/' },
})

/** What was seen and recorded, beside what the engine says of the same flow. */
async function tried(cluster: LocalCluster, caller: string, from: Flow['from'], attempt: Attempt) {
  const { observation, flows } = await cluster.attempt(caller, attempt)
  const predicted = await cluster.predict(flowOf(from, attempt))
  const [flow] = flows
  assert.deepEqual(
    flow?.steps.map(({ point, outcome, code }) => [point, outcome, code]),
    predicted.steps.map(({ point, outcome, code }) => [point, outcome, code]),
  )
  assert.equal(observation.symptom, predicted.symptom)
  return { observation, flow }
}

test('what runs on a node calls with the node’s address: another node’s pods take no plaintext, its own are not asked', async (t) => {
  const { cluster } = await start(t, { 'web.yaml': web('one'), 'strict.yaml': strict })
  const [pod] = cluster.status().workloads.find(({ workload }) => workload === 'shop/web')?.pods ?? []
  const { nodes } = cluster.status()
  const own = nodes.find(({ name }) => name === pod?.node)
  const other = nodes.find(({ name }) => name !== pod?.node)
  assert.ok(own !== undefined && other !== undefined && pod !== undefined)

  const from = async ({ name }: { name: string }, attempt = get) =>
    tried(cluster, `node ${name}`, { node: name }, attempt)
  const denied = await from(other)
  assert.equal(denied.observation.symptom, 'reset')
  assert.deepEqual([denied.flow?.source.ip, denied.flow?.source.identity], [other.ip, undefined])
  // As the kubelet's probes, from which istio-cni cannot tell it apart.
  const passed = await from(own)
  assert.equal(passed.observation.http?.status, 200)
  assert.equal(passed.flow?.source.ip, '169.254.7.127')
  const byAddress = await from(other, { ...get, to: { workload: 'shop/web' } })
  assert.equal(byAddress.flow?.destination.ip, pod.ip)
  // A probe of the one node is not the other's, nor the outside's.
  assert.equal((await from(own)).observation.http?.status, 200)
  // The control plane's node is one too.
  assert.equal((await from({ name: 'bulkhead-control-plane' })).flow?.source.ip, '172.18.0.2')
  await assert.rejects(cluster.attempt('node nowhere', get), {
    code: 'bad-attempt',
    message: /there is no node "nowhere"; there are bulkhead-worker, bulkhead-worker2, bulkhead-control-plane/,
  })
})

test('a pod on its node’s network has its address and no place in the mesh', async (t) => {
  const { cluster } = await start(t, { 'web.yaml': web('one'), 'host.yaml': host })
  const [pod] = cluster.status().workloads.find(({ workload }) => workload === 'shop/host')?.pods ?? []
  assert.equal(pod?.mesh, false)
  assert.equal(pod?.ip, cluster.status().nodes.find(({ name }) => name === pod?.node)?.ip)
  const open = await tried(cluster, 'shop/host', { workload: 'shop/host' }, get)
  assert.equal(open.observation.http?.status, 200)
  assert.deepEqual(
    [open.flow?.source.ip, open.flow?.source.identity, open.flow?.transport],
    [pod?.ip, undefined, 'plaintext'],
  )
  await cluster.apply('strict', { objects: strict })
  const { observation } = await tried(cluster, 'shop/host', { workload: 'shop/host' }, get)
  assert.equal(observation.symptom, 'reset')
})
