import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Sighting } from '@bulkhead/scenarios'
import { type Answers, type Matcher, recordingTools } from '../testing/recording.js'
import { type FollowOptions, followSightings } from './follow.js'
import { gatewayPod } from './testing.js'

const place = { kubeconfig: '/state/kind/kubeconfig' }
const pod = (namespace: string, name: string) => ({
  metadata: { namespace, name },
  spec: { nodeName: 'bulkhead-worker' },
  status: { phase: 'Running', podIPs: [] },
})
const list = (...items: readonly object[]): { readonly stdout: string } => ({ stdout: JSON.stringify({ items }) })
const pods: readonly (readonly [Matcher, Answers])[] = [
  ['kubectl get pods -n istio-system', list(pod('istio-system', 'ztunnel-a'))],
  ['kubectl get pods -n kube-system', list(pod('kube-system', 'cilium-a'))],
  ['kubectl get pods -A', list(gatewayPod('shop', 'shop-gateway-istio-5d-x', 'shop-gateway'))],
]
const served = (second: number): string =>
  `2026-11-21T10:00:0${second}.000000Z\tinfo\taccess\tconnection complete\tsrc.addr=10.244.1.6:4000 dst.addr=10.244.2.9:8080 direction="inbound"`
const request =
  '[2026-11-21T10:00:02.000Z] "GET / HTTP/1.1" 403 - rbac_access_denied_matched_policy[none] - "-" 0 19 0 - "-" "curl" "id" "shop.example" "-" outbound|8080||web-api.shop.svc.cluster.local - 10.244.2.50:80 172.18.0.1:4000 - -'

async function taken(
  tools: ReturnType<typeof recordingTools>,
  options: FollowOptions,
  until: (seen: readonly Sighting[]) => boolean = () => false,
): Promise<readonly Sighting[]> {
  const stop = new AbortController()
  const seen: Sighting[] = []
  for await (const sighting of followSightings({ tools, place }, stop.signal, options)) {
    seen.push(sighting)
    if (until(seen)) stop.abort(new Error('enough'))
  }
  return seen
}

describe('what all enforcing points say', () => {
  it('is one stream, until it is enough, and none of its commands stays', async () => {
    const lines = { stdout: `${served(1)}\nnoise\n${served(3)}\n`, hangs: true }
    const tools = recordingTools([
      ...pods,
      ['kubectl logs -n istio-system', lines],
      ['kubectl logs -n shop', { stdout: `${request}\n`, hangs: true }],
      ['kubectl exec -n kube-system', { hangs: true }],
    ])
    const lost: string[] = []
    const seen = await taken(tools, { onLost: (what) => lost.push(what) }, ({ length }) => length === 3)
    assert.deepEqual(seen.map(({ by }) => by).sort(), ['gateway', 'ztunnel', 'ztunnel'])
    assert.deepEqual(tools.lines().slice(3).sort(), [
      'kubectl exec -n kube-system cilium-a -c cilium-agent -- hubble observe flows -o jsonpb --type drop --type policy-verdict --type l7 --since 1s --follow',
      'kubectl logs -n istio-system ztunnel-a --since=1s --follow',
      'kubectl logs -n shop shop-gateway-istio-5d-x -c istio-proxy --since=1s --follow',
    ])
    assert.deepEqual(tools.astray(place.kubeconfig), [])
    await new Promise(setImmediate)
    assert.deepEqual(lost, [], 'what is ended on purpose is not lost')
  })

  it('goes on when one of them ends, and says which; with none left it is over', async () => {
    const tools = recordingTools([
      ...pods,
      ['kubectl logs -n istio-system', { stdout: `${served(1)}\n` }],
      ['kubectl logs -n shop', { code: 1, stderr: 'pod is gone' }],
      ['kubectl exec -n kube-system', { fails: 'missing' }],
    ])
    const lost: string[] = []
    const seen = await taken(tools, { onLost: (what) => lost.push(what) })
    assert.equal(seen.length, 1)
    assert.deepEqual(lost.sort(), [
      'Hubble on bulkhead-worker could not be read: kubectl: missing',
      'the log of shop/shop-gateway-istio-5d-x ended: pod is gone',
      'the log of ztunnel on bulkhead-worker ended: 0',
    ])
  })

  it('as far as now ends by itself', async () => {
    const tools = recordingTools([...pods, ['kubectl logs', { stdout: `${served(1)}\n` }], ['kubectl exec', {}]])
    const lost: string[] = []
    const options: FollowOptions = { untilNow: true, sinceSeconds: 300, onLost: (what) => lost.push(what) }
    assert.equal((await taken(tools, options)).length, 1)
    assert.deepEqual(lost, [])
    assert.ok(tools.lines().includes('kubectl logs -n istio-system ztunnel-a --since=300s'))
  })

  it('without anybody to ask is told', async () => {
    const tools = recordingTools([['kubectl get', list()]])
    await assert.rejects(taken(tools, {}), /no ztunnel, no Cilium and no gateway/)
  })
})
