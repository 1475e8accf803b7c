import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { recordingTools } from '../testing/recording.js'
import { witnessesOf } from './pods.js'
import { gatewayPod } from './testing.js'

async function proxiesAmong(...items: readonly object[]): Promise<readonly unknown[]> {
  const none = { stdout: '{"items":[]}' }
  const tools = recordingTools([
    ['kubectl get pods -n', none],
    ['kubectl get pods -A', { stdout: JSON.stringify({ items }) }],
  ])
  const { proxies } = await witnessesOf({ tools, place: { kubeconfig: '/state/kind/kubeconfig' } })
  return proxies.map(({ name, gateway }) => [name, gateway?.name, gateway?.isWaypoint])
}

const waypoint = gatewayPod('shop', 'waypoint-7b9-lhlwp', 'waypoint')
const { metadata, spec } = waypoint
const owner = { kind: 'ReplicaSet', name: 'waypoint-7b9', controller: true }

describe('a gateway or a waypoint as a witness', () => {
  it('is what the Deployment runs that istiod has made of the Gateway', async () => {
    const front = gatewayPod('shop', 'shop-gateway-istio-5d-x', 'shop-gateway')
    // A waypoint may be named so, too; then its account tells.
    const odd = gatewayPod('shop', 'front-istio-5d-x', 'front-istio')
    assert.deepEqual(await proxiesAmong(waypoint, front, odd), [
      ['waypoint-7b9-lhlwp', 'waypoint', true],
      ['shop-gateway-istio-5d-x', 'shop-gateway', false],
      ['front-istio-5d-x', 'front-istio', true],
    ])
  })

  const others: readonly (readonly [string, object])[] = [
    ['runs under another account', { spec: { ...spec, serviceAccountName: 'web-api' } }],
    ['runs under none that is named', { spec: { ...spec, serviceAccountName: undefined } }],
    ['has nobody whose it is', { metadata: { ...metadata, ownerReferences: undefined } }],
    ["is of another Deployment's", { metadata: { ...metadata, ownerReferences: [{ ...owner, name: 'web-api-7b9' }] } }],
    [
      'is of a Deployment whose name begins like it',
      { metadata: { ...metadata, ownerReferences: [{ ...owner, name: 'waypoint-2-7b9' }] } },
    ],
    ['is of a Job', { metadata: { ...metadata, ownerReferences: [{ ...owner, kind: 'Job' }] } }],
    [
      'names an owner that does not control it',
      { metadata: { ...metadata, ownerReferences: [{ ...owner, controller: false }] } },
    ],
    ['has no proxy in it', { spec: { ...spec, containers: [{ name: 'web-api' }] } }],
    ['is of another Gateway', { metadata: { ...metadata, labels: { ...metadata.labels, ...labelled('front') } } }],
  ]
  for (const [what, changes] of others)
    it(`is none that has the label and ${what}`, async () => {
      assert.deepEqual(await proxiesAmong({ ...waypoint, ...changes }), [])
    })
})

function labelled(name: string): object {
  return { 'gateway.networking.k8s.io/gateway-name': name }
}
