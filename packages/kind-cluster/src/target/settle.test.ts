import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Answers, recordingTools } from '../testing/index.js'
import { enforcersOf, revisionsIn, Settle } from './settle.js'
import { listOf } from './testing/bench.js'

const endpoint = (spec: number, realized: number, state = 'ready') => ({
  status: { state, policy: { spec: { 'policy-revision': spec }, realized: { 'policy-revision': realized } } },
})
const list = (...endpoints: readonly object[]) => ({ stdout: JSON.stringify(endpoints) })
const agent = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'cilium-a', namespace: 'kube-system' } }
const network = [{ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' }]
const place = { ...{ root: '/', folder: '/f', kubeconfig: '/f/kubeconfig', record: '', log: '' }, lock: '' }

const settleWith = (endpoints: Answers, more: readonly (readonly [string, Answers])[] = [], networkMs = 60_000) => {
  const tools = recordingTools([
    ['kubectl get pods -n kube-system -l k8s-app=cilium', { stdout: listOf([agent]) }],
    ['kubectl exec -n kube-system cilium-a -c cilium-agent -- cilium-dbg endpoint list -o json', endpoints],
    ...more,
  ])
  return { tools, settle: new Settle({ tools, place, pauseMs: 1, meshMs: 1, networkMs }) }
}

describe('when a change is in force', () => {
  it('Cilium: every endpoint enforces a newer set of policies than before', async () => {
    const { settle, tools } = settleWith([
      list(endpoint(3, 3), endpoint(3, 3)),
      list(endpoint(3, 3), endpoint(3, 3)),
      list(endpoint(4, 3, 'regenerating'), endpoint(4, 4)),
      list(endpoint(4, 4), endpoint(4, 4), endpoint(0, 0, 'disconnected')),
    ])
    assert.deepEqual(await settle.after(await settle.before(network), network), [])
    assert.equal(tools.lines().filter((line) => line.includes('endpoint list')).length, 4)
  })

  it('one that does not come is told after its time, and nobody waits for ever', async () => {
    const { settle } = settleWith(list(endpoint(4, 3)), [], 40)
    const [note = ''] = await settle.after(await settle.before(network), network)
    assert.match(note, /Cilium's agents cilium-a did not say within 0\.04 s/)
  })

  it('a cluster without Cilium has no agents to wait for', async () => {
    const tools = recordingTools([['kubectl get pods', { stdout: listOf([]) }]])
    const settle = new Settle({ tools, place, pauseMs: 1, networkMs: 1000 })
    assert.deepEqual(await settle.after(await settle.before(network), network), [])
  })

  it('Kyverno: it has told the API server of its policies; none left is no mistake', async () => {
    const policy = [{ apiVersion: 'policies.kyverno.io/v1', kind: 'ValidatingPolicy' }]
    for (const [answer, notes] of [
      [{}, 0],
      [{ code: 1, stderr: 'error: no matching resources found' }, 0],
      [{ code: 1, stderr: 'timed out waiting for the condition' }, 1],
    ] as const) {
      const { settle, tools } = settleWith(list(), [['kubectl wait', answer]])
      assert.equal((await settle.after(new Map(), policy)).length, notes)
      // The same as `cluster up` waits for: of policies about Secrets Kyverno never says that they are `ready`.
      assert.match(tools.lines().join(), /\[\?\(@\.type=="WebhookConfigured"\)\]\.status\}=True/)
    }
  })

  it('who has to hear of which kind', () => {
    const of = (apiVersion: string, kind: string) => [...enforcersOf([{ apiVersion, kind }])]
    assert.deepEqual(of('cilium.io/v2', 'CiliumNetworkPolicy'), ['cilium'])
    assert.deepEqual(of('policies.kyverno.io/v1', 'ValidatingPolicy'), ['kyverno'])
    assert.deepEqual(of('security.istio.io/v1', 'AuthorizationPolicy'), ['istio'])
    assert.deepEqual(of('gateway.networking.k8s.io/v1', 'HTTPRoute'), ['istio'])
    assert.deepEqual(of('v1', 'Service'), ['istio'])
    assert.deepEqual(of('v1', 'ServiceAccount'), [])
    assert.deepEqual(of('rbac.authorization.k8s.io/v1', 'Role'), [])
  })

  it('no endpoint at all enforces everything', () => {
    assert.deepEqual(revisionsIn('[]'), { wanted: 0, realized: Number.MAX_SAFE_INTEGER })
  })
})
