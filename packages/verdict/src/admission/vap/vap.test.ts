import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, objects } from '../../testing/cel-policies.js'
import { vapReviewers } from './index.js'

const pod = (image: string, metadata = 'name: p, namespace: sandbox'): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: { ${metadata} }\nspec:\n  containers: [{ name: c, image: ${image} }]\n`

const policy = (spec: string): string => `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: images }
spec:
  matchConstraints:
    resourceRules: [{ apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods] }]
${spec}
`
const binding = (spec = '', name = 'everywhere', actions = '[Deny]'): string => `---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: { name: ${name} }
spec:
  policyName: images
  validationActions: ${actions}
${spec}
`
const validations = (expression: string, more = ''): string => `  validations:
    - expression: >-
        ${expression}
${more}`
const ours = "object.spec.containers.all(c, c.image.startsWith('ours/'))"

function words(policies: string, object: string, set = ''): readonly string[] {
  return ask(policies, object, { set }).map(({ outcome, code, message = '', facts }) =>
    [outcome, code, facts?.binding ?? '', message].join(' ').trim(),
  )
}

test('without a binding it decides nothing; with one it says which', () => {
  const spec = policy(validations(ours, '      message: " not ours "'))
  assert.deepEqual(words(spec, pod('theirs/x')), ['not-applicable admission.not-matched'])
  assert.deepEqual(words(spec + binding(), pod('theirs/x')), ['deny admission.denied everywhere not ours'])
  assert.deepEqual(words(spec + binding(), pod('ours/x')), ['allow admission.allowed everywhere'])
  const [step] = ask(spec + binding(), pod('theirs/x'))
  assert.deepEqual(
    [step?.engine, step?.policy, step?.at, step?.path, step?.objectAt],
    ['vap', 'ValidatingAdmissionPolicy/images', 'policy.yaml:8', '/spec/containers/0/image', 'object.yaml:5:27'],
  )
})

test('each binding has its own namespaces and actions', () => {
  const spec = policy(validations('false', '      message: nope'))
  const both =
    binding('  matchResources: { namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: shop } } }', 'shop') +
    binding('', 'all', '[Warn, Audit]')
  assert.deepEqual(words(spec + both, pod('x')), ['warn admission.warned all nope'])
  assert.deepEqual(words(spec + both, pod('x', 'name: p, namespace: shop')), [
    'deny admission.denied shop nope',
    'warn admission.warned all nope',
  ])
  assert.deepEqual(words(spec + binding('', 'a', '[Audit]'), pod('x')), ['audit admission.audited a nope'])
  assert.deepEqual(
    ask(spec + binding('', 'a', '[Deny, Warn]').replace('[Deny, Warn]', '[Deny, Audit]'), pod('x'))[0]?.facts,
    { binding: 'a' },
  )
})

test('every validation has its word; messages and reasons', () => {
  const spec = policy(`  validations:
    - { expression: 'false', message: one, reason: Forbidden }
    - { expression: 'true', message: two }
    - { expression: 'false', messageExpression: "'three of ' + string(object.metadata.name)" }
    - { expression: 'false', message: four, messageExpression: "'a\\\\nb'" }
    - { expression: 'false', message: five, messageExpression: 'string(object.nope)' }
    - { expression: ' 1 == 2 ' }`)
  assert.deepEqual(words(spec + binding(), pod('x')), [
    'deny admission.denied everywhere one',
    'deny admission.denied everywhere three of p',
    'deny admission.denied everywhere four',
    'deny admission.denied everywhere five',
    'deny admission.denied everywhere failed expression: 1 == 2',
  ])
  assert.deepEqual(ask(spec + binding(), pod('x'))[0]?.facts, { binding: 'everywhere', reason: 'Forbidden' })
})

test('what cannot be evaluated refuses, or not, by failurePolicy', () => {
  const failing = validations('object.spec.nope.x == 1', '      message: nope')
  assert.deepEqual(words(policy(failing) + binding(), pod('x')), [
    "deny admission.failed everywhere expression 'object.spec.nope.x == 1' resulted in error: no such key: nope",
  ])
  assert.deepEqual(words(policy(`  failurePolicy: Ignore\n${failing}`) + binding(), pod('x')), [
    'allow admission.allowed everywhere',
  ])
  const condition = `  matchConditions: [{ name: c, expression: object.nope == 1 }]\n${validations('false')}`
  assert.deepEqual(words(policy(condition) + binding(), pod('x')), [
    'deny admission.failed everywhere no such key: nope',
  ])
  assert.deepEqual(
    words(policy(condition.replace('object.nope == 1', '\'request.operation != "CREATE"\'')) + binding(), pod('x')),
    ['not-applicable admission.not-matched'],
  )
})

const allowed = (name: string, prefix: string, namespace = 'platform'): string =>
  `---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name}, namespace: ${namespace}, labels: { images: allowed } }\ndata: { prefix: ${prefix} }\n`
const byParams = policy(
  `  paramKind: { apiVersion: v1, kind: ConfigMap }\n${validations('object.spec.containers.all(c, c.image.startsWith(params.data.prefix))', '      messageExpression: "\'not of \' + string(params.data.prefix)"')}`,
)

test('parameters: by name, by selector (each is asked), of the request’s own namespace', () => {
  const named = byParams + binding('  paramRef: { name: one, namespace: platform, parameterNotFoundAction: Deny }')
  const set = allowed('one', 'ours/') + allowed('two', 'yours/')
  assert.deepEqual(words(named, pod('theirs/x'), set), ['deny admission.denied everywhere not of ours/'])
  assert.deepEqual(words(named, pod('ours/x'), set), ['allow admission.allowed everywhere'])
  const chosen =
    byParams +
    binding(
      '  paramRef: { selector: { matchLabels: { images: allowed } }, namespace: platform, parameterNotFoundAction: Deny }',
    )
  assert.deepEqual(words(chosen, pod('ours/x'), set), [
    'allow admission.allowed everywhere',
    'deny admission.denied everywhere not of yours/',
  ])
  const own = byParams + binding('  paramRef: { name: one, parameterNotFoundAction: Deny }')
  assert.deepEqual(words(own, pod('ours/x'), allowed('one', 'ours/', 'sandbox')), [
    'allow admission.allowed everywhere',
  ])
})

test('parameters that are not there', () => {
  const missing = 'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction'
  const named = (action: string): string =>
    byParams + binding(`  paramRef: { name: one, namespace: platform, parameterNotFoundAction: ${action} }`)
  assert.deepEqual(words(named('Deny'), pod('x')), [`deny admission.failed everywhere ${missing}`])
  assert.deepEqual(words(named('Allow'), pod('x')), [])
})

test('its own kinds are not asked about; Kyverno’s functions are not there', () => {
  const all = policy(validations('false'))
    .replace("apiGroups: ['']", "apiGroups: ['*']")
    .replace('resources: [pods]', "resources: ['*']")
    .replace('apiVersions: [v1]', "apiVersions: ['*']")
  assert.deepEqual(words(all + binding(), policy(validations('true'))), ['not-applicable admission.not-matched'])
  assert.deepEqual(words(all + binding(), pod('x')).length, 1)
  assert.throws(() => vapReviewers(objects(policy(validations("dyn(resource.Get('v1', 'pods', 'a', 'b')) == null")))), {
    message:
      /ValidatingAdmissionPolicy\/images: spec\.validations\[0\]\.expression: undeclared reference to 'resource'/,
  })
  assert.throws(() => vapReviewers(objects(policy(validations('params.x == 1')))), {
    message: /undeclared reference to 'params'/,
  })
})

test('authorizer is not modelled, and unknown', () => {
  const asks = policy(validations("authorizer.group('apps').resource('deployments').check('create').allowed()"))
  assert.deepEqual(words(asks + binding(), pod('x')), ['unknown not-modelled'])
})

test('what costs too much is an error, in conditions and in validations', () => {
  const many = `apiVersion: v1\nkind: Pod\nmetadata: { name: p, namespace: sandbox }\nspec:\n  containers: [${Array.from({ length: 2_000 }, (_, index) => `{ name: c${index}, image: x }`).join(', ')}]\n`
  const pairs = 'object.spec.containers.all(a, object.spec.containers.all(b, a.name != b.name || a == b))'
  const spent = 'the expressions take more than 2000000 steps'
  const condition = policy(`  matchConditions: [{ name: c, expression: "${pairs}" }]\n${validations('true')}`)
  assert.deepEqual(words(condition + binding(), many), [`deny admission.failed everywhere ${spent}`])
  assert.deepEqual(words(policy(validations(pairs)) + binding(), many), [
    `deny admission.failed everywhere expression '${pairs}' resulted in error: ${spent}`,
  ])
  assert.deepEqual(words(condition + binding(), pod('x')), ['allow admission.allowed everywhere'])
})
