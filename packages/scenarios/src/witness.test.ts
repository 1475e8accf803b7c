import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Step, Verdict } from '@bulkhead/verdict'
import * as sample from './testing/samples.js'
import type { Sighting } from './types.js'
import { witnessed } from './witness.js'

const sighting = (changes: Partial<Sighting> = {}): Sighting => ({
  by: 'ztunnel',
  at: '2026-01-01T00:00:00.000Z',
  outcome: 'deny',
  source: {},
  destination: {},
  code: 'authz.no-rule-allows',
  line: 'a line',
  ...changes,
})
const verdict = (...steps: readonly Step[]): Verdict => ({ ...sample.denied, steps })
const { denial, denied } = sample

const strict: Step = {
  hop: 0,
  point: 'ztunnel',
  engine: 'istio',
  layer: '40-mtls',
  outcome: 'deny',
  code: 'mtls.strict-no-identity',
  policy: 'PeerAuthentication/istio-system/default',
  at: 'k8s/layers/40-mtls/default.yaml:7',
}
const byWaypointOnly: Step = {
  ...strict,
  layer: '60-requests',
  code: 'authz.rule-denies',
  policy: 'AuthorizationPolicy/shop/web-api-by-waypoint-only',
  at: 'k8s/layers/60-requests/shop/w.yaml:12',
}
const dropped: Step = {
  hop: 0,
  point: 'cni-egress',
  engine: 'kubernetes',
  outcome: 'deny',
  code: 'cni.default-deny',
  isolatedBy: [
    { policy: 'NetworkPolicy/shop/default-deny', layer: '20-network', at: 'k8s/layers/20-network/d.yaml:3' },
  ],
}

describe('what a cluster says of a stop', () => {
  it('is nothing when nobody says it', () => {
    assert.deepEqual(witnessed([], denied), { seen: false, differences: [] })
    assert.deepEqual(witnessed([sighting({ outcome: 'allow' }), sighting({ outcome: 'unknown' })], denied).seen, false)
  })

  it('is believed without a reason, where it gives none', () => {
    const { code: _, ...bare } = sighting()
    assert.deepEqual(witnessed([bare], denied), { seen: true, differences: [] })
  })

  it('is the first that gives a reason', () => {
    const { code: _, ...bare } = sighting()
    const { reason } = witnessed([bare, sighting(), sighting({ code: 'authz.rule-denies' })], denied)
    assert.equal(reason?.code, 'authz.no-rule-allows')
  })

  it('is told twice of a packet that a rule denies, and once by which policy', () => {
    const drop = sighting({ by: 'hubble', code: 'cni.rule-denies' })
    const { reason } = witnessed([drop, { ...drop, policy: 'CiliumNetworkPolicy/shop/no-metadata' }], undefined)
    assert.deepEqual(reason?.policies, [{ policy: 'CiliumNetworkPolicy/shop/no-metadata' }])
  })

  it('as a default deny names no policy, and has the layer that all which isolate are of', () => {
    assert.deepEqual(witnessed([sighting()], denied), {
      seen: true,
      reason: { code: 'authz.no-rule-allows', layer: '50-identity', policies: [] },
      differences: [],
      agrees: true,
    })
    assert.equal(denial.code, 'authz.no-rule-allows')
  })

  it('with a policy has its line from the prediction', () => {
    const said = sighting({ code: 'authz.rule-denies', policy: byWaypointOnly.policy ?? '' })
    assert.deepEqual(witnessed([said], verdict(byWaypointOnly)).reason, {
      code: 'authz.rule-denies',
      layer: '60-requests',
      policies: [{ policy: byWaypointOnly.policy, at: byWaypointOnly.at }],
    })
  })

  it('may be another policy of the same point: a proxy names the first that it comes to', () => {
    const said = sighting({ code: 'authz.rule-denies', policy: byWaypointOnly.policy ?? '' })
    const { differences, reason } = witnessed([said], verdict(strict, byWaypointOnly))
    assert.deepEqual([differences, reason?.layer], [[], '60-requests'])
  })

  it('may be either of the two points of the network', () => {
    const said = sighting({ by: 'hubble', code: 'cni.default-deny' })
    const { differences } = witnessed([said], verdict(dropped, { ...dropped, point: 'cni-ingress' }))
    assert.deepEqual(differences, [])
    assert.deepEqual(witnessed([said], verdict({ ...dropped, point: 'cni-ingress' })).differences, [])
  })

  it('contradicts when nothing like it is predicted', () => {
    const said = sighting({ code: 'authz.rule-denies', policy: 'AuthorizationPolicy/shop/somebody-elses' })
    assert.deepEqual(witnessed([said], denied).differences, [
      'predicted authz.no-rule-allows (AuthorizationPolicy/shop/allow-nothing, AuthorizationPolicy/shop/web-api-rbac) at ztunnel, ztunnel says authz.rule-denies (AuthorizationPolicy/shop/somebody-elses)',
    ])
    const code = sighting({ code: 'mtls.strict-no-identity' })
    assert.equal(witnessed([code], denied).differences.length, 1)
    const point = sighting({ by: 'waypoint' })
    assert.equal(witnessed([point], denied).differences.length, 1, 'the same words at another point are another wall')
    const policy = sighting({ policy: 'AuthorizationPolicy/shop/web-api-rbac' })
    assert.deepEqual(witnessed([policy], denied).differences, [], 'one that isolates')
  })

  it('contradicts when it came further than is predicted', () => {
    const { differences, reason } = witnessed([sighting()], verdict(dropped, denial))
    assert.equal(reason?.code, 'authz.no-rule-allows')
    assert.deepEqual(differences, [
      'predicted cni-egress to stop it (cni.default-deny (NetworkPolicy/shop/default-deny)), and it came as far as ztunnel: authz.no-rule-allows',
    ])
  })

  it('is taken as it is, where there is no prediction to hold it against', () => {
    const said = sighting({ policy: 'AuthorizationPolicy/a/b' })
    for (const none of [undefined, sample.allowed]) {
      const { reason, differences } = witnessed([said], none)
      assert.deepEqual([reason?.policies, differences], [[{ policy: 'AuthorizationPolicy/a/b' }], []])
    }
  })
})
