import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuthorizationPolicy } from '../kinds.js'
import { parseManifests } from '../parse.js'
import { only, problems } from '../testing.js'

/** spec from line 4 on, indented by two. */
const policy = (spec: string) =>
  `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: { name: p, namespace: shop }\n${spec}`
const rule = (text: string, action = 'ALLOW') => policy(`spec:\n  action: ${action}\n  rules:\n    - ${text}`)
const source = (text: string) => rule(`from: [{ source: { ${text} } }]`)
const operation = (text: string) =>
  policy(`spec:\n  targetRefs: [{ kind: Service, name: s }]\n  rules:\n    - to: [{ operation: { ${text} } }]`)
const atWaypoint = (text: string) => text.replace('spec:\n', 'spec:\n  targetRefs: [{ kind: Service, name: s }]\n')
const when = (text: string) =>
  policy(`spec:\n  targetRefs: [{ kind: Service, name: s }]\n  rules:\n    - when: [{ ${text} }]`)
const codes = (text: string) => problems(text).map((problem) => problem.replace(/ \d+:\d+$/, ''))

test('what istiod takes without a word', () => {
  for (const text of [
    policy('spec: {}'),
    policy(''),
    policy('spec:\n  rules: []'),
    policy('spec:\n  action: DENY\n  rules: [{}]'),
    policy(
      'spec:\n  action: CUSTOM\n  provider: { name: opa }\n  targetRefs: [{ kind: Service, name: s }]\n  rules: [{}]',
    ),
    policy(
      'spec:\n  targetRefs: [{ group: gateway.networking.k8s.io, kind: Gateway, name: g }, { kind: Service, name: s, group: "" }]',
    ),
    source('principals: ["cluster.local/ns/shop/sa/sleep", "*", "cluster.local/ns/shop/*", "*/sa/sleep"]'),
    source('notPrincipals: ["*"], namespaces: [shop], notNamespaces: ["kube-*"]'),
    source('serviceAccounts: [sleep, shop/sleep], notServiceAccounts: [x]'),
    source('ipBlocks: [10.0.0.1, 10.0.0.0/8, "::1", "fd00::/8", 0.0.0.0/0]'),
    rule('to: [{ operation: { ports: ["8080", "0"], notPorts: ["65535"] } }]'),
    operation('methods: [GET], paths: ["/a/*", "/b/{*}/c/{**}", "/x{y"], hosts: ["*.example.com"]').replace(
      ', "/x{y"',
      '',
    ),
    when('key: "request.headers[x-user]", values: ["*"]'),
    when('key: source.ip, notValues: [10.0.0.0/8]'),
    when('key: "request.auth.claims[a][b]", values: [x]'),
  ]) {
    assert.deepEqual(problems(text), [], text)
  }
})

test('what istiod and its schema refuse is an error', () => {
  const table: [string, string][] = [
    [policy('spec:\n  action: DENY'), 'rules.meaningless'],
    [policy('spec:\n  action: DENY\n  rules: []'), 'rules.meaningless'],
    [policy('spec:\n  action: ALOW'), 'field.value'],
    [
      policy('spec:\n  action: AUDIT\n  provider: { name: x }\n  targetRefs: [{ kind: Service, name: s }]'),
      'spec.provider',
    ],
    [policy('spec:\n  action: CUSTOM\n  targetRefs: [{ kind: Service, name: s }]\n  rules: [{}]'), 'spec.provider'],
    [
      policy('spec:\n  selector: { matchLabels: { app: a } }\n  targetRefs: [{ kind: Service, name: s }]'),
      'spec.attachment',
    ],
    [
      policy(
        `spec:\n  targetRefs: [${Array.from({ length: 17 }, (_, i) => `{ kind: Service, name: s${i} }`).join(', ')}]`,
      ),
      'field.too-many',
    ],
    [policy('spec:\n  targetRefs: [{ kind: Pod, name: s }]'), 'target.kind'],
    [policy('spec:\n  targetRefs: [{ kind: Gateway, name: s }]'), 'target.group'],
    [policy('spec:\n  targetRefs: [{ kind: Service, name: s, namespace: other }]'), 'target.namespace'],
    [policy('spec:\n  targetRefs: [{ kind: Service }]'), 'field.missing'],
    [policy('spec:\n  selector: { matchLabels: { app: "web-*" } }'), 'selector.wildcard'],
    [policy('spec:\n  selector: { matchLabels: { a: b }, matchExpressions: [] }'), 'field.unknown'],
    [policy('spec:\n  rules: {}'), 'field.type'],
    [policy('spec:\n  rules: [null]'), 'field.type'],
    [rule('from: [{}]'), 'source.empty'],
    [rule('to: [{}]'), 'operation.empty'],
    [source(''), 'source.empty'],
    [rule('to: [{ operation: {} }]'), 'operation.empty'],
    [source('principals: ""'), 'field.type'],
    [source('principals: [""]'), 'value.empty'],
    [source('principls: [a]'), 'field.unknown'],
    [source('serviceAccounts: [a], principals: ["*"]'), 'source.combination'],
    [source('notServiceAccounts: [a], namespaces: [b]'), 'source.combination'],
    [source('serviceAccounts: ["a*"]'), 'value.service-account'],
    [source('serviceAccounts: [a/b/c]'), 'value.service-account'],
    [source('serviceAccounts: [/b]'), 'value.service-account'],
    [source(`serviceAccounts: [${Array(17).fill('a').join(', ')}]`), 'field.too-many'],
    [atWaypoint(source('trustDomains: [a/b]')), 'value.trust-domain'],
    [atWaypoint(source('trustDomains: ["a*b"]')), 'value.wildcard'],
    [source('ipBlocks: [10.0.0.256]'), 'value.address'],
    [source('ipBlocks: [10.0.0.0/33]'), 'value.address'],
    [source('ipBlocks: [10.0.0.0/08]'), 'value.address'],
    [source('ipBlocks: [10.0.0]'), 'value.address'],
    [source('notIpBlocks: ["fd00::/129"]'), 'value.address'],
    [rule('to: [{ operation: { ports: [8080] } }]'), 'field.type'],
    [rule('to: [{ operation: { ports: ["http"] } }]'), 'value.port'],
    [rule('to: [{ operation: { ports: ["65536"] } }]'), 'value.port'],
    [rule('to: [{ operation: { notPorts: ["-1"] } }]'), 'value.port'],
    [operation('paths: ["/a/{**}/{*}"]'), 'value.path'],
    [operation('paths: ["/a/{id}"]'), 'value.path'],
    [operation('paths: ["/a/{*}/b*"]'), 'value.path'],
    [when('values: [a]'), 'field.missing'],
    [when('key: "", values: [a]'), 'value.empty'],
    [when('key: source.namespace'), 'condition.no-values'],
    [when('key: source.namespace, values: []'), 'condition.no-values'],
    [when('key: source.nmespace, values: [a]'), 'condition.key'],
    [when('key: request.headers, values: [a]'), 'condition.key'],
    [when('key: "request.headers[]", values: [a]'), 'condition.key'],
    [when('key: destination.namespace, values: [a]'), 'condition.key'],
    [when('key: source.ip, values: [shop]'), 'value.address'],
    [when('key: destination.port, values: [http]'), 'value.port'],
  ]
  for (const [text, code] of table) assert.deepEqual(codes(text), [`error ${code}`], text)
})

test('CUSTOM takes no identities', () => {
  const custom = policy(
    'spec:\n  action: CUSTOM\n  provider: { name: opa }\n  targetRefs: [{ kind: Service, name: s }]\n  rules:\n    - from: [{ source: { namespaces: [shop] } }]\n      when: [{ key: request.auth.principal, values: ["*"] }]',
  )
  assert.deepEqual(problems(custom), ['error custom.unsupported 9:26', 'error custom.unsupported 10:16'])
})

test('what istiod takes although it does not do what it looks like is a warning', () => {
  const table: [string, string][] = [
    [policy('spec:\n  selector: {}'), 'selector.empty'],
    [rule('from: []'), 'clause.empty'],
    [source('principals: [], namespaces: [shop]'), 'list.empty'],
    [source('principals: [something/else]'), 'value.principal-form'],
    [source('principals: ["spiffe://cluster.local/ns/shop/sa/sleep"]'), 'value.principal-form'],
    [source('principals: ["cluster.local/ns/*/sa/sleep"]'), 'value.principal-form'],
    [source('namespaces: ["a*b"]'), 'value.inner-star'],
    [source('ipBlocks: [10.0.0.7/8]'), 'value.address-host-bits'],
  ]
  for (const [text, code] of table) assert.deepEqual(codes(text), [`warning ${code}`], text)
})

test('an error has the exact place, quotes the value and guesses what was meant', () => {
  const { diagnostics } = parseManifests(
    policy('spec:\n  rules:\n    - from:\n        - source:\n            principls:\n              - x\n'),
    'p.yaml',
  )
  assert.deepEqual(diagnostics, [
    {
      severity: 'error',
      code: 'field.unknown',
      message:
        'AuthorizationPolicy/shop/p: unknown field "principls" in spec.rules[0].from[0].source; did you mean "principals"?',
      at: { file: 'p.yaml', line: 8, column: 13 },
    },
  ])
  const [port] = parseManifests(rule('to: [{ operation: { ports: [8080] } }]'), 'p.yaml').diagnostics
  assert.match(
    port?.message ?? '',
    /spec\.rules\[0\]\.to\[0\]\.operation\.ports\[0\] is 8080, a number, and must be a string; put it in quotes: "8080"/,
  )
})

test("the seed's deny-all is refused as the webhook does, and told what to write", () => {
  const [denied, ...rest] = parseManifests(policy('spec:\n  action: DENY\n  rules: []'), 'p.yaml').diagnostics
  assert.deepEqual(rest, [])
  assert.deepEqual(denied?.at, { file: 'p.yaml', line: 6, column: 3 })
  assert.match(denied?.message ?? '', /DENY without rules is meaningless.*rules: \[\{\}\].*spec: \{\}/)
  assert.deepEqual(problems(policy('spec:\n  action: DENY\n  rules: [{}]')), [])
})

test('the single targetRef is read as one of targetRefs, so that no reader takes the policy for one of all pods', () => {
  const { object } = only(policy('spec:\n  targetRef: { kind: Service, name: s }'))
  assert.deepEqual((object as AuthorizationPolicy).spec, { targetRefs: [{ kind: 'Service', name: 's' }] })
})

test('a rehearsal says that it is one', () => {
  const dry = (value: string, spec = '') =>
    policy(spec).replace('namespace: shop', `namespace: shop, annotations: { istio.io/dry-run: ${value} }`)
  assert.deepEqual(codes(dry('"true"')), ['warning policy.dry-run'])
  assert.deepEqual(codes(dry('"false"')), [])
  assert.deepEqual(codes(dry('"maybe"')), ['error annotation.dry-run'])
})
