import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Resource } from '@bulkhead/resources'
import { type Answers, recordingTools } from '../../testing/index.js'
import { listOf } from '../testing/bench.js'
import { podsReady } from './ready.js'

const place = { ...{ root: '/', folder: '/f', kubeconfig: '/f/kubeconfig', record: '', log: '' }, lock: '' }
const deployment = (status: object, spec: object = { replicas: 1 }, owner = 'new') => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'd', namespace: 'shop', generation: 2, ownerReferences: [{ kind: 'Gateway', uid: owner }] },
  ...{ spec, status: { observedGeneration: 2, ...status } },
})
const all = { replicas: 1, updatedReplicas: 1, readyReplicas: 1 }
const one = (object: object) => ({ stdout: JSON.stringify(object) })
const list = (...objects: readonly object[]) => ({ stdout: listOf(objects) })

function sent(apiVersion: string, kind: string, name: string): Resource {
  const object = { apiVersion, kind, metadata: { name, namespace: 'shop' } }
  return { id: `${kind}/shop/${name}`, kind, name, object, position: () => ({ file: 'a.yaml', line: 1, column: 1 }) }
}

/** How often it was looked at until it was ready. */
async function looks(resource: Resource, answers: readonly (readonly [string, Answers])[]): Promise<number> {
  const tools = recordingTools(answers)
  const ready = podsReady([resource], { tools, place, pauseMs: 1, readyMs: 60_000 })
  assert.deepEqual(await ready, [])
  const [first = ''] = answers[0] ?? []
  return tools.lines().filter((line) => line.startsWith(first)).length
}

describe('pods of what was sent', () => {
  it('a Deployment is ready when no pod of before is left, which is as ready as the new one', async () => {
    const states = [
      { ...all, observedGeneration: 1 },
      { ...all, updatedReplicas: 0 },
      { ...all, replicas: 2 },
      all,
    ].map((status) => one(deployment(status)))
    assert.equal(await looks(sent('apps/v1', 'Deployment', 'd'), [['kubectl get deployments.apps/d', states]]), 4)
  })

  const gateway = (generation: number, status = 'True') =>
    one({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      metadata: { name: 'waypoint', namespace: 'shop', uid: 'new', generation: 3 },
      spec: { gatewayClassName: 'istio-waypoint' },
      status: { conditions: [{ type: 'Programmed', status, observedGeneration: generation }] },
    })
  const waypoint = sent('gateway.networking.k8s.io/v1', 'Gateway', 'waypoint')
  const asked = 'kubectl get gateways.gateway.networking.k8s.io/waypoint'
  const pods = 'kubectl get deployments.apps -n shop -l gateway.networking.k8s.io/gateway-name=waypoint'

  it('a Gateway is ready when istiod has seen it, and made its own pods, and they are ready', async () => {
    const states = [gateway(2), gateway(3), gateway(3), gateway(3), gateway(3, 'False'), gateway(3)]
    const made = [
      list(),
      list(deployment(all, { replicas: 1 }, 'old')),
      list(deployment({ ...all, readyReplicas: 0 })),
      list(deployment(all)),
      list(deployment(all)),
    ]
    const count = await looks(waypoint, [
      [asked, states],
      [pods, made],
    ])
    assert.equal(count, 6)
  })

  it('one that is to have no pods is not waited for until it is programmed, but until they are gone', async () => {
    const none = { replicas: 0 }
    const count = await looks(waypoint, [
      [asked, gateway(3, 'False')],
      [pods, [list(deployment(all, none)), list(deployment({ ...none, updatedReplicas: 0 }, none))]],
    ])
    assert.equal(count, 2)
  })

  it('a Gateway of another class is nobody s here to make', async () => {
    const other = { ...JSON.parse(gateway(3).stdout), spec: { gatewayClassName: 'cilium' } }
    assert.equal(await looks(waypoint, [[asked, one(other)]]), 1)
  })
})
