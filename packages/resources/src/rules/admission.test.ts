import assert from 'node:assert/strict'
import { test } from 'node:test'
import { only, problems } from '../testing.js'

/* ValidatingAdmissionPolicy and its binding: the schema of Kubernetes, and what the API server refuses by code. */

const head = (kind: string, version = 'v1') =>
  `apiVersion: admissionregistration.k8s.io/${version}\nkind: ${kind}\nmetadata: { name: p }\nspec:\n`
const about =
  '  matchConstraints: { resourceRules: [{ apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods] }] }\n'
const validations = '  validations: [{ expression: "true" }]\n'
const policy = (text: string) => problems(head('ValidatingAdmissionPolicy') + text)
const binding = (text: string) => problems(head('ValidatingAdmissionPolicyBinding') + text)
const bound = '  policyName: p\n  validationActions: [Deny]\n'

test('a policy and its binding are taken as a cluster takes them', () => {
  assert.equal(only(head('ValidatingAdmissionPolicy') + about + validations).id, 'ValidatingAdmissionPolicy/p')
  assert.equal(only(head('ValidatingAdmissionPolicyBinding') + bound).id, 'ValidatingAdmissionPolicyBinding/p')
  assert.deepEqual(policy(`${about}  auditAnnotations: [{ key: a, valueExpression: "'b'" }]\n`), [])
})

test('unknown fields, types and versions are refused', () => {
  assert.deepEqual(policy(`${about}${validations}  validation: []\n`), ['error field.unknown 7:3'])
  assert.deepEqual(policy(`${about}  validations: [{ expresion: "true" }]\n`), [
    'error field.missing 6:17',
    'error field.unknown 6:19',
  ])
  assert.deepEqual(policy(`${about}  validations: { expression: "true" }\n`), ['error field.type 6:3'])
  for (const version of ['v1beta1', 'v1alpha1', 'v2'])
    assert.match(
      problems(head('ValidatingAdmissionPolicy', version) + about + validations)[0] ?? '',
      /^error kind\.(version|unknown) 1:1$/,
      version,
    )
  assert.deepEqual(binding(`${bound}  policy: p\n`), ['error field.unknown 7:3'])
  assert.deepEqual(problems(head('ValidatingAdmisionPolicy') + about), ['error kind.unknown 2:1'])
})

test('a policy without validations, or one that says not what it is about', () => {
  assert.deepEqual(policy(about), ['error validations.none 4:1'])
  assert.deepEqual(policy(validations), ['error field.missing 4:1'])
  assert.deepEqual(policy(`  matchConstraints: {}\n${validations}`), ['error field.missing 5:3'])
  assert.deepEqual(problems(head('ValidatingAdmissionPolicy').replace('spec:\n', '')), ['error field.missing 1:1'])
})

test('rules name groups, versions, operations and resources; "*" stands alone', () => {
  const rule = (text: string) => policy(`  matchConstraints: { resourceRules: [${text}] }\n${validations}`)
  const fields = { apiGroups: '[""]', apiVersions: '[v1]', operations: '[CREATE]', resources: '[pods]' }
  const text = (changed: Readonly<Record<string, string>>) =>
    `{ ${Object.entries({ ...fields, ...changed })
      .map(([name, value]) => `${name}: ${value}`)
      .join(', ')} }`
  assert.deepEqual(rule(text({})), [])
  for (const name of Object.keys(fields)) {
    assert.match(rule(text({ [name]: '[]' })).join(), /^error field\.missing 5:\d+$/, name)
    assert.equal(rule(text({ [name]: '[""]' })).length, name === 'apiGroups' ? 0 : 1, `${name} with an empty entry`)
    if (name !== 'resources') assert.match(rule(text({ [name]: '["*", a]' }))[0] ?? '', /^error field\.value 5/, name)
  }
  assert.match(rule(text({ operations: '[CREAT]' })).join(), /^error field\.value 5:\d+$/)
  assert.match(rule(text({ scope: 'Every' })).join(), /^error field\.value 5:\d+$/)
})

test('names, expressions and messages', () => {
  const rows: [string, string][] = [
    ['  validations: [{ expression: "" }]\n', 'error field.missing 6:17'],
    ['  validations: [{ expression: "a", message: "b\\nc" }]\n', 'error field.value 6:36'],
    ['  validations: [{ expression: "a\\nb" }]\n', 'error field.missing 6:17'],
    ['  validations: [{ expression: "a", message: "" }]\n', 'error field.value 6:36'],
    ['  auditAnnotations: [{ key: "a b", valueExpression: "1" }]\n', 'error field.value 6:24'],
    ['  auditAnnotations: [{ key: a, valueExpression: "" }]\n', 'error field.missing 6:22'],
    ['  validations: [{ expression: "a", reason: Teapot }]\n', 'error field.value 6:36'],
    [`${validations}  failurePolicy: Allow\n`, 'error field.value 7:3'],
    [`${validations}  variables: [{ name: a-b, expression: "1" }]\n`, 'error field.value 7:17'],
    [
      `${validations}  variables: [{ name: a, expression: "1" }, { name: a, expression: "1" }]\n`,
      'error field.repeated 7:47',
    ],
    [`${validations}  matchConditions: [{ name: "a b", expression: "1" }]\n`, 'error field.value 7:23'],
    [`${validations}  matchConditions: [{ name: a, expression: "" }]\n`, 'error field.missing 7:21'],
  ]
  for (const [text, expected] of rows) assert.deepEqual(policy(about + text), [expected], text)
  const conditions = (count: number) =>
    `  matchConditions: [${Array.from({ length: count }, (_, index) => `{ name: c${index}, expression: "1" }`).join(', ')}]\n`
  assert.deepEqual(policy(about + validations + conditions(64)), [])
  assert.deepEqual(policy(about + validations + conditions(65)), ['error field.too-many 7:3'])
})

test('a binding names its policy and at least one action; Deny and Warn do not go together', () => {
  assert.deepEqual(binding('  validationActions: [Deny]\n'), ['error field.missing 4:1'])
  assert.deepEqual(binding('  policyName: ""\n  validationActions: [Deny]\n'), ['error field.missing 5:3'])
  assert.deepEqual(binding('  policyName: A_b\n  validationActions: [Deny]\n'), ['error object.name 5:3'])
  assert.deepEqual(binding('  policyName: p\n'), ['error field.missing 4:1'])
  assert.deepEqual(binding('  policyName: p\n  validationActions: []\n'), ['error field.missing 6:3'])
  assert.deepEqual(binding('  policyName: p\n  validationActions: [Block]\n'), ['error field.value 6:23'])
  assert.deepEqual(binding('  policyName: p\n  validationActions: [Deny, Deny]\n'), ['error field.repeated 6:29'])
  assert.deepEqual(binding('  policyName: p\n  validationActions: [Deny, Warn]\n'), ['error field.value 6:3'])
  assert.deepEqual(binding('  policyName: p\n  validationActions: [Warn, Audit]\n'), [])
})

test('parameters: by name or by selector, and what holds where there are none', () => {
  const parameters = (text: string) => binding(`${bound}  paramRef: ${text}\n`)
  assert.deepEqual(parameters('{ name: a, parameterNotFoundAction: Deny }'), [])
  assert.deepEqual(parameters('{ name: a }'), ['error field.missing 7:3'])
  assert.deepEqual(parameters('{ parameterNotFoundAction: Deny }'), ['error field.value 7:3'])
  assert.deepEqual(parameters('{ name: a, selector: {}, parameterNotFoundAction: Deny }'), ['error field.value 7:3'])
  assert.deepEqual(parameters('{ name: a, parameterNotFoundAction: Ask }'), ['error field.value 7:24'])
})
