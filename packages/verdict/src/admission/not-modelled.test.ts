import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubernetesObject, Resource } from '@bulkhead/resources'
import { resource } from '../testing/objects.js'
import { admit } from './admit.js'
import { compileAdmission } from './compile.js'
import { asked, objects } from './testing/read.js'

const pod =
  'apiVersion: v1\nkind: Pod\nmetadata: { name: p, namespace: shop }\nspec: { containers: [{ name: c, image: i }] }\n'
const match = (resource: string): string =>
  `resourceRules: [{ apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [${resource}] }]`

const images = (resource: string): string => `apiVersion: policies.kyverno.io/v1
kind: ImageValidatingPolicy
metadata: { name: signed }
spec: { matchConstraints: { ${match(resource)} } }
`
const webhook = (resource: string): string => `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: { name: theirs }
webhooks:
  - name: theirs.example.com
    clientConfig: { url: "https://theirs.example.com/" }
    admissionReviewVersions: [v1]
    sideEffects: None
    rules: [{ apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [${resource}] }]
`
const group = 'admissionregistration.k8s.io/v1beta1'
const resourceRules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }]
const mutating = resource<KubernetesObject & { readonly spec: unknown }>({
  apiVersion: group,
  kind: 'MutatingAdmissionPolicy',
  metadata: { name: 'change' },
  spec: { matchConstraints: { resourceRules } },
})
const binding = resource<KubernetesObject & { readonly spec: unknown }>({
  apiVersion: group,
  kind: 'MutatingAdmissionPolicyBinding',
  metadata: { name: 'change' },
  spec: { policyName: 'change' },
})

test('what is not modelled is unknown where it would be asked, is named, and lets nothing in', () => {
  for (const [text, what] of [
    [images('pods'), "verification of images' signatures"],
    [webhook('pods'), 'a webhook of its own'],
  ] as const) {
    const admission = asked(text, pod)
    assert.equal(admission.outcome, 'unknown', what)
    const step = admission.steps[admission.decidedBy ?? -1]
    assert.equal(step?.code, 'not-modelled')
    assert.equal(step?.facts?.what, what)
    assert.equal(step?.at, 'file.yaml:1')
    assert.equal(admission.refusal, undefined)
    assert.equal(compileAdmission(objects(text)).notModelled[0]?.what, what)
  }
  for (const text of [images('services'), webhook('services')]) {
    assert.equal(asked(text, pod).outcome, 'allow')
  }
})

test('a MutatingAdmissionPolicy is asked where it is bound', () => {
  const [object] = objects(pod)
  assert.ok(object !== undefined)
  const ask = (...inForce: readonly Resource[]) => admit({ operation: 'CREATE', object }, compileAdmission(inForce))
  const bound = ask(mutating, binding)
  assert.equal(bound.outcome, 'unknown')
  assert.equal(bound.steps[0]?.facts?.what, 'MutatingAdmissionPolicy')
  assert.equal(ask(mutating).outcome, 'allow')
})

test('a refusal beside it is a refusal', () => {
  const labels = 'labels: { pod-security.kubernetes.io/enforce: restricted }'
  const namespace = `apiVersion: v1\nkind: Namespace\nmetadata: { name: shop, ${labels} }\n`
  const admission = asked(`${images('pods')}---\n${namespace}`, pod)
  assert.equal(admission.outcome, 'deny')
  assert.equal(admission.steps[admission.decidedBy ?? -1]?.engine, 'psa')
})
