import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Flow, hbonePort, judge, judgeAt, type Snapshot } from '@bulkhead/verdict'
import { combinations, passes, podOf, resources, snapshotWith } from './testing/repository.js'

/** Who goes by each waypoint and what is behind it; `strangers` have no business with it. */
const waypoints = [
  {
    name: 'shop/waypoint',
    callers: ['shop/sleep', 'shop/web-api', 'shop/recommendation'],
    gateway: 'shop/shop-gateway-istio',
    called: ['shop/web-api', 'shop/recommendation', 'shop/purchase-history-v1'],
    strangers: ['shop/notsleep', 'shop/intruder', 'demo/hello-app', 'gthulhu/gthulhu-manager'],
    notBehind: ['shop/sleep', 'sandbox/collector'],
  },
  {
    name: 'gthulhu/waypoint',
    callers: ['gthulhu-node/gthulhu-scheduler'],
    gateway: 'gthulhu/gthulhu-gw-istio',
    called: ['gthulhu/gthulhu-manager'],
    strangers: ['gthulhu/intruder', 'gthulhu-node/intruder', 'gthulhu/gthulhu-mongodb', 'shop/sleep'],
    notBehind: ['gthulhu/gthulhu-mongodb', 'gthulhu-node/gthulhu-scheduler'],
  },
] as const

const withRequests = combinations.filter((on) => on.includes('60-requests'))

const sleepAsks: Flow = {
  from: { workload: 'shop/sleep' },
  to: { service: 'shop/web-api' },
  port: 8080,
  http: { method: 'GET', path: '/', host: 'web-api:8080' },
}
const report: Flow = {
  from: { workload: 'gthulhu-node/gthulhu-scheduler' },
  to: { service: 'gthulhu/gthulhu-manager' },
  port: 8080,
  http: { method: 'PUT', path: '/api/v1/schedulers/bulkhead-worker', host: 'gthulhu-manager.gthulhu:8080' },
}

function decisive(flow: Flow, snapshot: Snapshot): readonly (string | undefined)[] {
  const { outcome, symptom, steps, decidedBy } = judge(flow, snapshot)
  const { layer, policy, code } = steps[decidedBy?.step ?? -1] ?? {}
  return [outcome, symptom, layer, policy ?? code]
}

for (const { name, callers, gateway, called, strangers, notBehind } of waypoints) {
  describe(name, () => {
    for (const on of withRequests) {
      it(`has its ways with ${on.join(' and ')} on`, () => {
        const snapshot = snapshotWith(on)
        const waypoint = podOf(name, snapshot)
        for (const caller of on.includes('70-ingress') ? [...callers, gateway] : callers)
          assert.ok(passes(podOf(caller, snapshot), waypoint, hbonePort, snapshot), caller)
        for (const pod of called) assert.ok(passes(waypoint, podOf(pod, snapshot), hbonePort, snapshot), pod)
        assert.ok(passes(waypoint, snapshot.platform.istiod, 15012, snapshot))
        assert.ok(passes(waypoint, snapshot.platform.dns, 53, snapshot, 'UDP'))
        const node = snapshot.nodes.find((one) => one.name === waypoint.node) ?? assert.fail()
        const probe = { src: node.ip, dst: waypoint.ip, port: 15021, protocol: 'TCP' } as const
        const said = judgeAt('cni-ingress', { pod: waypoint, peer: { ip: node.ip }, tuple: probe }, snapshot)
        assert.equal(said.outcome, 'allow', 'the kubelet asks whether it is ready')

        if (!on.includes('20-network')) return
        for (const stranger of strangers)
          assert.ok(!passes(podOf(stranger, snapshot), waypoint, hbonePort, snapshot), stranger)
        for (const other of notBehind) assert.ok(!passes(waypoint, podOf(other, snapshot), hbonePort, snapshot), other)
      })
    }
  })
}

describe('while a waypoint is not there', () => {
  it('60-requests is shut, whatever else is on: calls go straight, and meet the pod’s refusal', () => {
    for (const on of withRequests) {
      const starting = snapshotWith(on, { waypointsReadyOnce: new Set() })
      assert.deepEqual(
        [decisive(sleepAsks, starting), decisive(report, starting)],
        [
          ['deny', 'reset', '60-requests', 'AuthorizationPolicy/shop/web-api-only-by-waypoint'],
          ['deny', 'reset', '60-requests', 'AuthorizationPolicy/gthulhu/manager-only-by-waypoint'],
        ],
        on.join(' and '),
      )
    }
  })

  it('its Gateway, applied first, shuts nothing until it is ready, and then what 50-identity shuts until the rest is there', () => {
    const first = /^(Gateway|ConfigMap)\//
    const gatewaysOnly = resources.filter(({ layer, id }) => layer !== '60-requests' || first.test(id))
    const ready = new Set(['shop/waypoint', 'gthulhu/waypoint'])
    const notReady = new Set<string>()
    for (const on of withRequests) {
      const withGateways = (waypointsReadyOnce: ReadonlySet<string>) =>
        decisive(sleepAsks, snapshotWith(on, { waypointsReadyOnce }, gatewaysOnly))
      assert.deepEqual(withGateways(notReady), ['allow', 'ok', undefined, undefined])
      const shut = on.includes('50-identity')
      assert.deepEqual(
        withGateways(ready),
        shut ? ['deny', 'gateway-503', '50-identity', 'authz.no-rule-allows'] : ['allow', 'ok', undefined, undefined],
        on.join(' and '),
      )
    }
  })
})

describe('the Services behind a waypoint', () => {
  const behind = resources.filter(({ object }) => 'istio.io/use-waypoint' in (object.metadata.labels ?? {}))

  it('are the chain and the manager, each by its own label, and none that is headless', () => {
    assert.deepEqual(behind.map(({ id }) => id).toSorted(), [
      'Service/gthulhu/gthulhu-manager',
      'Service/shop/purchase-history',
      'Service/shop/recommendation',
      'Service/shop/web-api',
    ])
    for (const { object } of behind) {
      const { spec } = object as { readonly spec?: { readonly clusterIP?: string } }
      assert.notEqual(spec?.clusterIP, 'None')
    }
  })

  it('are those of gateways, too, where there is one in front', () => {
    const wanted = behind.filter(({ object }) => object.metadata.labels?.['istio.io/ingress-use-waypoint'] === 'true')
    assert.deepEqual(
      wanted.map(({ id }) => id),
      ['Service/gthulhu/gthulhu-manager', 'Service/shop/web-api'],
    )
  })

  it('have, each, requests that are allowed, a door for the waypoint, and none beside it', () => {
    const names = resources.filter(({ layer }) => layer === '60-requests').map(({ id }) => id)
    for (const { name, namespace } of behind) {
      const short = name === 'gthulhu-manager' ? 'manager' : name
      for (const end of ['from-waypoint', 'only-by-waypoint'])
        assert.ok(names.includes(`AuthorizationPolicy/${namespace}/${short}-${end}`), `${short}-${end}`)
    }
  })
})
