import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Asking, ask, objectsOf, podOf } from '../../../testing/cluster-policy.js'

/*
 * What becomes of a violation or an error: the action, its overrides, failurePolicy, what was there before.
 */

const rule = (validate: string) => `
    - name: r
      match: {any: [{resources: {kinds: [Pod]}}]}
      validate: {${validate}}`

const policy = (spec: string, ...rules: readonly string[]) =>
  objectsOf(`
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: p, annotations: {pod-policies.kyverno.io/autogen-controllers: none}}
spec:
  ${spec}
  rules:${rules.join('')}
`)

const wants = 'pattern: {metadata: {labels: {team: "?*"}}}'
const outcome = (set: ReturnType<typeof policy>, object = podOf(), asking: Asking = {}) =>
  ask(set, object, 'validate', asking).steps.map((step) => `${step.outcome} ${step.code}`)

test('the rule decides before the policy, and a policy that says nothing audits', () => {
  const denied = ['deny admission.denied']
  assert.deepEqual(outcome(policy('background: true', rule(wants))), ['audit admission.audited'])
  for (const word of ['Enforce', 'enforce'])
    assert.deepEqual(outcome(policy(`validationFailureAction: ${word}`, rule(wants))), denied)
  assert.deepEqual(outcome(policy('background: true', rule(`failureAction: Enforce, ${wants}`))), denied)
  // Kyverno tells it to whoever asks, since other rules of the policy could refuse.
  assert.deepEqual(outcome(policy('validationFailureAction: Enforce', rule(`failureAction: Audit, ${wants}`))), [
    'warn admission.warned',
  ])
})

test('an override is for namespaces by name or by label', () => {
  const byName = policy(
    'validationFailureAction: Audit\n  validationFailureActionOverrides: [{action: Enforce, namespaces: [sand*]}]',
    rule(wants),
  )
  assert.deepEqual(outcome(byName), ['deny admission.denied'])
  assert.deepEqual(outcome(byName, podOf({}, { namespace: 'shop' })), ['warn admission.warned'])
  const byLabel = policy(
    'background: true',
    rule(`${wants}, failureActionOverrides: [{action: Enforce, namespaceSelector: {matchLabels: {tier: prod}}}]`),
  )
  assert.deepEqual(outcome(byLabel, podOf(), { namespaceLabels: { tier: 'prod' } }), ['deny admission.denied'])
  assert.deepEqual(outcome(byLabel, podOf(), { namespaceLabels: { tier: 'test' } }), ['warn admission.warned'])
})

const broken =
  'deny: {conditions: {all: [{key: "{{ request.object.metadata.labels.team }}", operator: Equals, value: x}]}}'

test('what cannot be evaluated refuses, unless failurePolicy is Ignore', () => {
  const failing = policy('validationFailureAction: Enforce', rule(broken))
  const [step] = ask(failing, podOf()).steps
  assert.deepEqual([step?.outcome, step?.code], ['deny', 'admission.failed'])
  assert.equal(
    step?.message,
    'failed to check deny conditions: failed to substitute variables in condition key: failed to resolve request.object.metadata.labels.team at path : JMESPath query failed: Unknown key "labels" in path',
  )
  assert.deepEqual(outcome(failing, podOf({}, { labels: { team: 'y' } })), ['allow admission.allowed'])
  for (const ignore of ['failurePolicy: Ignore', 'webhookConfiguration: {failurePolicy: Ignore}'])
    assert.deepEqual(outcome(policy(`validationFailureAction: Enforce\n  ${ignore}`, rule(broken))), [
      'warn admission.warned',
    ])
})

test('a violation that was there before may stay, unless the rule says otherwise', () => {
  const change = { operation: 'UPDATE', oldObject: podOf() } as const
  const lenient = policy('validationFailureAction: Enforce', rule(wants))
  assert.deepEqual(outcome(lenient, podOf({ hostname: 'h' }), change), ['not-applicable admission.not-matched'])
  const strict = policy('validationFailureAction: Enforce', rule(`${wants}, allowExistingViolations: false`))
  assert.deepEqual(outcome(strict, podOf({ hostname: 'h' }), change), ['deny admission.denied'])
  // What was good before may not become bad.
  const good = { ...change, oldObject: podOf({}, { labels: { team: 'x' } }) }
  assert.deepEqual(outcome(lenient, podOf(), good), ['deny admission.denied'])
})

test('applyRules: One ends with the first rule that is about the object', () => {
  const other = rule(wants).replace('name: r', 'name: s')
  const both = policy('validationFailureAction: Enforce', rule(wants), other)
  assert.equal(ask(both, podOf()).steps.length, 2)
  const one = policy('validationFailureAction: Enforce\n  applyRules: One', rule(wants), other)
  assert.equal(ask(one, podOf()).steps.length, 1)
})
