import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, objectsOf, outcomes, podOf } from '../../../../testing/cluster-policy.js'
import type { AdmissionOptions } from '../../../types.js'

/* PolicyException of kyverno.io. */

const set = (exception: string, namespace = 'kyverno') =>
  objectsOf(`
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: p}
spec:
  validationFailureAction: Enforce
  rules:
    - name: r
      match: {any: [{resources: {kinds: [Pod]}}]}
      validate: {pattern: {spec: {hostname: h}}}
---
apiVersion: kyverno.io/v2
kind: PolicyException
metadata: {name: e, namespace: ${namespace}}
spec:
  ${exception}
`)

const about = (rules: string, more = '') => `exceptions: [{policyName: p, ruleNames: [${rules}]}]
  match: {any: [{resources: {kinds: [Pod, Deployment], namespaces: [sandbox]}}]}
  ${more}`
test('one that takes out controls of Pod Security takes out nothing else', () => {
  const objects = objectsOf(`
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: p}
spec:
  validationFailureAction: Enforce
  rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {podSecurity: {level: baseline}}}]
---
apiVersion: kyverno.io/v2
kind: PolicyException
metadata: {name: e, namespace: kyverno}
spec:
  ${about('r', 'podSecurity: [{controlName: Host Ports}]')}
`)
  assert.deepEqual(outcomes(ask(objects, podOf()).steps), ['allow r'])
  assert.deepEqual(outcomes(ask(objects, podOf({ hostNetwork: true })).steps), ['unknown r'])
})

const says = (exception: string, object = podOf(), namespace?: string, options?: AdmissionOptions) =>
  outcomes(ask(set(exception, namespace), object, 'validate', options === undefined ? {} : { options }).steps)

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'd', namespace: 'sandbox' },
  spec: { template: { spec: {} } },
}

test('takes the object out of the rule, and says which it was', () => {
  const [step] = ask(set(about('r')), podOf()).steps
  assert.deepEqual(
    [step?.outcome, step?.code, step?.exception],
    ['not-applicable', 'admission.excepted', { policy: 'PolicyException/kyverno/e', at: 'policy.yaml:12' }],
  )
})

test('not for other objects, other rules, other policies', () => {
  assert.deepEqual(says(about('r'), podOf({}, { namespace: 'shop' })), ['deny r'])
  assert.deepEqual(says(about('s')), ['deny r'])
  assert.deepEqual(says(about('r').replace('policyName: p', 'policyName: q')), ['deny r'])
})

test('a generated rule is excepted by its own name, or by a wildcard', () => {
  assert.deepEqual(says(about('r'), deployment), ['deny autogen-r'])
  assert.deepEqual(says(about('r, autogen-r'), deployment), ['not-applicable autogen-r'])
  assert.deepEqual(says(about('"*r"'), deployment), ['not-applicable autogen-r'])
})

test('counts in one namespace alone', () => {
  assert.deepEqual(says(about('r'), podOf(), 'sandbox'), ['deny r'])
  assert.deepEqual(says(about('r'), podOf(), 'sandbox', { exceptionNamespace: 'sandbox' }), ['not-applicable r'])
  assert.deepEqual(says(about('r'), podOf(), 'shop', { exceptionNamespace: '*' }), ['not-applicable r'])
})

test('its conditions have to hold; what cannot be evaluated excepts nothing', () => {
  const when = (key: string) => about('r', `conditions: {all: [{key: "${key}", operator: Equals, value: p}]}`)
  assert.deepEqual(says(when('{{ request.object.metadata.name }}')), ['not-applicable r'])
  assert.deepEqual(says(when('{{ request.object.metadata.namespace }}')), ['deny r'])
  assert.deepEqual(says(when('{{ request.object.none }}')), ['deny r'])
})
