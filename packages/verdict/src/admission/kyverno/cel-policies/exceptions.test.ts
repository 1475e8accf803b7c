import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, podPolicy } from '../../../testing/cel-policies.js'

const policy = podPolicy(
  'no-root',
  '  validations: [{ expression: "object.spec.containers.all(c, c.image in exceptions.allowedImages)", message: nope }]',
)
const object =
  'apiVersion: v1\nkind: Pod\nmetadata: { name: p, namespace: ns, labels: { app: a } }\nspec:\n  containers: [{ name: c, image: x }]\n'
const exception = (spec: string, metadata = 'name: e, namespace: kyverno'): string => `---
apiVersion: policies.kyverno.io/v1
kind: PolicyException
metadata: { ${metadata} }
spec:
  policyRefs: [{ name: no-root, kind: ValidatingPolicy }]
${spec}
`
const outcome = (more: string, options: Parameters<typeof ask>[2] = {}): string => {
  const [step] = ask(policy + more, object, options)
  return `${step?.outcome} ${step?.code} ${step?.message ?? ''}`.trim()
}
const refused = 'deny admission.denied nope'
const excepted = 'not-applicable admission.excepted'

test('one whose conditions hold takes the object out, and is named', () => {
  const labelled = exception('  matchConditions: [{ name: a, expression: "object.metadata.labels.app == \'a\'" }]')
  assert.equal(outcome(''), refused)
  assert.equal(outcome(labelled), excepted)
  assert.deepEqual(ask(policy + labelled, object)[0]?.exception, {
    policy: 'PolicyException/kyverno/e',
    at: 'policy.yaml:10',
  })
  assert.equal(outcome(labelled.replace("== 'a'", "== 'b'")), refused)
  assert.equal(outcome(exception('')), excepted)
})

test('only of this policy, by kind and name, and only in the namespace that Kyverno looks in', () => {
  assert.equal(outcome(exception('').replace('name: no-root', 'name: other')), refused)
  assert.equal(outcome(exception('').replace('kind: ValidatingPolicy }', 'kind: ImageValidatingPolicy }')), refused)
  const elsewhere = exception('', 'name: e, namespace: ns')
  assert.equal(outcome(elsewhere), refused)
  assert.equal(outcome(elsewhere, { options: { exceptionNamespace: 'ns' } }), excepted)
  assert.equal(outcome(elsewhere, { options: { exceptionNamespace: '*' } }), excepted)
  assert.equal(outcome(exception(''), { options: { exceptionNamespace: 'ns' } }), refused)
})

test('images and values are for the policy to ask for', () => {
  assert.equal(outcome(exception('  images: [x]')), 'allow admission.allowed')
  assert.equal(outcome(exception('  images: [other]')), refused)
  assert.equal(outcome(exception('  images: [other]') + exception('', 'name: whole, namespace: kyverno')), excepted)
})

test('one that cannot be evaluated refuses, where none holds', () => {
  const failing = exception('  matchConditions: [{ name: a, expression: object.nope == 1 }]')
  assert.equal(outcome(failing), 'deny admission.failed failed to load context: no such key: nope')
  assert.equal(outcome(exception('', 'name: a, namespace: kyverno') + failing), excepted)
})

test('conditions see a controller as it is, and not its template', () => {
  const deployment =
    'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: d, namespace: ns }\nspec: { selector: { matchLabels: { a: b } }, template: { metadata: { labels: { a: b } }, spec: { containers: [{ name: c, image: x }] } } }\n'
  const named = exception('  matchConditions: [{ name: a, expression: "object.metadata.name == \'d\'" }]')
  assert.equal(ask(policy + named, deployment)[0]?.code, 'admission.excepted')
  assert.equal(ask(policy, deployment)[0]?.code, 'admission.denied')
})
