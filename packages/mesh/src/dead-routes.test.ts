import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseManifests, type Resource } from '@bulkhead/resources'
import {
  compile,
  type Flow,
  type FlowRecord,
  judge,
  judgeAt,
  nextHop,
  type Pod,
  type Snapshot,
  type Verdict,
} from '@bulkhead/verdict'
import { recordOf, startRig } from './testing/harness.js'

/*
 * Calls that lead to no pod, of a caller in the mesh and one that is not, with the way out closed and open: what is
 * recorded is what the real engine predicts. To a Service without an endpoint, or without that port, no packet leaves, so no
 * wall is asked; to an address that nobody has one does.
 */

const workload = (name: string, labels: object = {}): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'shop' },
  spec: {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name, ...labels } },
      spec: { serviceAccountName: name, containers: [{ name: 'main', image: 'x', ports: [{ containerPort: 8080 }] }] },
    },
  },
})
const service = (name: string, spec: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'shop' },
  spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }], ...spec },
})
const base = [
  {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'shop', labels: { 'istio.io/dataplane-mode': 'ambient' } },
  },
  workload('sleep'),
  workload('outsider', { 'istio.io/dataplane-mode': 'none' }),
  workload('web'),
  service('web'),
  service('nobody'),
  service('nobody-headless', { clusterIP: 'None' }),
  service('nobody-at-nodes', { type: 'NodePort', ports: [{ port: 80, nodePort: 30123 }] }),
]
const closed = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'closed', namespace: 'shop' },
  spec: { podSelector: {}, policyTypes: ['Egress'] },
}

function read(...objects: readonly object[]): readonly Resource[] {
  const { resources, diagnostics } = parseManifests(objects.map((one) => JSON.stringify(one)).join('\n---\n'), 'x.yaml')
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === 'error'),
    [],
  )
  return resources
}

/** Up to what decided: the engine says what all that comes after would say, too, and nobody has asked it. */
function words({ outcome, symptom, steps }: Pick<FlowRecord | Verdict, 'outcome' | 'symptom' | 'steps'>): object {
  const decided = steps.findIndex((step) => step.outcome !== 'allow')
  return { outcome, symptom, steps: steps.slice(0, decided + 1) }
}

const nodeIp = compile(read(...base)).nodes[0]?.ip ?? ''
type Case = readonly [host: string, port: number, to: Flow['to']]
const cases: readonly Case[] = [
  ['nobody', 80, { service: 'shop/nobody' }],
  ['web', 81, { service: 'shop/web' }],
  ['kubernetes.default', 444, { service: 'default/kubernetes' }],
  ['nobody-headless', 80, { host: 'nobody-headless' }],
  ['10.244.9.9', 80, { ip: '10.244.9.9' }],
  [nodeIp, 30123, { ip: nodeIp }],
]

type Rig = Awaited<ReturnType<typeof startRig>>

/** What was recorded of one call, and of one datagram, is what is predicted. Tells how the call ended. */
async function agree({ mesh, capture }: Rig, snapshot: Snapshot, pod: Pod, [host, port, to]: Case): Promise<string> {
  const run = `${pod.workload} to ${host}:${port}`
  const predicted = (more: Partial<Flow>) =>
    words(judge({ from: { workload: pod.workload }, to, port, ...more }, snapshot))
  const socket = await capture.connect(pod.key, host, port, run).catch(() => undefined)
  const record = await recordOf(mesh, run)
  socket?.destroy()
  assert.deepEqual(words(record), predicted({}), run)
  // A node's port is a TCP one here.
  if (host !== nodeIp) {
    const datagram = `${run}/UDP`
    await capture.dialer.datagram(pod.key, datagram, { host, port }, 4000 + port, Buffer.from('x'))
    assert.deepEqual(words(await recordOf(mesh, datagram)), predicted({ protocol: 'UDP' }), datagram)
  }
  return `${record.symptom} ${record.steps.find(({ outcome }) => outcome === 'deny')?.code}`
}

async function agreeAll(t: Parameters<typeof startRig>[0], snapshot: Snapshot): Promise<readonly string[]> {
  const rig = await startRig(t, { snapshot, connectTimeoutMs: 50 }, { judgeAt, nextHop })
  const callers = [...snapshot.pods.values()].filter(({ workload: name }) => name !== 'shop/web')
  return Promise.all(callers.flatMap((pod) => cases.map((one) => agree(rig, snapshot, pod, one))))
}

describe('calls that lead to no pod are recorded as the engine predicts them', () => {
  it('with the way out closed: only where a packet would leave it is a wall that stops it', async (t) => {
    assert.deepEqual(await agreeAll(t, compile(read(...base, closed))), [
      ...['reset network.no-endpoint', 'reset network.nothing-listens', 'reset network.nothing-listens'],
      ...['dns-not-found network.no-such-name', 'late-reset cni.default-deny', 'late-reset cni.default-deny'],
      ...['refused network.no-endpoint', 'refused network.nothing-listens', 'refused network.nothing-listens'],
      ...['dns-not-found network.no-such-name', 'timeout cni.default-deny', 'timeout cni.default-deny'],
    ])
  })

  it('with the way out open', async (t) => {
    const seen = await agreeAll(t, compile(read(...base)))
    assert.deepEqual(seen.slice(4, 6), ['late-reset network.unreachable', 'reset network.no-endpoint'])
    assert.deepEqual(seen.slice(10), ['timeout network.unreachable', 'refused network.no-endpoint'])
  })
})
