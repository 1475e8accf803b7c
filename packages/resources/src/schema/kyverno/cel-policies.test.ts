import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseManifests } from '../../parse.js'
import { only, problems } from '../../testing.js'

/* policies.kyverno.io: what is taken, and each thing that a cluster refuses, at its place. */

const head = (kind: string, version = 'v1', namespace = '') =>
  `apiVersion: policies.kyverno.io/${version}\nkind: ${kind}\nmetadata: { name: p${namespace} }\nspec:\n`
const about =
  '  matchConstraints: { resourceRules: [{ apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods] }] }\n'
const validation = '  validations: [{ expression: "true", message: why }]\n'
const apply = '  mutations: [{ patchType: ApplyConfiguration, applyConfiguration: { expression: "Object{}" } }]\n'
const makes = '  generate: [{ expression: "generator.Apply(namespaceObject.metadata.name, [])" }]\n'
const body: Readonly<Record<string, string>> = {
  ValidatingPolicy: validation,
  MutatingPolicy: apply,
  GeneratingPolicy: makes,
}

const messages = (text: string) =>
  parseManifests(text, 'm.yaml').diagnostics.map(({ message, at }) => `${at.line}:${at.column} ${message}`)

test('each kind is taken in every version that is served, for a cluster and for a namespace', () => {
  for (const [kind, text] of Object.entries(body)) {
    for (const version of ['v1', 'v1beta1', 'v1alpha1']) {
      const policy = only(head(kind, version) + about + text)
      assert.equal(policy.id, `${kind}/p`)
      const own = only(head(`Namespaced${kind}`, version, ', namespace: shop') + about + text)
      assert.equal(own.id, `Namespaced${kind}/shop/p`)
    }
    assert.deepEqual(messages(head(kind, 'v2') + about + text), [
      `1:1 ${kind}/p: ${kind} has no version "v2"; write policies.kyverno.io/v1`,
    ])
  }
  for (const kind of ['ImageValidatingPolicy', 'DeletingPolicy', 'NamespacedDeletingPolicy']) {
    const space = kind.startsWith('Namespaced') ? ', namespace: shop' : ''
    assert.equal(only(`${head(kind, 'v1', space)}  anything: { at: all }\n`).kind, kind, 'known, and open')
  }
})

test('a cluster’s policy has no namespace, and a misspelt kind or group is told', () => {
  assert.deepEqual(problems(head('ValidatingPolicy', 'v1', ', namespace: shop') + about + validation), [
    'warning object.namespace-ignored 3:22',
  ])
  assert.match(
    messages(head('ValidatingPolicie') + about)[0] ?? '',
    /has no kind "ValidatingPolicie"; did you mean ValidatingPolicy\?/,
  )
  assert.match(
    messages(`${head('ValidatingPolicy').replace('policies.', 'policy.')}${about}`)[0] ?? '',
    /no group "policy\.kyverno\.io" with a ValidatingPolicy is known; did you mean policies\.kyverno\.io\?/,
  )
})

test('an unknown field, a wrong type and a value that is not taken are errors with their place', () => {
  const rows: [string, string[]][] = [
    [`${about}  validatons: []\n${validation}`, ['error field.unknown 6:3']],
    [
      `${about}  validations: [{ expresion: "true" }]\n`,
      ['error field.unknown 6:19', 'error field.missing 6:17', 'warning validation.message 6:17'],
    ],
    [`${about}  validations: { expression: "true" }\n`, ['error field.type 6:3']],
    [`${about}${validation}  validationActions: [Block]\n`, ['error field.value 7:23']],
    [`${about}${validation}  validationActions: [Deny, Deny]\n`, ['error field.repeated 7:29']],
    [`${about}${validation}  failurePolicy: Fails\n`, ['error field.value 7:3']],
    [`${about}${validation}  evaluation: { mode: Yaml }\n`, ['error evaluation.mode 7:17']],
    [`${about}${validation}  webhookConfiguration: { timeoutSeconds: 31 }\n`, ['error webhook.timeout 7:27']],
    [`${about}${validation}  variables: [{ name: a-b, expression: "1" }]\n`, ['error variable.name 7:17']],
    [
      `${about}${validation}  variables: [{ name: a, expression: "1" }, { name: a, expression: "2" }]\n`,
      ['error field.repeated 7:45'],
    ],
    [`${about}${validation}  matchConditions: [{ name: "", expression: "true" }]\n`, ['error value.empty 7:23']],
    [`${about}  validations: [{ expression: " ", message: why }]\n`, ['error expression.empty 6:19']],
  ]
  for (const [text, expected] of rows) assert.deepEqual(problems(head('ValidatingPolicy') + text), expected, text)
})

test('what Kyverno’s own webhook refuses: a policy that says not what it is about', () => {
  for (const [kind, text] of Object.entries(body)) {
    assert.deepEqual(problems(head(kind) + text), ['error match.missing 4:1'], kind)
    assert.deepEqual(problems(`${head(kind)}  matchConstraints: {}\n${text}`), ['error match.missing 5:3'], kind)
    assert.deepEqual(problems(`${head(kind)}  matchConstraints: { resourceRules: [] }\n${text}`), [
      'error match.missing 5:3',
    ])
    assert.deepEqual(problems(head(kind) + about + text), [])
  }
})

test('rules that are about nothing are warned of, and operations that there are not are refused', () => {
  const rule = (fields: string) =>
    problems(`${head('ValidatingPolicy')}  matchConstraints: { resourceRules: [${fields}] }\n${validation}`)
  assert.deepEqual(rule('{ apiGroups: [""], apiVersions: [v1], resources: [pods] }'), ['warning match.nothing 5:39'])
  assert.deepEqual(rule('{ apiGroups: [""], apiVersions: [v1], operations: [CREAT], resources: [pods] }'), [
    'error match.operation 5:90',
  ])
  assert.deepEqual(rule('{ apiGroups: [""], apiVersions: [v1], operations: ["*"], resources: [""] }'), [
    'error match.resource 5:108',
  ])
  assert.deepEqual(rule('{ apiGroups: [""], apiVersions: [v1], operations: ["*"], resources: [Pod] }'), [
    'warning match.resource 5:108',
  ])
  assert.deepEqual(rule('{ apiGroups: [""], apiVersions: [v1], operations: ["*"], resources: [pods], scope: All }'), [
    'error match.scope 5:115',
  ])
})

test('a policy without a validation or mutation is taken, and warned of; so is one without a message', () => {
  assert.deepEqual(problems(head('ValidatingPolicy') + about), ['warning validations.none 4:1'])
  assert.deepEqual(problems(head('MutatingPolicy') + about), ['warning mutations.none 4:1'])
  assert.deepEqual(problems(`${head('ValidatingPolicy')}${about}  validations: [{ expression: "true" }]\n`), [
    'warning validation.message 6:17',
  ])
})

test('mutations: the type’s own expression, and no other', () => {
  const mutation = (text: string) => problems(`${head('MutatingPolicy')}${about}  mutations: [${text}]\n`)
  assert.deepEqual(mutation('{ patchType: JSONPatch, jsonPatch: { expression: "[]" } }'), [])
  assert.deepEqual(mutation('{ patchType: JSONPatch }'), ['error mutation.missing 6:15'])
  assert.deepEqual(mutation('{ patchType: JSONPatch, applyConfiguration: { expression: "a" } }'), [
    'error mutation.missing 6:15',
    'error mutation.both 6:39',
  ])
  assert.deepEqual(mutation('{ patchType: Merge, applyConfiguration: { expression: "a" } }'), [
    'error mutation.type 6:17',
  ])
  const off = '  evaluation: { admission: { enabled: false } }\n'
  assert.deepEqual(problems(head('MutatingPolicy') + about + apply + off), ['error evaluation.none 7:3'])
  const existing = '  evaluation: { admission: { enabled: false }, mutateExisting: { enabled: true } }\n'
  assert.deepEqual(problems(head('MutatingPolicy') + about + apply + existing), [])
  assert.deepEqual(problems(`${head('MutatingPolicy')}${about}${apply}  reinvocationPolicy: Always\n`), [
    'error mutation.reinvocation 7:3',
  ])
})

test('generate: an expression or a template, and at least one', () => {
  const generate = (text: string) => problems(`${head('GeneratingPolicy')}${about}  generate: ${text}\n`)
  assert.deepEqual(generate('[{ template: { value: "a" } }]'), [])
  assert.deepEqual(generate('[]'), ['error field.too-few 6:3'])
  assert.deepEqual(generate('[{}]'), ['error generate.one 6:14'])
  assert.deepEqual(generate('[{ expression: "a", template: { value: "a" } }]'), ['error generate.one 6:14'])
  assert.deepEqual(generate('[{ template: { value: "" } }]'), ['error field.value 6:28'])
})

test('an exception names policies by kind and name', () => {
  const exception = (text: string) => problems(`${head('PolicyException', 'v1', ', namespace: kyverno')}  ${text}\n`)
  assert.deepEqual(exception('policyRefs: [{ kind: ValidatingPolicy, name: p }]'), [])
  assert.deepEqual(exception('policyRefs: []'), ['error exception.none 5:3'])
  assert.deepEqual(exception('policyRefs: [{ name: p }]'), ['error field.missing 5:16'])
  assert.deepEqual(exception('policyRefs: [{ kind: ValidatingPolicy, name: "" }]'), ['error value.empty 5:42'])
  assert.deepEqual(exception('policyRefs: [{ kind: "", name: p }]'), ['error value.empty 5:18'])
  assert.deepEqual(exception('policyRefs: [{ kind: ClusterPolicy, name: p }]'), ['warning exception.kind 5:18'])
  const conditions = (text: string) => exception(`{ policyRefs: [{ kind: ValidatingPolicy, name: p }], ${text} }`)
  assert.deepEqual(conditions('expiresAt: tomorrow'), ['error value.time 5:56'])
  assert.deepEqual(conditions('expiresAt: "2027-01-01T00:00:00Z"'), [])
  assert.deepEqual(conditions('reportResult: fail'), ['error field.value 5:56'])
})

test('autogen: controllers of pods, or a policy of Kubernetes’ own', () => {
  const autogen = (text: string) => problems(`${head('ValidatingPolicy')}${about}${validation}  autogen: ${text}\n`)
  assert.deepEqual(autogen('{ podControllers: { controllers: [deployments, cronjobs] } }'), [])
  assert.deepEqual(autogen('{ podControllers: { controllers: [Deployment] } }'), ['warning autogen.controller 7:46'])
  const native = 'validatingAdmissionPolicy: { enabled: true }'
  assert.deepEqual(autogen(`{ ${native} }`), [])
  assert.deepEqual(autogen(`{ ${native}, podControllers: { controllers: [] } }`), [])
  assert.deepEqual(autogen(`{ ${native}, podControllers: { controllers: [jobs] } }`), ['warning autogen.both 7:14'])
})
