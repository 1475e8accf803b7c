import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseManifests } from '../parse.js'
import { problems } from '../testing.js'

const object = (kind: string, rest: string) =>
  `apiVersion: rbac.authorization.k8s.io/v1\nkind: ${kind}\nmetadata: { name: a${/Cluster/.test(kind) ? '' : ', namespace: shop'} }\n${rest}\n`
const role = (rule: string, kind = 'ClusterRole') => object(kind, `rules: [${rule}]`)
const binding = (subjects: string, ref = 'kind: ClusterRole, name: r', kind = 'ClusterRoleBinding') =>
  object(kind, `subjects: [${subjects}]\nroleRef: { apiGroup: rbac.authorization.k8s.io, ${ref} }`)
const message = (text: string) => parseManifests(text, 'm.yaml').diagnostics[0]?.message

const good =
  '{ apiGroups: [""], resources: [pods, pods/log, endpoints], verbs: [get, list, watch], resourceNames: [x] }'

test('rules that a cluster takes', () => {
  for (const text of [
    role(good),
    role(good, 'Role'),
    role('{ nonResourceURLs: [/metrics, /healthz/*], verbs: [get] }'),
    role('{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }'),
    role('{ apiGroups: [example.org], resources: [pod], verbs: [synchronise] }'),
    object('ClusterRole', ''),
  ])
    assert.deepEqual(problems(text), [], text)
})

test('a rule that could allow nothing, or that a cluster refuses, is told at its place', () => {
  const cases: readonly [text: string, problem: string, words: RegExp][] = [
    [
      role('{ apiGroups: [""], resource: [pods], verbs: [get] }'),
      'error field.unknown 4:28',
      /unknown field "resource" in rules\[0\]; did you mean "resources"/,
    ],
    [role('{ apiGroups: [""], resources: [pods], verbs: get }'), 'error field.type 4:47', /must be a list/],
    [role('{ apiGroups: [""], resources: [pods] }'), 'error field.missing 4:9', /verbs is missing/],
    [
      role('{ apiGroups: [""], resources: [pods], verbs: [] }'),
      'error field.missing 4:47',
      /without verbs allows nothing/,
    ],
    [role('{ resources: [pods], verbs: [get] }'), 'error field.missing 4:9', /"" is the core group/],
    [role('{ apiGroups: [""], verbs: [get] }'), 'error field.missing 4:9', /set resources to a list/],
    [
      role('{ nonResourceURLs: [/x], verbs: [get] }', 'Role'),
      'error rbac.non-resource 4:11',
      /put nonResourceURLs into a ClusterRole/,
    ],
    [
      role('{ nonResourceURLs: [/x], apiGroups: [""], resources: [pods], verbs: [get] }'),
      'error rbac.non-resource 4:11',
      /write two rules/,
    ],
    [
      role('{ apiGroups: [""], resources: [pods], verbs: [lsit] }'),
      'warning rbac.verb 4:55',
      /"lsit"; did you mean "list"/,
    ],
    [
      role('{ apiGroups: [""], resources: [Pod], verbs: [get] }'),
      'warning rbac.resource 4:40',
      /"Pod", so this allows nothing; did you mean "pods"/,
    ],
    [
      object('ClusterRole', 'aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: b } }] }'),
      'warning rbac.aggregation 4:1',
      /here it grants nothing/,
    ],
    [object('Role', 'aggregationRule: {}'), 'error field.unknown 4:1', /unknown field "aggregationRule"/],
  ]
  for (const [text, problem, words] of cases) {
    assert.equal(problems(text)[0], problem, text)
    assert.match(message(text) ?? '', words)
  }
})

test('whom a binding may name, and what', () => {
  const account = '{ kind: ServiceAccount, name: s, namespace: shop }'
  for (const text of [
    binding(account),
    binding('{ kind: User, name: u, apiGroup: rbac.authorization.k8s.io }, { kind: Group, name: g }'),
    binding('{ kind: ServiceAccount, name: s }', 'kind: Role, name: r', 'RoleBinding'),
    binding('', 'kind: ClusterRole, name: r', 'RoleBinding'),
  ])
    assert.deepEqual(problems(text), [], text)
  const cases: readonly [text: string, problem: string, words: RegExp][] = [
    [
      binding(account, 'kind: Role, name: r'),
      'error field.value 5:49',
      /of a ClusterRoleBinding it must be ClusterRole/,
    ],
    [binding(account, 'kind: ClusterRol, name: r'), 'error field.value 5:49', /did you mean "ClusterRole"/],
    [binding(account, 'kind: ClusterRole, name: ""'), 'error field.missing 5:68', /roleRef.name is empty/],
    [
      binding(account).replace('apiGroup: rbac.authorization.k8s.io', 'apiGroup: ""'),
      'error field.value 5:12',
      /must be rbac.authorization.k8s.io/,
    ],
    [binding('{ kind: ServiceAcount, name: s }'), 'error field.value 4:14', /did you mean "ServiceAccount"/],
    [binding('{ kind: ServiceAccount, name: s }'), 'error field.missing 4:12', /set namespace beside its name/],
    [binding('{ kind: User, name: "" }'), 'error field.missing 4:26', /is empty/],
    [binding('{ kind: User, name: u, apiGroup: x }'), 'error field.value 4:35', /apiGroup of a User/],
    [
      binding('{ kind: ServiceAccount, name: s, namespace: shop, apiGroup: rbac.authorization.k8s.io }'),
      'error field.value 4:62',
      /apiGroup of a ServiceAccount is ""/,
    ],
    [
      binding('{ kind: User, name: u, namespaces: x }'),
      'error field.unknown 4:35',
      /unknown field "namespaces" in subjects\[0\]/,
    ],
  ]
  for (const [text, problem, words] of cases) {
    assert.deepEqual(problems(text), [problem], text)
    assert.match(message(text) ?? '', words)
  }
})
