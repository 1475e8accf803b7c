import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CiliumNetworkPolicy } from '../../kinds-network.js'
import { parseManifests } from '../../parse.js'
import { only, problems } from '../../testing.js'

const policy = (spec: string, kind = 'CiliumNetworkPolicy') =>
  `apiVersion: cilium.io/v2\nkind: ${kind}\nmetadata: { name: p${kind === 'CiliumNetworkPolicy' ? ', namespace: shop' : ''} }\nspec:\n  ${spec}`
const rule = (section: string, item: string) => policy(`endpointSelector: {}\n  ${section}: [${item}]`)
const ingress = (item: string) => rule('ingress', item)
const egress = (item: string) => rule('egress', item)
const port = (text: string) => ingress(`{ toPorts: [{ ports: [${text}] }] }`)
const web = 'ports: [{ port: "80", protocol: TCP }]'
const tls = 'ports: [{ port: "443", protocol: TCP }]'
const dns = 'ports: [{ port: "53", protocol: ANY }]'

const codes = (text: string) => problems(text).map((one) => one.replace(/ [0-9:]+$/, ''))
const message = (text: string) =>
  parseManifests(text, 'p.yaml')
    .diagnostics.map(({ message }) => message)
    .join('\n')

const held = (table: readonly (readonly [string, readonly string[]])[]) => {
  for (const [text, expected] of table)
    assert.deepEqual(
      codes(text).filter((one) => one !== 'warning l7.removed'),
      expected,
      text,
    )
}

test('what Cilium takes is read, and a missing list stays different from an empty one (B.2)', () => {
  const spec = (text: string) => {
    const { resources } = parseManifests(text, 'p.yaml')
    return (resources[0]?.object as CiliumNetworkPolicy | undefined)?.spec
  }
  assert.deepEqual(only(ingress('{}')).object, {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
    metadata: { name: 'p', namespace: 'shop' },
    spec: { endpointSelector: {}, ingress: [{}] },
  })
  assert.deepEqual(spec(ingress('{ fromEndpoints: [], toPorts: [] }'))?.ingress, [{ fromEndpoints: [], toPorts: [] }])
  assert.deepEqual(spec(policy('endpointSelector: {}\n  ingress: []\n  egress: [{}]'))?.ingress, [])
  for (const text of [
    ingress('{ fromEndpoints: [{}] }'),
    ingress(
      `{ fromEndpoints: [{ matchLabels: { "k8s:app": a, "any:b": c, io.kubernetes.pod.namespace: d } }], toPorts: [{ ${web}, rules: { http: [{}, { method: GET, path: "/a/[0-9]+", headers: ["x: y"] }] } }] }`,
    ),
    ingress(
      '{ fromEndpoints: [{ matchLabels: { "k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name": a } }] }',
    ),
    ingress('{ fromEndpoints: [{ matchExpressions: [{ key: "reserved:host", operator: Exists }] }] }'),
    ingress('{ icmps: [{ fields: [{ type: 8 }, { type: EchoRequest, family: IPv6 }, { type: "255" }] }] }'),
    port('{ port: "0" }'),
    port('{ port: "80", endPort: 90 }, { port: http, protocol: ANY }, { port: HTTP-alt }, { port: "65535" }'),
    egress(
      `{ toEndpoints: [{}], toPorts: [{ ${dns}, rules: { dns: [{ matchName: a.b. }, { matchPattern: "*" }] } }] }, { toFQDNs: [{ matchPattern: "**.a.b" }], toPorts: [{ ${tls}, serverNames: [a.b, "*.a.b", "**.a.b"] }] }`,
    ),
    egress('{ toCIDRSet: [{ cidr: 0.0.0.0/0, except: [10.0.0.0/8, "172.16.0.0/12"] }] }'),
    egress('{ toCIDR: ["fd00::/8"] }, { toEntities: [world, kube-apiserver] }'),
    egress(`{ toPorts: [{ ${web}, listener: { name: l, envoyConfig: { name: c } } }] }`),
    egress(
      `{ toPorts: [{ ${tls}, serverNames: [a], terminatingTLS: { secret: { name: s } }, rules: { http: [{}] } }] }`,
    ),
    rule('egressDeny', '{ toEntities: [all] }'),
    policy('nodeSelector: {}\n  ingress: [{}]', 'CiliumClusterwideNetworkPolicy'),
    policy(
      'endpointSelector: { matchLabels: { io.kubernetes.pod.namespace: a } }\n  enableDefaultDeny: { ingress: false }\n  ingressDeny: [{ fromEntities: [world] }]',
      'CiliumClusterwideNetworkPolicy',
    ),
    policy('endpointSelector: {}\n  ingress: [{}]').replace('spec:\n  ', 'specs:\n- '),
  ])
    assert.deepEqual(problems(text), [], text)
})

test('B.1: a rule needs a section with something in it', () => {
  held([
    [policy('endpointSelector: {}'), ['error spec.sections']],
    [policy('endpointSelector: {}\n  ingress: []'), ['error spec.sections']],
    [
      policy('endpointSelector: {}\n  ingress: []\n  egress: []\n  ingressDeny: []\n  egressDeny: []'),
      ['error spec.sections'],
    ],
    [policy('endpointSelector: {}\n  ingress:\n  egress: [{}]'), ['warning field.null']],
    [
      'apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: { name: p, namespace: a }',
      ['error spec.missing'],
    ],
    [
      'apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: { name: p, namespace: a }\nspecs: []',
      ['error spec.missing'],
    ],
  ])
})

test('B.4: one subject, which is pods, or in a clusterwide policy nodes; one way to say who in an item', () => {
  const ccnp = (spec: string) => policy(spec, 'CiliumClusterwideNetworkPolicy')
  held([
    [policy('ingress: [{}]'), ['error spec.subject']],
    [policy('nodeSelector: {}\n  ingress: [{}]'), ['error spec.subject']],
    [policy('endpointSelector: {}\n  nodeSelector: {}\n  ingress: [{}]'), ['error spec.subject']],
    [ccnp('ingress: [{}]'), ['error spec.subject']],
    [ccnp('endpointSelector: {}\n  nodeSelector: {}\n  ingress: [{}]'), ['error spec.subject']],
    [ccnp(`nodeSelector: {}\n  ingress: [{ toPorts: [{ ${web}, rules: { http: [{}] } }] }]`), ['error l7.host']],
    // Vector 76.
    [egress('{ toCIDR: [10.0.0.0/8], toEndpoints: [{}] }'), ['error peer.combination']],
    [
      egress(
        '{ toFQDNs: [{ matchName: a.b }], toEntities: [world] }, { toPorts: [{ ports: [{ port: "53" }], rules: { dns: [{ matchPattern: "*" }] } }] }',
      ),
      ['error peer.combination'],
    ],
    [ingress('{ fromCIDR: [10.0.0.0/8], fromCIDRSet: [{ cidr: 10.0.0.0/8 }] }'), ['error peer.combination']],
    [ingress('{ fromEndpoints: [{}], fromNodes: [{}] }'), ['error peer.combination']],
    [ingress('{ fromEndpoints: [{ matchLabels: { "k8s:a b": c } }] }'), ['error label.form']],
    [ingress('{ fromEndpoints: [{ matchLabels: { a: "b c" } }] }'), ['error field.value']],
    [ingress('{ fromEndpoints: [{ matchExpressions: [{ key: a, operator: In }] }] }'), ['error selector.values']],
    [
      ingress('{ fromEndpoints: [{ matchExpressions: [{ key: a, operator: in, values: [b] }] }] }'),
      ['error field.value'],
    ],
    [ingress('{ fromRequires: [{}] }'), ['error field.unknown']],
    [egress('{ toRequires: [{}] }'), ['error field.unknown']],
    [ingress('{ fromEntities: [wrold] }'), ['error field.value']],
    [ingress('{ fromEntities: [world-ipv4] }'), ['error field.value']],
    [ingress('{ fromEntities: [cluster-mesh] }'), []],
    [egress('{ toEntities: [world-ipv6] }'), ['error field.value']],
  ])
  assert.match(message(egress('{ toRequires: [{}] }')), /toRequires is not taken: Cilium 1\.19 has removed it/)
  assert.match(message(ingress('{ fromEndpont: [{}] }')), /did you mean "fromEndpoints"\?/)
})

test('B.6: blocks and ports', () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => `{ port: "${index + 1}" }`).join(', ')
  held([
    [ingress('{ fromCIDR: [10.0.0.1] }'), ['error value.cidr']],
    [ingress('{ fromCIDRSet: [{ cidr: 10.0.0.0/8, except: [11.0.0.0/16] }] }'), ['error cidr.except']],
    [ingress('{ fromCIDRSet: [{ cidr: 10.0.0.0/8, except: [10.0.0.0/8] }] }'), []],
    [ingress('{ fromCIDRSet: [{ cidr: 10.0.0.0/8, cidrGroupRef: a }] }'), ['error peer.empty']],
    [ingress('{ fromCIDRSet: [{}] }'), ['error peer.empty']],
    [port('{ port: "99999" }'), ['error value.port']],
    [port('{ port: "080" }'), ['error value.port']],
    [port('{ port: 80 }'), ['error field.type']],
    [port('{ port: "-1" }'), ['error value.port']],
    [port('{ port: a_b }'), ['error value.port']],
    [port('{ protocol: TCP }'), ['error value.port']],
    [port('{ port: "80", protocol: ICMP }'), ['error field.value']],
    ...['VRRP', 'IGMP', 'GRE', 'IPIP', 'IPV6', 'ESP', 'AH'].flatMap((name): [string, string[]][] => [
      [port(`{ protocol: ${name} }`), ['warning protocol.option']],
      [port(`{ port: "0", protocol: ${name} }`), ['warning protocol.option']],
      [port(`{ port: "80", protocol: ${name} }`), ['error value.port']],
    ]),
    [port('{ port: "80", endPort: 79 }'), ['error ports.end']],
    [port('{ port: "80", endPort: 65536 }'), ['error field.value']],
    [port('{ port: http, endPort: 90 }'), ['warning ports.end']],
    [port(many(40)), []],
    [port(many(41)), ['error field.too-many']],
    [rule('ingressDeny', `{ toPorts: [{ ports: [${many(41)}] }] }`), ['error field.too-many']],
    [ingress('{ icmps: [{ fields: [{ type: 8 }] }], toPorts: [{ ports: [{ port: "80" }] }] }'), ['error icmp.ports']],
    [ingress('{ icmps: [{ fields: [{ type: 256 }] }] }'), ['error field.value']],
    [ingress('{ icmps: [{ fields: [{ type: Ping }] }] }'), ['error field.value']],
    [
      egress(`{ toPorts: [{ ports: [{ port: "53", endPort: 54 }], rules: { dns: [{ matchPattern: "*" }] } }] }`),
      ['error l7.port'],
    ],
    [egress(`{ toPorts: [{ rules: { dns: [{ matchPattern: "*" }] } }] }`), ['error l7.port']],
    [ingress(`{ toPorts: [{ ${dns}, rules: { dns: [{ matchPattern: "*" }] } }] }`), ['error l7.direction']],
    [egress(`{ toPorts: [{ ${dns}, rules: { dns: [{}] } }] }`), ['error fqdn.one']],
    [egress(`{ toPorts: [{ ${dns}, rules: { dns: [{ matchName: a, matchPattern: b }] } }] }`), ['error fqdn.one']],
    [egress(`{ toPorts: [{ ${dns}, rules: { dns: [{ matchName: "*.a" }] } }] }`), ['error field.value']],
    [ingress('{ toPorts: [{ ports: [{ port: "0", protocol: TCP }], rules: { http: [{}] } }] }'), ['error l7.port']],
  ])
})

test('B.7: requests are read of TCP, by one proxy, with expressions of RE2', () => {
  const l7 = (rules: string, ports = web) => ingress(`{ toPorts: [{ ${ports}, rules: ${rules} }] }`)
  held([
    // Vector 53.
    [l7('{ http: [{}] }', 'ports: [{ port: "80", protocol: UDP }]'), ['error l7.protocol']],
    [l7('{ http: [{}] }', 'ports: [{ port: "80" }]'), ['error l7.protocol']],
    [
      egress(`{ toPorts: [{ ports: [{ port: "53", protocol: SCTP }], rules: { dns: [{ matchPattern: "*" }] } }] }`),
      ['error l7.protocol'],
    ],
    // Vector 51, in one rule, in two of one object, and in two of its specs.
    [l7('{ http: [{}], kafka: [{}] }'), ['error l7.family']],
    [
      ingress(`{ toPorts: [{ ${web}, rules: { http: [{}] } }] }, { toPorts: [{ ${web}, rules: { kafka: [{}] } }] }`),
      ['error l7.conflict'],
    ],
    [
      policy(
        `endpointSelector: {}\n  ingress: [{ toPorts: [{ ${web}, rules: { http: [{}] } }] }]\nspecs:\n- endpointSelector: {}\n  ingress: [{ toPorts: [{ ${web}, rules: { kafka: [{}] } }] }]`,
      ),
      ['error l7.conflict'],
    ],
    // Of different peers, on different ports, or for other pods, they do not meet.
    [
      ingress(
        `{ fromEndpoints: [{ matchLabels: { a: b } }], toPorts: [{ ${web}, rules: { http: [{}] } }] }, { fromEndpoints: [{}], toPorts: [{ ${web}, rules: { kafka: [{}] } }] }`,
      ),
      [],
    ],
    [
      ingress(`{ toPorts: [{ ${web}, rules: { http: [{}] } }] }, { toPorts: [{ ${tls}, rules: { kafka: [{}] } }] }`),
      [],
    ],
    [
      ingress(
        `{ authentication: { mode: required }, toPorts: [{ ${web} }] }, { authentication: { mode: disabled }, toPorts: [{ ${web} }] }`,
      ),
      ['error authentication.conflict'],
    ],
    [l7('{}'), ['error l7.family']],
    [l7('{ l7: [{ a: b }] }'), ['error l7.proto']],
    [l7('{ l7proto: r2d2, l7: [{ a: b }] }'), []],
    [l7('{ http: [{ path: "/a(?=b)" }] }'), ['error regex.invalid']],
    [l7('{ http: [{ method: "(" }] }'), ['error regex.invalid']],
    [l7('{ http: [{ host: "*.a" }] }'), ['error regex.invalid']],
    [l7('{ http: [{ path: "(?i)/a|[[:alpha:]]" }] }'), []],
    [
      ingress(`{ toPorts: [{ ${web}, listener: { name: l, envoyConfig: { name: c } } }] }`),
      ['error listener.direction'],
    ],
    [
      egress(`{ toPorts: [{ ${web}, listener: { name: l, envoyConfig: { name: c } }, rules: { http: [{}] } }] }`),
      ['error listener.l7'],
    ],
  ])
})

test('B.7: rules that Cilium 1.20 has no more are read as 1.19 has them, and told', () => {
  const l7 = (rules: string) => ingress(`{ toPorts: [{ ${web}, rules: ${rules} }] }`)
  assert.deepEqual(codes(l7('{ kafka: [{ topic: a }] }')), ['warning l7.removed'])
  assert.deepEqual(codes(l7('{ l7proto: r2d2, l7: [{ a: b }] }')), ['warning l7.removed', 'warning l7.removed'])
  assert.deepEqual(codes(l7('{ http: [{}] }')), [])
  assert.match(message(l7('{ kafka: [{}] }')), /Cilium 1\.20 has no kafka rules any more/)
})

test('B.7: server names and patterns of them', () => {
  const sni = (names: string) => egress(`{ toPorts: [{ ${tls}, serverNames: [${names}] }] }`)
  for (const name of ['', '.', 'a|b', '(a)', '^a$', 'a b', 'a..b', '.a', '[a-z].b', 'a/b', 'a..'])
    assert.deepEqual(codes(sni(JSON.stringify(name))), ['error field.value'], name)
  for (const name of ['a', 'a.', '*', '*.b', 'a*.b', 'a.*.b', '**', '**.', '***', '**.b', '***.b'])
    assert.deepEqual(codes(sni(JSON.stringify(name))), [], name)
  for (const name of ['a.**.b', 'c**', '**c.a', '**.**.a']) {
    assert.deepEqual(codes(sni(JSON.stringify(name))), ['warning pattern.stars'], name)
    const asked = `{ toPorts: [{ ${dns}, rules: { dns: [{ matchPattern: "${name}" }] } }] }`
    assert.deepEqual(codes(egress(asked)), ['warning pattern.stars'], name)
  }
  held([
    [sni(''), ['error field.too-few']],
    [sni('a, a'), ['error field.repeated']],
    [egress(`{ toPorts: [{ ${tls}, serverNames: [a], rules: { http: [{}] } }] }`), ['error sni.l7']],
    [egress(`{ toPorts: [{ ports: [{ port: "443", protocol: UDP }], serverNames: [a] }] }`), ['warning sni.protocol']],
  ])
})

test('B.3: a deny rule reads no requests and no names, and authenticates nobody', () => {
  held([
    [rule('ingressDeny', `{ toPorts: [{ ${web}, rules: { http: [{}] } }] }`), ['error field.unknown']],
    [rule('egressDeny', `{ toPorts: [{ ${tls}, serverNames: [a] }] }`), ['error field.unknown']],
    [rule('egressDeny', '{ toFQDNs: [{ matchName: a }] }'), ['error field.unknown']],
    [rule('ingressDeny', '{ fromEndpoints: [{}], authentication: { mode: required } }'), ['error field.unknown']],
  ])
  assert.match(message(rule('egressDeny', '{ toFQDNs: [{ matchName: a }] }')), /names cannot be denied, only allowed/)
})

test('what is taken and does not do what it looks like is a warning', () => {
  held([
    // B.2: an explicit empty list (vectors 37 and 38).
    [ingress(`{ fromEndpoints: [], toPorts: [{ ${web} }] }`), ['warning peer.nobody']],
    [egress(`{ toEndpoints: [], toPorts: [{ ${web} }] }`), ['warning peer.nobody']],
    [
      ingress('{ fromEntities: [] }, { fromCIDR: [] }, { fromCIDRSet: [] }, { fromNodes: [] }'),
      Array(4).fill('warning peer.nobody'),
    ],
    // B.1: an empty section beside one that is not.
    [policy('endpointSelector: {}\n  ingress: []\n  egress: [{}]'), ['warning section.empty']],
    // B.2: vector 36, and the fault of the lab's original.
    [rule('ingressDeny', '{}'), ['warning deny.nothing']],
    [rule('egressDeny', '{}'), ['warning deny.nothing']],
    [rule('egressDeny', '{ toPorts: [{ ports: [{ port: "80" }] }] }'), []],
    // B.6: vector 61, and 60, which is right.
    [egress('{ toFQDNs: [{ matchName: a.b }] }'), ['warning fqdn.no-dns']],
    [
      policy(
        `endpointSelector: {}\n  egress: [{ toFQDNs: [{ matchName: a.b }] }]\nspecs:\n- endpointSelector: {}\n  egress: [{ toPorts: [{ ${dns}, rules: { dns: [{ matchPattern: "*" }] } }] }]`,
      ),
      [],
    ],
    [
      policy(
        `endpointSelector: { matchLabels: { a: b } }\n  egress: [{ toFQDNs: [{ matchName: a.b }] }]\nspecs:\n- endpointSelector: {}\n  egress: [{ toPorts: [{ ${dns}, rules: { dns: [{ matchPattern: "*" }] } }] }]`,
      ),
      ['warning fqdn.no-dns'],
    ],
    // B.6: the API server's Service selects no pods.
    [
      egress('{ toServices: [{ k8sService: { serviceName: kubernetes, namespace: default } }] }'),
      ['warning services.kubernetes'],
    ],
    [egress('{ toServices: [{ k8sService: { serviceName: web, namespace: shop } }] }'), []],
    // B.4: the namespace of a CiliumNetworkPolicy is its own.
    [
      policy('endpointSelector: { matchLabels: { "k8s:io.kubernetes.pod.namespace": other } }\n  ingress: [{}]'),
      ['warning selector.namespace'],
    ],
    [policy('endpointSelector: { matchLabels: { io.kubernetes.pod.namespace: shop } }\n  ingress: [{}]'), []],
    [
      policy(
        'endpointSelector: { matchExpressions: [{ key: io.kubernetes.pod.namespace, operator: Exists }] }\n  ingress: [{}]',
      ),
      ['warning selector.namespace'],
    ],
  ])
})

test('an error has the exact place', () => {
  assert.deepEqual(problems(port('{ port: "99999" }')), ['error value.port 6:37'])
  assert.deepEqual(problems(egress(`{ toPorts: [{ ${tls}, serverNames: [a, "b.."] }] }`)), ['error field.value 6:84'])
  assert.deepEqual(problems(policy('endpointSelector: {}\n  ingress: [{}]').replace('/v2', '/v2alpha1')), [
    'error kind.version 1:1',
  ])
})

test('long names and expressions are answered at once', () => {
  const before = process.cpuUsage()
  const name = `${'a'.repeat(254)}!`
  codes(
    egress(
      `{ toFQDNs: [{ matchName: "${name}" }, { matchPattern: "${'*'.repeat(254)}!" }], toPorts: [{ ${tls}, serverNames: ["${name}"] }] }`,
    ),
  )
  codes(
    ingress(
      `{ toPorts: [{ ${web}, rules: { http: [{ path: "${'(a+)+'.repeat(800)}" }, { path: "${'a'.repeat(5000)}" }] } }] }`,
    ),
  )
  const { user, system } = process.cpuUsage(before)
  assert.ok(user + system < 1_000_000, `${user + system} us`)
})
