import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { clusterStatus } from './cluster-status.js'
import { ownCluster, temporaryPlace, uid } from './plan/testing.js'
import { writeRecord } from './record.js'
import { type Answers, inspected, type Matcher, noOutside, outsideUp, recordingTools } from './testing/index.js'

const node = (name: string, ready = 'True') => ({
  metadata: { name },
  status: { conditions: [{ type: 'Ready', status: ready }], nodeInfo: { kubeletVersion: 'v1.35.8' } },
})
const deployment = (name: string, ready?: number) => ({
  ...{ kind: 'Deployment', metadata: { name, namespace: 'shop' }, spec: { replicas: 1 } },
  status: ready === undefined ? {} : { readyReplicas: ready },
})
const agents = (numberReady: number) => ({
  ...{ kind: 'DaemonSet', metadata: { name: 'scheduler', namespace: 'node' } },
  status: { numberReady, desiredNumberScheduled: 3 },
})
const list = (...items: readonly object[]): Answers => ({ stdout: JSON.stringify({ items }) })
const releases = (status: string): Answers => ({
  stdout: JSON.stringify([{ name: 'cilium', status, chart: 'cilium-1.20.1' }]),
})

const well: readonly (readonly [Matcher, Answers])[] = [
  ['kubectl get nodes', list(node('a'), node('b'))],
  ['helm list', releases('deployed')],
  ['kubectl get -k k8s/layers/20-network', { stdout: 'networkpolicy/a\nnetworkpolicy/b\n' }],
  ['kubectl get -k k8s/layers/70-ingress', { stdout: 'gateway/a\n' }],
  ['kubectl get -k', { code: 1, stderr: 'error: no matches for kind "Gateway"' }],
  ['kubectl get deployments,statefulsets,daemonsets', list(deployment('web-api', 1), agents(3))],
]

async function statusOf(t: TestContext, table: readonly (readonly [Matcher, Answers])[] = []) {
  const place = temporaryPlace(t)
  writeRecord(place, { uid, begun: 'then', networkWasThere: true, steps: {}, untold: [] })
  writeFileSync(place.kubeconfig, '')
  const tools = recordingTools([...table, ...well, ...outsideUp, ...ownCluster(place, { there: true })])
  const layerSizes = new Map([['20-network', 3]])
  const status = await clusterStatus(tools, { place, layerSizes, workloads: ['shop/web-api', 'node/scheduler'] })
  assert.deepEqual(tools.astray(place.kubeconfig), [])
  return status
}

test('ready is when every node, every component and every workload is', async (t) => {
  const status = await statusOf(t)
  assert.equal(status.ready, true)
  assert.deepEqual(
    status.workloads.map(({ name, ready, wanted }) => `${name} ${ready}/${wanted}`),
    ['shop/web-api 1/1', 'node/scheduler 3/3'],
  )
  assert.deepEqual(status.layers.slice(0, 2), [
    { name: '10-admission', there: 0, of: 0 },
    { name: '20-network', there: 2, of: 3 },
  ])
  assert.deepEqual(status.doors[0], { gateway: 'shop/shop-gateway', url: 'http://127.0.0.1:30080/' })
})

const kinds = 'kubectl get deployments,statefulsets,daemonsets'
for (const [what, entry] of [
  ['a node', ['kubectl get nodes', list(node('a'), node('b', 'Unknown'))]],
  ['no node', ['kubectl get nodes', list()]],
  ['a component', ['helm list', releases('failed')]],
  ['no component', ['helm list', { stdout: '[]' }]],
  ['a workload', [kinds, list(deployment('web-api'), agents(3))]],
  ['a workload that is not there', [kinds, list(agents(3))]],
  ['the host outside', noOutside],
  ['the host outside, of somebody else', ['docker container inspect', { stdout: inspected({ label: '' }) }]],
  ['one of a DaemonSet', [kinds, list(deployment('web-api', 1), agents(2))]],
] as const satisfies readonly (readonly [string, readonly [Matcher, Answers]])[])
  test(`not ready: ${what}`, async (t) => {
    assert.equal((await statusOf(t, [entry])).ready, false)
  })

test('whatever a tool answers with is no crash, and nothing of it is ready', async (t) => {
  for (const stdout of ['', 'null', '5', '[]', '[null,5,{}]', '{"items":5}', '{"items":[null,5,{}]}', 'garbage']) {
    const always = [/^(kubectl get (nodes|-k|deployments)|helm list)/, { stdout }] as const
    const { ready, components } = await statusOf(t, [always])
    assert.deepEqual([ready, components], [false, []], stdout)
  }
})

test('without 70-ingress there are no doors, and a cluster that cannot be asked is told', async (t) => {
  const status = await statusOf(t, [['kubectl get -k k8s/layers/70-ingress', { stdout: '' }]])
  assert.deepEqual(status.doors, [])
  await assert.rejects(
    statusOf(t, [['helm list', { code: 1, stderr: 'timed out' }]]),
    /cannot be asked \(helm list .*timed out/,
  )
})
