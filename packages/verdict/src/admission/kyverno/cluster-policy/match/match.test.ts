import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Asking, ask, objectsOf, podOf } from '../../../../testing/cluster-policy.js'

/*
 * match and exclude: whom a rule is about. A rule that is about the object denies it here.
 */

const matches = (
  match: string,
  object = podOf(),
  asking: Asking = {},
  kind = 'ClusterPolicy',
  metadata = '{name: p}',
) => {
  const set = objectsOf(`
apiVersion: kyverno.io/v1
kind: ${kind}
metadata: ${metadata}
spec:
  validationFailureAction: Enforce
  rules: [{name: r, ${match}, validate: {deny: {}}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: b, namespace: sandbox}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: deployer}
subjects: [{kind: ServiceAccount, name: ci, namespace: tools}]
`)
  return ask(set, object, 'validate', asking).steps.some(({ outcome }) => outcome === 'deny')
}

const pods = 'match: {any: [{resources: {kinds: [Pod]}}]}'
const resources = (more: string) => `match: {any: [{resources: {${more}}}]}`
const labelled = podOf({}, { labels: { app: 'web', tier: 'front' }, annotations: { owner: 'me@x' } })
const ci = { username: 'system:serviceaccount:tools:ci', groups: ['system:serviceaccounts'] }

const kinds: readonly (readonly [string, boolean])[] = [
  ['Pod', true],
  ['v1/Pod', true],
  ['"*/Pod"', true],
  ['"*"', true],
  ['P*', true],
  ['apps/v1/Deployment', false],
  ['apps/v1/Pod', false],
  ['Deployment', false],
  ['v2/Pod', false],
]
for (const [kind, is] of kinds)
  test(`kinds: ${kind}: ${is}`, () => {
    assert.equal(matches(resources(`kinds: [${kind}]`)), is)
  })

const rows: readonly (readonly [string, string, boolean])[] = [
  ['a name with wildcards', 'kinds: [Pod], names: ["q", "?"]', true],
  ['another name', 'kinds: [Pod], name: q', false],
  ['a namespace with wildcards', 'kinds: [Pod], namespaces: [sand*]', true],
  ['another namespace', 'kinds: [Pod], namespaces: [shop]', false],
  ['a label', 'kinds: [Pod], selector: {matchLabels: {app: web}}', true],
  ['a label with wildcards', 'kinds: [Pod], selector: {matchLabels: {"a*": "w?b"}}', true],
  ['another label', 'kinds: [Pod], selector: {matchLabels: {app: db}}', false],
  ['an expression', 'kinds: [Pod], selector: {matchExpressions: [{key: tier, operator: In, values: [front]}]}', true],
  [
    'an expression that does not hold',
    'kinds: [Pod], selector: {matchExpressions: [{key: tier, operator: DoesNotExist}]}',
    false,
  ],
  ['an annotation', 'kinds: [Pod], annotations: {owner: "*@x"}', true],
  ['an annotation that is not there', 'kinds: [Pod], annotations: {other: "*"}', false],
  ["the namespace's labels", 'kinds: [Pod], namespaceSelector: {matchLabels: {env: prod}}', true],
  ["other labels of the namespace's", 'kinds: [Pod], namespaceSelector: {matchLabels: {env: test}}', false],
  ['an operation', 'kinds: [Pod], operations: [CREATE]', true],
  ['another operation', 'kinds: [Pod], operations: [UPDATE, DELETE]', false],
]
for (const [what, more, is] of rows)
  test(`${what}: ${is}`, () => {
    assert.equal(matches(resources(more), labelled, { namespaceLabels: { env: 'prod' } }), is)
  })

test('any is one of its filters, all is each of them', () => {
  const both = (of: string) =>
    `match: {${of}: [{resources: {kinds: [Pod]}}, {resources: {kinds: [Pod], namespaces: [shop]}}]}`
  assert.equal(matches(both('any')), true)
  assert.equal(matches(both('all')), false)
  assert.equal(matches(both('all'), podOf({}, { namespace: 'shop' })), true)
})

test('the older form without any and all', () => {
  assert.equal(matches('match: {resources: {kinds: [Pod]}}'), true)
  assert.equal(matches('match: {resources: {kinds: [Pod], namespaces: [shop]}}'), false)
})

test('exclude takes out', () => {
  assert.equal(matches(`${pods}, exclude: {any: [{resources: {namespaces: [sandbox]}}]}`), false)
  assert.equal(matches(`${pods}, exclude: {any: [{resources: {namespaces: [shop]}}]}`), true)
  const all = 'exclude: {all: [{resources: {namespaces: [sandbox]}}, {resources: {names: [q]}}]}'
  assert.equal(matches(`${pods}, ${all}`), true)
})

test('users, groups, ServiceAccounts and roles', () => {
  const by = (more: string) => `${pods}, exclude: {any: [{${more}}]}`
  const account = 'subjects: [{kind: ServiceAccount, name: ci, namespace: tools}]'
  assert.equal(matches(by(account), podOf(), { user: ci }), false)
  assert.equal(matches(by(account)), true)
  assert.equal(matches(by('subjects: [{kind: Group, name: "system:*"}]')), false)
  assert.equal(matches(by('subjects: [{kind: User, name: kubernetes-admin}]')), false)
  assert.equal(matches(by('subjects: [{kind: User, name: somebody}]')), true)
  assert.equal(matches(by('roles: ["sandbox:deployer"]'), podOf(), { user: ci }), false)
  assert.equal(matches(by('roles: ["sandbox:deployer"]')), true)
  assert.equal(matches(by('clusterRoles: [cluster-admin]')), false)
  assert.equal(matches(by('clusterRoles: [cluster-admin]'), podOf(), { user: ci }), true)
})

test('a Policy is about its own namespace', () => {
  assert.equal(matches(pods, podOf(), {}, 'Policy', '{name: p, namespace: sandbox}'), true)
  assert.equal(matches(pods, podOf(), {}, 'Policy', '{name: p, namespace: shop}'), false)
  const itself = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }
  assert.equal(matches(resources('kinds: ["*"]'), itself, {}, 'Policy', '{name: p, namespace: shop}'), false)
})

test('of a Namespace, names and namespaces are its own name', () => {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }
  assert.equal(matches(resources('kinds: [Namespace], namespaces: [shop]'), namespace), true)
  assert.equal(matches(resources('kinds: [Namespace], namespaceSelector: {}'), namespace), false)
})

test('a subresource has to be named, but for ephemeral containers of pods', () => {
  const asking = { operation: 'UPDATE', subResource: 'ephemeralcontainers' } as const
  assert.equal(matches(pods, podOf(), asking), true)
  assert.equal(matches(pods, podOf(), { ...asking, subResource: 'status' }), false)
  assert.equal(matches(resources('kinds: [Pod/status]'), podOf(), { ...asking, subResource: 'status' }), true)
})
