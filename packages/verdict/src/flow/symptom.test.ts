import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ReasonCode } from '../reasons.js'
import type { Point } from '../types.js'
import { symptomOf } from './symptom.js'

/* The rows of semantics D.1 that can come up: what a direct client sees, and what a captured one sees. */
const rows: readonly (readonly [Point, ReasonCode, string, string])[] = [
  ['cni-egress', 'not-modelled', 'timeout', 'late-reset'],
  ['cni-ingress', 'not-modelled', 'timeout', 'late-reset'],
  ['cni-egress', 'cni.default-deny', 'timeout', 'late-reset'],
  ['cni-ingress', 'cni.rule-denies', 'timeout', 'late-reset'],
  ['cni-ingress', 'cni.auth-required', 'timeout', 'late-reset'],
  ['cni-egress', 'cni.sni-denied', 'reset', 'reset'],
  ['cni-egress', 'cni.dns-denied', 'dns-refused', 'dns-refused'],
  ['cni-ingress', 'network.nothing-listens', 'refused', 'reset'],
  ['cni-egress', 'network.no-endpoint', 'refused', 'reset'],
  ['cni-egress', 'network.unreachable', 'timeout', 'late-reset'],
  ['cni-egress', 'network.no-such-name', 'dns-not-found', 'dns-not-found'],
  ['ztunnel', 'mtls.strict-no-identity', 'reset', 'reset'],
  ['ztunnel', 'authz.no-rule-allows', 'reset', 'reset'],
  ['ztunnel', 'hbone.no-certificate', 'tls-refused', 'tls-refused'],
  ['ztunnel', 'hbone.wrong-target', 'reset', 'reset'],
  ['waypoint', 'not-modelled', 'reset', 'reset'],
  ['gateway', 'authz.no-rule-allows', 'rbac-403', 'rbac-403'],
  ['gateway', 'authz.rule-denies', 'rbac-403', 'rbac-403'],
  ['gateway', 'route.no-host', 'gateway-404', 'gateway-404'],
  ['gateway', 'route.no-match', 'gateway-404', 'gateway-404'],
  ['gateway', 'route.no-backend', 'gateway-500', 'gateway-500'],
]

test('what the client sees of each cause', () => {
  for (const [point, code, direct, captured] of rows) {
    const outcome = code === 'not-modelled' ? 'unknown' : 'deny'
    assert.equal(symptomOf({ point, code, outcome }, false), direct, `${point} ${code}`)
    assert.equal(symptomOf({ point, code, outcome }, true), captured, `${point} ${code}, captured`)
  }
  assert.equal(symptomOf({ point: 'ztunnel', code: 'authz.rule-allows', outcome: 'allow' }, true), 'ok')
})

test('a question that is dropped is never answered; a request that Cilium reads is answered, also behind a gateway', () => {
  const dropped = { point: 'cni-egress', code: 'cni.default-deny', outcome: 'deny' } as const
  assert.equal(symptomOf({ ...dropped, facts: { query: 'a.example' } }, true), 'dns-timeout')
  const read = { point: 'cni-ingress', code: 'cni.http-denied', outcome: 'deny' } as const
  for (const hop of [0, 1]) assert.equal(symptomOf({ ...read, hop, facts: { request: 'GET /' } }, false), 'cilium-403')
  assert.equal(symptomOf({ ...read, facts: { request: 'bytes that are no request' } }, false), 'reset')
})

test('behind a gateway every cause is one symptom to its client (D.1, last column)', () => {
  for (const [point, code] of rows.filter(([where]) => where !== 'gateway')) {
    const outcome = code === 'not-modelled' ? 'unknown' : 'deny'
    assert.equal(symptomOf({ hop: 1, point, code, outcome }, false), 'gateway-503', `${point} ${code}`)
  }
})

test('what is not known at a gateway is answered as it fails closed: the filter 403, the router 500', () => {
  const step = { point: 'gateway', code: 'not-modelled', outcome: 'unknown' } as const
  assert.equal(symptomOf({ ...step, engine: 'istio' }, false), 'rbac-403')
  assert.equal(symptomOf({ ...step, engine: 'gateway-api' }, false), 'gateway-500')
  assert.equal(symptomOf({ ...step, code: 'route.redirects', outcome: 'allow' }, false), 'redirected')
})

test('a waypoint that reads requests answers whom it refuses, also behind a gateway; one that reads none closes (D.1)', () => {
  for (const code of ['authz.no-rule-allows', 'authz.rule-denies', 'not-modelled'] as const) {
    const outcome = code === 'not-modelled' ? 'unknown' : 'deny'
    const step = { point: 'waypoint', code, outcome } as const
    for (const hop of [0, 1]) {
      assert.equal(symptomOf({ ...step, hop, facts: { request: 'GET /' } }, hop === 0), 'rbac-403', code)
    }
    assert.equal(symptomOf(step, true), 'reset', code)
    assert.equal(symptomOf({ ...step, hop: 1 }, false), 'gateway-503', code)
  }
  const refused = { code: 'request.refused', outcome: 'deny', facts: { request: 'GET x' } } as const
  assert.equal(symptomOf({ ...refused, point: 'waypoint' }, true), 'gateway-400')
  assert.equal(symptomOf({ ...refused, point: 'gateway' }, false), 'gateway-400')
})

test('behind a waypoint that reads no requests a client only sees its connection end', () => {
  const rows = [
    ['cni-egress', 'cni.default-deny', 'late-reset'],
    ['cni-ingress', 'not-modelled', 'late-reset'],
    ['cni-ingress', 'cni.http-denied', 'reset'],
    ['cni-egress', 'cni.sni-denied', 'reset'],
    ['cni-ingress', 'network.nothing-listens', 'reset'],
    ['cni-egress', 'network.no-endpoint', 'reset'],
    ['ztunnel', 'authz.no-rule-allows', 'reset'],
  ] as const
  for (const [point, code, symptom] of rows) {
    const step = { hop: 1, point, code, outcome: code === 'not-modelled' ? 'unknown' : 'deny' } as const
    assert.equal(symptomOf(step, true, 'tcp'), symptom, code)
    assert.equal(symptomOf(step, true, 'http'), 'gateway-503', code)
  }
})
