import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuthorizationPolicy, Resource } from '@bulkhead/resources'
import { judgeAt } from '../points/judge-at.js'
import { authorizationPolicy } from '../testing/objects.js'
import { dst, onDst, outside, plain, short, snapshotWith, src, srcPrincipal, verdict } from '../testing/scene.js'
import type { FlowSource } from '../types.js'

/*
 * Golden vectors 83 to 104, 121 and 122. Upstream: istio/istio tests/integration/ambient and
 * pilot/pkg/serviceregistry/ambient/authorization_test.go; istio/ztunnel src/rbac.rs and src/state.rs.
 */

type Spec = NonNullable<AuthorizationPolicy['spec']>
const otherNs: FlowSource = { workload: 'other/src' }
const allowed = 'allow'
const byDefault = { outcome: 'deny', symptom: 'reset', code: 'authz.no-rule-allows' }
const explicitly = { outcome: 'deny', symptom: 'reset', code: 'authz.rule-denies' }

function policy(spec: Spec, name = 'p'): Resource {
  return authorizationPolicy(`app/${name}`, { selector: onDst, ...spec })
}
const from = (source: object): NonNullable<Spec['rules']>[number] => ({ from: [{ source }] })

test('83 TestAuthorizationL4/allow: the caller is listed (without a waypoint)', () => {
  const policies = [policy({ rules: [from({ principals: [srcPrincipal, 'cluster.local/ns/app/sa/waypoint'] })] })]
  assert.equal(verdict(policies, src).outcome, allowed)
  assert.deepEqual(short(verdict(policies, { workload: 'app/src2' })), byDefault)
})

test('84 TestAuthorizationL4/not allow: somebody else is listed', () => {
  assert.deepEqual(short(verdict([policy({ rules: [from({ principals: ['something/else'] })] })], src)), byDefault)
})

test('85 TestAuthorizationL4 override: nothing is enforced at a destination that is not captured', () => {
  const policies = [
    authorizationPolicy('app/p', {
      selector: { matchLabels: { app: 'uncaptured' } },
      rules: [from({ principals: ['something/else'] })],
    }),
  ]
  const of = verdict(policies, src, { workload: 'app/uncaptured' })
  assert.equal(of.outcome, allowed)
  assert.equal(of.hops[0]?.tuple.port, 8080, 'plain text, to the app port')
  assert.deepEqual(
    of.steps.filter((step) => step.point === 'ztunnel').map((step) => [step.outcome, step.code]),
    [['not-applicable', 'not-in-mesh']],
  )
})

test('86 TestAuthorizationL4 override: a caller outside the mesh cannot be the one that is listed', () => {
  const policies = [policy({ rules: [from({ principals: ['cluster.local/ns/plain/sa/src'] })] })]
  assert.deepEqual(short(verdict(policies, plain)), byDefault)
})

test('87 rbac_empty_policy: spec {} denies all', () => {
  for (const spec of [{}, undefined]) {
    const policies = [authorizationPolicy('app/nothing', spec)]
    assert.deepEqual(short(verdict(policies, src)), byDefault)
    assert.deepEqual(short(verdict(policies, plain)), byDefault)
  }
})

test('88 a rule without clauses allows all', () => {
  for (const who of [src, plain, outside]) assert.equal(verdict([policy({ rules: [{}] })], who).outcome, allowed)
})

test('89 a DENY rule without clauses denies all', () => {
  assert.deepEqual(short(verdict([policy({ action: 'DENY', rules: [{}] })], src)), explicitly)
})

test('90 DENY without rules, if it is forced in, denies nothing', () => {
  for (const rules of [{ rules: [] }, {}]) {
    assert.equal(verdict([policy({ action: 'DENY', ...rules })], src).outcome, allowed)
  }
})

test('91 rbac_nesting: namespace AND port', () => {
  const policies = [
    policy({ rules: [{ from: [{ source: { namespaces: ['app'] } }], to: [{ operation: { ports: ['8080'] } }] }] }),
  ]
  assert.deepEqual(short(verdict(policies, src, dst, 8081)), byDefault)
  assert.equal(verdict(policies, src, dst, 8080).outcome, allowed)
})

test('92 rbac_multi_rule: one rule OR the other', () => {
  const policies = [policy({ rules: [from({ namespaces: ['app'] }), from({ namespaces: ['other'] })] })]
  assert.equal(verdict(policies, otherNs).outcome, allowed)
  assert.deepEqual(short(verdict(policies, plain)), byDefault)
})

test('93 rbac not_namespaces, plaintext row: without an identity a not-form matches, and lets it in', () => {
  assert.equal(verdict([policy({ rules: [from({ notNamespaces: ['bad'] })] })], plain).outcome, allowed)
})

test('94 rbac not_principals: and in a DENY it keeps it out', () => {
  const policies = [policy({ action: 'DENY', rules: [from({ notPrincipals: [srcPrincipal] })] })]
  assert.deepEqual(short(verdict(policies, plain)), explicitly)
  assert.equal(verdict(policies, src).outcome, allowed)
})

test('95 rbac namespaces, plaintext row: a caller without an identity is in no namespace', () => {
  const policies = [policy({ rules: [from({ namespaces: ['plain', 'app'] })] })]
  assert.deepEqual(short(verdict(policies, plain)), byDefault)
  assert.equal(verdict(policies, src).outcome, allowed)
})

test('96 assert_rbac_logic_deny_allow: DENY comes before ALLOW', () => {
  const rule = from({ principals: [srcPrincipal] })
  const policies = [policy({ rules: [rule] }, 'a'), policy({ action: 'DENY', rules: [rule] }, 'z')]
  assert.deepEqual(short(verdict(policies, src)), explicitly)
})

test('97 unsupported HTTP methods: an ALLOW rule with HTTP in it is left out', () => {
  const policies = [policy({ rules: [{ to: [{ operation: { methods: ['GET'] } }] }] })]
  assert.deepEqual(short(verdict(policies, src)), byDefault)
})

test('98 DENY policy with only L7 attributes has no effect', () => {
  const policies = [policy({ action: 'DENY', rules: [{ to: [{ operation: { methods: ['DELETE'] } }] }] })]
  assert.equal(verdict(policies, src).outcome, allowed)
})

test('99 DENY with mixed L4 and L7: all of the port is denied', () => {
  const operation = { ports: ['8080'], methods: ['DELETE'] }
  const policies = [policy({ action: 'DENY', rules: [{ to: [{ operation }] }] })]
  assert.deepEqual(short(verdict(policies, src)), explicitly)
  assert.equal(verdict(policies, src, dst, 8081).outcome, allowed)
})

test('100 DENY with L4 From and L7-only To is a no-op', () => {
  const rule = { ...from({ principals: [srcPrincipal] }), to: [{ operation: { methods: ['DELETE'] } }] }
  assert.equal(verdict([policy({ action: 'DENY', rules: [rule] })], src).outcome, allowed)
})

test('101 DENY with L4 From and L7 When is a no-op', () => {
  const rule = { ...from({ principals: [srcPrincipal] }), when: [{ key: 'request.headers[x]', values: ['y'] }] }
  assert.equal(verdict([policy({ action: 'DENY', rules: [rule] })], src).outcome, allowed)
})

test('102 DENY: a separate L4 rule is still enforced', () => {
  const rules = [{ to: [{ operation: { methods: ['DELETE'] } }] }, { to: [{ operation: { ports: ['9090'] } }] }]
  const of = verdict([policy({ action: 'DENY', rules })], src, dst, 9090)
  assert.deepEqual(short(of), explicitly)
  assert.equal(of.steps.at(-1)?.rule, 1)
  assert.equal(verdict([policy({ action: 'DENY', rules })], src).outcome, allowed)
})

test('103 CUSTOM and AUDIT are ignored by ztunnel, and the step says so', () => {
  for (const action of ['CUSTOM', 'AUDIT'] as const) {
    const of = verdict([policy({ action, rules: [{}] })], src)
    assert.equal(of.outcome, allowed)
    assert.equal(of.steps.at(-1)?.facts?.ignored, `AuthorizationPolicy/app/p (action ${action})`)
  }
})

test('104 a targetRef is not for ztunnel', () => {
  const policies = [authorizationPolicy('app/p', { targetRefs: [{ kind: 'Service', group: '', name: 'dst' }] })]
  assert.equal(verdict(policies, src, { service: 'app/dst' }, 80).outcome, allowed)
  assert.deepEqual(short(verdict([authorizationPolicy('app/p', {})], src, { service: 'app/dst' }, 80)), byDefault)
})

test('121 rbac service_accounts: whatever the trust domain, and no other account', () => {
  const snapshot = snapshotWith(policy({ rules: [from({ serviceAccounts: ['app/src'] })] }))
  const destination = [...snapshot.pods.values()].find((pod) => pod.workload === 'app/dst')
  assert.ok(destination)
  const asked = (identity: string): string =>
    judgeAt('ztunnel', { destination, port: 8080, peer: { ip: '10.244.1.9', identity } }, snapshot).outcome
  assert.equal(asked('spiffe://elsewhere.example/ns/app/sa/src'), 'allow')
  assert.equal(asked('spiffe://cluster.local/ns/app/sa/src2'), 'deny')
})

test('122 rbac string_match, presence mismatch: `*` wants an identity', () => {
  const policies = [policy({ rules: [from({ principals: ['*'] })] })]
  assert.deepEqual(short(verdict(policies, plain)), byDefault)
  assert.equal(verdict(policies, src).outcome, allowed)
})
