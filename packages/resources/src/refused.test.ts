import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problems } from './testing.js'

/*
 * What is refused by code and not by a schema, rule by rule: the API server's own checks, Cilium's parser (a policy that it does not
 * take is not in force, although the API server has it), istiod's webhook. Sections: A NetworkPolicy, B Cilium, C Istio, as the
 * tests of each kind number them, which try more of each rule.
 */

const network = (spec: string) =>
  `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: p, namespace: shop }\nspec: { podSelector: {}, ${spec} }`
const peer = (text: string) => network(`ingress: [{ from: [${text}] }]`)
const cilium = (spec: string, kind = 'CiliumNetworkPolicy') =>
  `apiVersion: cilium.io/v2\nkind: ${kind}\nmetadata: { name: p${kind === 'CiliumNetworkPolicy' ? ', namespace: shop' : ''} }\nspec: { ${spec} }`
const section = (name: string, item: string) => cilium(`endpointSelector: {}, ${name}: [${item}]`)
const ports = (text: string, rules = '') => `toPorts: [{ ports: [${text}]${rules === '' ? '' : `, ${rules}`} }]`
const web = '{ port: "80", protocol: TCP }'
const istio = (kind: string, spec: string) =>
  `apiVersion: security.istio.io/v1\nkind: ${kind}\nmetadata: { name: p, namespace: shop }\nspec: { ${spec} }`
const authorization = (spec: string) => istio('AuthorizationPolicy', spec)
const toService = 'targetRefs: [{ kind: Service, name: a }]'
const source = (text: string) => authorization(`rules: [{ from: [{ source: { ${text} } }] }]`)
const operation = (text: string) => authorization(`${toService}, rules: [{ to: [{ operation: { ${text} } }] }]`)
const when = (text: string) => authorization(`${toService}, rules: [{ when: [{ ${text} }] }]`)

const rules: readonly [rule: string, bad: string, code: string, good: string][] = [
  ['A.2 a peer is somebody', peer('{}'), 'peer.empty', peer('{ podSelector: {} }')],
  [
    'A.2 a block stands alone',
    peer('{ ipBlock: { cidr: 10.0.0.0/8 }, podSelector: {} }'),
    'peer.combination',
    peer('{ ipBlock: { cidr: 10.0.0.0/8 } }'),
  ],
  [
    'A.2 what is left out lies inside',
    peer('{ ipBlock: { cidr: 10.0.0.0/8, except: [11.0.0.0/16] } }'),
    'cidr.except',
    peer('{ ipBlock: { cidr: 10.0.0.0/8, except: [10.1.0.0/16] } }'),
  ],
  [
    'A.3 a range begins with a number',
    network('ingress: [{ ports: [{ port: http, endPort: 90 }] }]'),
    'ports.end',
    network('ingress: [{ ports: [{ port: 80, endPort: 90 }] }]'),
  ],
  [
    'A.3 a range ends after it begins',
    network('ingress: [{ ports: [{ port: 80, endPort: 79 }] }]'),
    'ports.end',
    network('ingress: [{ ports: [{ port: 80, endPort: 80 }] }]'),
  ],
  ['B.1 a rule has a section', cilium('endpointSelector: {}, ingress: []'), 'spec.sections', section('ingress', '{}')],
  [
    'B.3 what is denied carries no requests',
    section('ingressDeny', `{ ${ports(web, 'rules: { http: [{}] }')} }`),
    'field.unknown',
    section('ingressDeny', `{ ${ports(web)} }`),
  ],
  [
    'B.3 names are not denied',
    section('egressDeny', '{ toFQDNs: [{ matchName: a.b }] }'),
    'field.unknown',
    section('egressDeny', '{ toCIDR: [10.0.0.0/8] }'),
  ],
  [
    'B.4 nodes are subjects of a clusterwide policy alone',
    cilium('nodeSelector: {}, ingress: [{}]'),
    'spec.subject',
    cilium('nodeSelector: {}, ingress: [{}]', 'CiliumClusterwideNetworkPolicy'),
  ],
  [
    'B.4 one subject',
    cilium('endpointSelector: {}, nodeSelector: {}, ingress: [{}]', 'CiliumClusterwideNetworkPolicy'),
    'spec.subject',
    cilium('endpointSelector: {}, ingress: [{}]', 'CiliumClusterwideNetworkPolicy'),
  ],
  [
    'B.4 one way to say who',
    section('egress', '{ toCIDR: [10.0.0.0/8], toEndpoints: [{}] }'),
    'peer.combination',
    section('egress', '{ toCIDR: [10.0.0.0/8] }, { toEndpoints: [{}] }'),
  ],
  ['B.4 no requirements', section('ingress', '{ fromRequires: [{}] }'), 'field.unknown', section('ingress', '{}')],
  [
    'B.5 an entity is one that Cilium has',
    section('egress', '{ toEntities: [internet] }'),
    'field.value',
    section('egress', '{ toEntities: [world] }'),
  ],
  [
    'B.6 a port is one of 65535',
    section('ingress', `{ ${ports('{ port: "99999" }')} }`),
    'value.port',
    section('ingress', `{ ${ports('{ port: "65535" }')} }`),
  ],
  [
    'B.6 forty ports',
    section('ingress', `{ ${ports(Array.from({ length: 41 }, (_, port) => `{ port: "${port + 1}" }`).join(', '))} }`),
    'field.too-many',
    section('ingress', `{ ${ports(Array.from({ length: 40 }, (_, port) => `{ port: "${port + 1}" }`).join(', '))} }`),
  ],
  [
    'B.6 ICMP has no ports',
    section('ingress', `{ icmps: [{ fields: [{ type: 8 }] }], ${ports(web)} }`),
    'icmp.ports',
    section('ingress', `{ icmps: [{ fields: [{ type: 8 }] }] }, { ${ports(web)} }`),
  ],
  [
    'B.6 questions for names go out',
    section('ingress', `{ ${ports('{ port: "53" }', 'rules: { dns: [{ matchPattern: "*" }] }')} }`),
    'l7.direction',
    section('egress', `{ ${ports('{ port: "53" }', 'rules: { dns: [{ matchPattern: "*" }] }')} }`),
  ],
  [
    'B.6 and to no range of ports',
    section('egress', `{ ${ports('{ port: "53", endPort: 54 }', 'rules: { dns: [{ matchPattern: "*" }] }')} }`),
    'l7.port',
    section('egress', `{ ${ports('{ port: "53", endPort: 54 }')} }`),
  ],
  [
    'B.7 requests are read of TCP',
    section('ingress', `{ ${ports('{ port: "80", protocol: UDP }', 'rules: { http: [{}] }')} }`),
    'l7.protocol',
    section('ingress', `{ ${ports(web, 'rules: { http: [{}] }')} }`),
  ],
  [
    'B.7 by one proxy',
    section(
      'egress',
      `{ ${ports('{ port: "53", protocol: TCP }', 'rules: { http: [{}], dns: [{ matchName: a }] }')} }`,
    ),
    'l7.family',
    section('egress', `{ ${ports('{ port: "53", protocol: TCP }', 'rules: { dns: [{ matchName: a }] }')} }`),
  ],
  [
    "B.7 with RE2's expressions",
    section('ingress', `{ ${ports(web, 'rules: { http: [{ path: "/a(?=b)" }] }')} }`),
    'regex.invalid',
    section('ingress', `{ ${ports(web, 'rules: { http: [{ path: "/ab?" }] }')} }`),
  ],
  [
    'B.7 a server name is a name, or a pattern of one',
    section('egress', `{ ${ports('{ port: "443", protocol: TCP }', 'serverNames: ["a|b"]')} }`),
    'field.value',
    section('egress', `{ ${ports('{ port: "443", protocol: TCP }', 'serverNames: ["a.b"]')} }`),
  ],
  [
    'B.7 names or requests',
    section('egress', `{ ${ports('{ port: "443", protocol: TCP }', 'serverNames: [a], rules: { http: [{}] }')} }`),
    'sni.l7',
    section('egress', `{ ${ports('{ port: "443", protocol: TCP }', 'rules: { http: [{}] }')} }`),
  ],
  [
    'B.8 one way to know each other',
    section(
      'ingress',
      `{ authentication: { mode: required }, ${ports(web)} }, { authentication: { mode: disabled }, ${ports(web)} }`,
    ),
    'authentication.conflict',
    section('ingress', `{ authentication: { mode: required }, ${ports(web)} }`),
  ],
  [
    'B.8 a listener is for what goes out',
    section('ingress', `{ ${ports(web, 'listener: { name: l, envoyConfig: { name: c } }')} }`),
    'listener.direction',
    section('egress', `{ ${ports(web, 'listener: { name: l, envoyConfig: { name: c } }')} }`),
  ],
  [
    'C.2 a port has a selector',
    istio('PeerAuthentication', 'portLevelMtls: { 80: { mode: STRICT } }'),
    'ports.no-selector',
    istio('PeerAuthentication', 'selector: { matchLabels: { a: b } }, portLevelMtls: { 80: { mode: STRICT } }'),
  ],
  [
    'C.3 who denies says what (vector 90)',
    authorization('action: DENY, rules: []'),
    'rules.meaningless',
    authorization('action: DENY, rules: [{}]'),
  ],
  [
    'C.3 CUSTOM names who is asked',
    authorization(`action: CUSTOM, ${toService}, rules: [{}]`),
    'spec.provider',
    authorization(`action: CUSTOM, provider: { name: opa }, ${toService}, rules: [{}]`),
  ],
  [
    'C.3 a clause says something',
    authorization('rules: [{ from: [{ source: {} }] }]'),
    'source.empty',
    source('namespaces: [a]'),
  ],
  [
    'C.4 pods or targets',
    authorization(`selector: { matchLabels: { a: b } }, ${toService}`),
    'spec.attachment',
    authorization(toService),
  ],
  [
    'C.4 sixteen targets',
    authorization(`targetRefs: [${Array(17).fill('{ kind: Service, name: a }').join(', ')}]`),
    'field.too-many',
    authorization(toService),
  ],
  [
    'C.4 a target of its own namespace',
    authorization('targetRefs: [{ kind: Service, name: a, namespace: b }]'),
    'target.namespace',
    authorization(toService),
  ],
  [
    'C.4 a target that can be one',
    authorization('targetRefs: [{ kind: Pod, name: a }]'),
    'target.kind',
    authorization(toService),
  ],
  [
    'C.6 accounts, or principals and namespaces',
    source('serviceAccounts: [a], principals: ["*"]'),
    'source.combination',
    source('serviceAccounts: [a]'),
  ],
  [
    'C.6 an account by its name',
    source('serviceAccounts: ["a*"]'),
    'value.service-account',
    source('serviceAccounts: [b/a]'),
  ],
  ['C.6 an address or a block', source('ipBlocks: [10.0.0.256]'), 'value.address', source('ipBlocks: [10.0.0.255]')],
  ['C.6 a port is a number', operation('ports: ["http"]'), 'value.port', operation('ports: ["80"]')],
  ['C.6 a path has one template', operation('paths: ["/a/{*}/b*"]'), 'value.path', operation('paths: ["/a/{*}/b"]')],
  [
    'C.6 a condition is on what is known',
    when('key: source.nmespace, values: [a]'),
    'condition.key',
    when('key: source.namespace, values: [a]'),
  ],
  [
    'C.6 and has values',
    when('key: source.namespace'),
    'condition.no-values',
    when('key: source.namespace, values: [a]'),
  ],
]

for (const [rule, bad, code, good] of rules)
  test(`${rule}, or it is refused`, () => {
    const errors = (text: string) => problems(text).filter((one) => one.startsWith('error '))
    assert.deepEqual(errors(good), [])
    assert.deepEqual(
      errors(bad).map((one) => one.split(' ')[1]),
      [code],
      bad,
    )
  })
