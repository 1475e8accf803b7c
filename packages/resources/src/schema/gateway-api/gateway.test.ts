import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseManifests } from '../../parse.js'
import { problems } from '../../testing.js'

const object = (kind: string, spec: string, version = 'v1') =>
  `apiVersion: gateway.networking.k8s.io/${version}\nkind: ${kind}\nmetadata: { name: g, namespace: shop }\n${spec}`
const gateway = (listeners: string, more = '') =>
  object('Gateway', `spec:\n  gatewayClassName: istio\n  listeners: [${listeners}]\n${more}`)
const listener = (more = '') => gateway(`{ name: a, port: 80, protocol: HTTP${more === '' ? '' : `, ${more}`} }`)
const codes = (text: string) => problems(text).map((problem) => problem.replace(/ \d+:\d+$/, ''))

test('Gateways, GatewayClasses and ReferenceGrants that the API server takes', () => {
  const valid = [
    listener(),
    listener('hostname: "*.example.org"'),
    listener('allowedRoutes: { namespaces: { from: All }, kinds: [{ kind: HTTPRoute }] }'),
    listener('allowedRoutes: { namespaces: { from: Selector, selector: { matchLabels: { team: shop } } } }'),
    gateway('{ name: a, port: 80, protocol: HTTP }, { name: b, port: 80, protocol: HTTP, hostname: b.example }'),
    gateway('{ name: a, port: 443, protocol: HTTPS, tls: { certificateRefs: [{ name: cert }] } }'),
    gateway('{ name: a, port: 443, protocol: TLS, tls: { mode: Passthrough } }'),
    gateway('{ name: a, port: 15008, protocol: HBONE }'),
    gateway('{ name: a, port: 1, protocol: example.org/own }'),
    gateway(
      '{ name: a, port: 80, protocol: HTTP }',
      '  infrastructure:\n    labels: { a: b }\n    parametersRef: { group: "", kind: ConfigMap, name: front }\n  addresses: [{ value: 10.0.0.1 }, { type: Hostname, value: front.shop.svc }]\n',
    ),
    listener().replace('/v1\n', '/v1beta1\n'),
    object('GatewayClass', 'spec: { controllerName: istio.io/gateway-controller }').replace(', namespace: shop', ''),
    object(
      'ReferenceGrant',
      'spec: { from: [{ group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: a }], to: [{ group: "", kind: Service }] }',
      'v1beta1',
    ),
  ]
  for (const text of valid) assert.deepEqual(problems(text), [], text)
})

test('what the API server refuses is an error', () => {
  const many = (count: number, one: (index: number) => string) =>
    Array.from({ length: count }, (_, i) => one(i)).join(', ')
  const table: [string, string][] = [
    [object('Gateway', ''), 'field.missing'],
    [object('Gateway', 'spec: { gatewayClassName: istio, listeners: [] }'), 'field.too-few'],
    [object('Gateway', 'spec: { listeners: [{ name: a, port: 80, protocol: HTTP }] }'), 'field.missing'],
    [gateway('{ name: a, port: 80 }'), 'field.missing'],
    [gateway('{ name: A, port: 80, protocol: HTTP }'), 'field.value'],
    [gateway('{ name: a, port: 0, protocol: HTTP }'), 'field.value'],
    [gateway('{ name: a, port: 65536, protocol: HTTP }'), 'field.value'],
    [gateway('{ name: a, port: "80", protocol: HTTP }'), 'field.type'],
    [gateway('{ name: a, port: 80, protocol: "HT TP" }'), 'field.value'],
    [listener('hostname: "*"'), 'field.value'],
    [listener('hostname: Shop.example'), 'field.value'],
    [listener('hostname: a.*.example'), 'field.value'],
    [listener('hostname: ""'), 'field.value'],
    [listener('hostnames: [a.example]'), 'field.unknown'],
    [listener('allowedRoutes: { namespaces: { from: Every } }'), 'field.value'],
    [listener('tls: { certificateRefs: [{ name: cert }] }'), 'listener.tls'],
    [gateway('{ name: a, port: 443, protocol: HTTPS, tls: { mode: Passthrough } }'), 'listener.tls'],
    [gateway('{ name: a, port: 443, protocol: HTTPS, tls: {} }'), 'listener.tls'],
    [gateway('{ name: a, port: 443, protocol: TLS }'), 'listener.tls'],
    [gateway('{ name: a, port: 9000, protocol: TCP, hostname: a.example }'), 'listener.hostname'],
    [gateway('{ name: a, port: 80, protocol: HTTP }, { name: a, port: 81, protocol: HTTP }'), 'field.repeated'],
    [gateway('{ name: a, port: 80, protocol: HTTP }, { name: b, port: 80, protocol: HTTP }'), 'listener.conflict'],
    [gateway(many(65, (i) => `{ name: l${i}, port: ${i + 1}, protocol: HTTP }`)), 'field.too-many'],
    [gateway('{ name: a, port: 80, protocol: HTTP }', '  addresses: [{ value: front }]\n'), 'value.address'],
    [
      gateway('{ name: a, port: 80, protocol: HTTP }', '  addresses: [{ type: Hostname, value: a_b }]\n'),
      'value.hostname',
    ],
    [
      gateway('{ name: a, port: 80, protocol: HTTP }', '  addresses: [{ value: 10.0.0.1 }, { value: 10.0.0.1 }]\n'),
      'field.repeated',
    ],
    [gateway('{ name: a, port: 80, protocol: HTTP }', '  infrastructure: { labels: { "a b": c } }\n'), 'label.form'],
    [
      gateway(
        '{ name: a, port: 80, protocol: HTTP }',
        `  infrastructure: { labels: { ${many(9, (i) => `l${i}: x`)} } }\n`,
      ),
      'field.too-many',
    ],
    [object('GatewayClass', 'spec: { controllerName: istio }').replace(', namespace: shop', ''), 'field.value'],
    [object('ReferenceGrant', 'spec: { from: [], to: [{ group: "", kind: Service }] }'), 'field.too-few'],
    [
      object(
        'ReferenceGrant',
        'spec: { from: [{ group: gateway.networking.k8s.io, kind: HTTPRoute }], to: [{ group: "", kind: Service }] }',
      ),
      'field.missing',
    ],
    [
      object('Gateway', 'spec: {}', 'v1alpha2').replace('spec: {}', listener().split('shop }\n')[1] ?? ''),
      'kind.version',
    ],
  ]
  for (const [text, code] of table) assert.deepEqual(codes(text), [`error ${code}`], text)
})

test('a selector that selects nothing by mistake is a warning: the API server takes it', () => {
  const from = (expression: string) =>
    listener(`allowedRoutes: { namespaces: { from: Selector, selector: { matchExpressions: [${expression}] } } }`)
  assert.deepEqual(codes(from('{ key: team, operator: In, values: [shop] }')), [])
  assert.deepEqual(codes(from('{ key: team, operator: in, values: [shop] }')), ['warning selector.operator'])
  assert.deepEqual(codes(from('{ key: team, operator: In }')), ['warning selector.values'])
  assert.deepEqual(codes(from('{ key: team, operator: Exists, values: [shop] }')), ['warning selector.values'])
})

test('an error has the exact place, quotes the value and guesses what was meant', () => {
  const { diagnostics } = parseManifests(listener('hostnme: a.example'), 'g.yaml')
  assert.deepEqual(diagnostics, [
    {
      severity: 'error',
      code: 'field.unknown',
      message: 'Gateway/shop/g: unknown field "hostnme" in spec.listeners[0]; did you mean "hostname"?',
      at: { file: 'g.yaml', line: 6, column: 52 },
    },
  ])
  const [form] = parseManifests(listener('hostname: "*"'), 'g.yaml').diagnostics
  assert.match(
    form?.message ?? '',
    /spec\.listeners\[0\]\.hostname is "\*", which is not a host name: .*at most a "\*\." before it/,
  )
})
