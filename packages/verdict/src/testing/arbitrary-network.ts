import type { CiliumRule, NetworkPolicy, Resource } from '@bulkhead/resources'
import fc from 'fast-check'
import type { NetworkOptions } from '../api.js'
import type { Payload, Protocol } from '../types.js'
import type { Packet } from './network-ask.js'
import { ccnp, cnp, netpol } from './network-objects.js'
import { podOf, worldNodes, worldPods } from './network-world.js'

/*
 * Test code: random network policies that are valid, and packets of the small world of network-world.ts. Its words are
 * few, so that policies and packets often meet.
 */

const oneOf = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values)
const some = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(arbitrary, { minLength: 1, maxLength: 2 })
const orMissing = <T>(arbitrary: fc.Arbitrary<T>, times = 4): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: times })

/** Without `undefined` in it, as YAML has it. */
function written<T>(value: unknown): T {
  return JSON.parse(JSON.stringify(value)) as T
}

// Selectors

const podLabels = oneOf<Record<string, string>>(
  { app: 'web' },
  { app: 'db' },
  { role: 'front' },
  { app: 'web', role: 'front' },
)
const plainExpressions = oneOf(
  { key: 'app', operator: 'In' as const, values: ['web', 'job'] },
  { key: 'app', operator: 'NotIn' as const, values: ['web'] },
  { key: 'role', operator: 'Exists' as const },
  { key: 'role', operator: 'DoesNotExist' as const },
)
const podSelector = fc.oneof(
  { weight: 3, arbitrary: podLabels.map((matchLabels) => ({ matchLabels })) },
  { weight: 5, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: some(plainExpressions).map((matchExpressions) => ({ matchExpressions })) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(podLabels, some(plainExpressions))
      .map(([matchLabels, matchExpressions]) => ({ matchLabels, matchExpressions })),
  },
)
const namespaceSelector = oneOf(
  {},
  { matchLabels: { team: 'red' } },
  { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
  { matchLabels: { 'kubernetes.io/metadata.name': 'c' } },
  { matchExpressions: [{ key: 'team', operator: 'NotIn' as const, values: ['red'] }] },
  { matchExpressions: [{ key: 'team', operator: 'Exists' as const }] },
)
/** What only Cilium's selectors can say: sources, namespaces, their labels, the ServiceAccount, reserved identities. */
const ciliumLabels = oneOf<Record<string, string>>(
  { 'k8s:app': 'web' },
  { 'any:app': 'db' },
  { 'io.kubernetes.pod.namespace': 'b' },
  { 'k8s:io.kubernetes.pod.namespace': 'c', app: 'web' },
  { 'k8s:io.kubernetes.pod.namespace': 'kube-system', 'k8s:k8s-app': 'kube-dns' },
  { 'any:io.kubernetes.pod.namespace': 'a' },
  { 'k8s:io.cilium.k8s.namespace.labels.team': 'red' },
  { 'io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name': 'c' },
  { 'io.cilium.k8s.policy.serviceaccount': 'db' },
  { 'k8s:io.cilium.k8s.policy.serviceaccount': 'web', 'k8s:io.kubernetes.pod.namespace': 'b' },
  { 'io.cilium.k8s.policy.cluster': 'default' },
  { 'reserved:host': '' },
  { 'reserved:world': '' },
)
const ciliumExpressions = oneOf(
  { key: 'io.kubernetes.pod.namespace', operator: 'Exists' as const },
  { key: 'k8s:io.kubernetes.pod.namespace', operator: 'In' as const, values: ['a', 'c'] },
  { key: 'k8s:io.cilium.k8s.namespace.labels.team', operator: 'Exists' as const },
)
const endpoints = fc.oneof(
  { weight: 3, arbitrary: podSelector },
  { weight: 3, arbitrary: ciliumLabels.map((matchLabels) => ({ matchLabels })) },
  { weight: 1, arbitrary: ciliumExpressions.map((one) => ({ matchExpressions: [one] })) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(podLabels, ciliumExpressions)
      .map(([matchLabels, one]) => ({ matchLabels, matchExpressions: [one] })),
  },
)

// Addresses

const probe = '169.254.7.127'
const outside = ['203.0.113.7', '203.0.113.80', '198.51.100.9', '169.254.169.254', probe, '2001:db8::7'] as const
const block = oneOf(
  { cidr: '0.0.0.0/0' },
  { cidr: '203.0.113.0/24' },
  { cidr: '203.0.113.0/24', except: ['203.0.113.64/26'] },
  { cidr: '10.244.0.0/16' },
  { cidr: '0.0.0.0/0', except: ['10.244.1.0/24', '169.254.0.0/16'] },
  { cidr: '172.18.0.0/16' },
  { cidr: `${podOf('b/web').ip}/32` },
  { cidr: `${probe}/32` },
  { cidr: '2001:db8::/32' },
)

// Ports

const protocol = oneOf(undefined, 'TCP' as const, 'TCP' as const, 'UDP' as const, 'SCTP' as const)
const kubernetesPort = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ protocol, port: oneOf<number | string>(53, 443, 5432, 8080, 15008, 'http', 'metrics') }),
  },
  { weight: 1, arbitrary: fc.record({ protocol, port: oneOf(53, 442), endPort: oneOf(443, 8080) }) },
  { weight: 1, arbitrary: fc.record({ protocol }) },
)
const ciliumProtocol = oneOf(undefined, 'ANY' as const, 'TCP' as const, 'TCP' as const, 'UDP' as const)
const ciliumPort = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      port: oneOf('53', '443', '5432', '8080', '15008', 'http', 'metrics', '0'),
      protocol: ciliumProtocol,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ port: oneOf('53', '442'), endPort: oneOf(443, 8080), protocol: ciliumProtocol }),
  },
)
const icmps = oneOf(
  [{ fields: [{ type: 8 }] }],
  [{ fields: [{ type: 'EchoRequest', family: 'IPv4' as const }] }],
  [{ fields: [{ type: 0 }, { type: 128, family: 'IPv6' as const }] }],
)

// What a proxy reads

const names = [
  'api.partner.example',
  'www.partner.example',
  'a.b.partner.example',
  'partner.example',
  'other.example',
] as const
const fqdn = oneOf(
  { matchName: 'api.partner.example' },
  { matchName: 'Other.Example.' },
  { matchPattern: '*.partner.example' },
  { matchPattern: '**.partner.example' },
  { matchPattern: 'a*.partner.example' },
  { matchPattern: '*' },
)
const serverNames = fc.uniqueArray(
  oneOf(
    'api.partner.example',
    'API.Partner.Example',
    '*.partner.example',
    '**.partner.example',
    'w*.partner.example',
    '*',
  ),
  { minLength: 1, maxLength: 2 },
)
const httpRule = oneOf(
  {},
  { method: 'GET' },
  { method: 'GET|POST', path: '/public' },
  { path: '/public.*' },
  { host: 'web\\.a' },
  { headers: ['X-Team: red'] },
  { method: 'GET', headers: ['X-Team'] },
  { headerMatches: [{ name: 'X-Team', value: 'red' }] },
)
/** One port and what is read at it. L7 is one family per port here, so that no two of a set contradict each other. */
const readPort = fc.oneof(
  {
    weight: 2,
    arbitrary: some(httpRule).map((http) => ({ ports: [{ port: '8080', protocol: 'TCP' as const }], rules: { http } })),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(some(fqdn), oneOf('UDP' as const, 'ANY' as const, 'TCP' as const))
      .map(([dns, proto]) => ({ ports: [{ port: '53', protocol: proto }], rules: { dns } })),
  },
  {
    weight: 3,
    arbitrary: serverNames.map((list) => ({ ports: [{ port: '443', protocol: 'TCP' as const }], serverNames: list })),
  },
)
const portsOnly = fc.array(ciliumPort, { minLength: 1, maxLength: 2 }).map((ports) => ({ ports }))

// Rules

/** What the policies of one set have in common. */
export interface Style {
  /** Of authentication, where a rule asks for it: two modes on one peer and port are refused. */
  readonly mode?: 'required' | 'test-always-fail' | 'disabled'
  /** Every rule that allows reads what it lets through. */
  readonly reading?: boolean
  /** Policies for nodes, whose connections nobody reads. */
  readonly nodes?: boolean
}

const entity = oneOf(
  ...([
    'all',
    'world',
    'world',
    'cluster',
    'all',
    'none',
    'world',
    'cluster',
    'host',
    'remote-node',
    'kube-apiserver',
    'ingress',
    'health',
    'init',
    'unmanaged',
  ] as const),
)
const address = oneOf(
  '203.0.113.0/24',
  '10.244.0.0/16',
  '172.18.0.0/16',
  '169.254.169.254/32',
  '0.0.0.0/0',
  `${probe}/32`,
  '2001:db8::7/128',
)
const service = oneOf(
  { k8sService: { serviceName: 'web', namespace: 'a' } },
  { k8sService: { serviceName: 'db', namespace: 'a' } },
  { k8sService: { serviceName: 'gone', namespace: 'a' } },
)
const or = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.oneof({ weight: 12, arbitrary: some(arbitrary) }, { weight: 1, arbitrary: fc.constant<T[]>([]) })

/** At most one kind of peer in a rule, as Cilium asks. */
function peers(way: 'from' | 'to', deny: boolean, { nodes }: Style): fc.Arbitrary<object> {
  const kinds: { weight: number; arbitrary: fc.Arbitrary<object> }[] = [
    { weight: 4, arbitrary: fc.constant({}) },
    { weight: 5, arbitrary: or(endpoints).map((list) => ({ [`${way}Endpoints`]: list })) },
    { weight: 3, arbitrary: or(entity).map((list) => ({ [`${way}Entities`]: list })) },
    { weight: 1, arbitrary: or(address).map((list) => ({ [`${way}CIDR`]: list })) },
    { weight: 2, arbitrary: or(block).map((list) => ({ [`${way}CIDRSet`]: list })) },
  ]
  if (way === 'to') {
    kinds.push({ weight: 1, arbitrary: some(service).map((list) => ({ toServices: list })) })
    if (!deny && nodes !== true) kinds.push({ weight: 4, arbitrary: some(fqdn).map((list) => ({ toFQDNs: list })) })
  }
  return fc.oneof(...kinds)
}

function ports(way: 'from' | 'to', deny: boolean, { reading, nodes }: Style): fc.Arbitrary<object> {
  const reads = way === 'to' ? readPort : readPort.filter((one) => 'rules' in one && 'http' in one.rules)
  if (reading === true && nodes !== true && !deny)
    return fc.array(reads, { minLength: 1, maxLength: 2 }).map((toPorts) => ({ toPorts }))
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant({}) },
    { weight: 4, arbitrary: some(portsOnly).map((toPorts) => ({ toPorts })) },
    { weight: 1, arbitrary: icmps.map((list) => ({ icmps: list })) },
    ...(deny || nodes === true
      ? []
      : [{ weight: 7, arbitrary: fc.array(reads, { minLength: 1, maxLength: 2 }).map((toPorts) => ({ toPorts })) }]),
    { weight: deny ? 0 : 1, arbitrary: fc.constant({ toPorts: [] }) },
  )
}

/** What is not modelled, and may decide. */
const odd = oneOf<object>({ fromNodes: [{}] }, { fromGroups: [{}] })

export function ciliumItem(way: 'from' | 'to', deny: boolean, style: Style): fc.Arbitrary<object> {
  const plain = fc.tuple(peers(way, deny, style), ports(way, deny, style)).map(([who, where]) => ({ ...who, ...where }))
  const { mode } = style
  const authentication =
    mode === undefined || deny ? plain : plain.map((rule) => ({ ...rule, authentication: { mode } }))
  const unread = odd.map(
    (rule) => (way === 'from' ? rule : JSON.parse(JSON.stringify(rule).replace('from', 'to'))) as object,
  )
  return fc.oneof(
    { weight: 16, arbitrary: plain },
    { weight: 3, arbitrary: authentication },
    { weight: 1, arbitrary: unread },
  )
}

const enableDefaultDeny = fc.option(
  fc.record({ ingress: oneOf(undefined, true, false), egress: oneOf(undefined, true, false) }),
  {
    nil: undefined,
    freq: 2,
  },
)

const podsOfNamespace = fc.oneof(
  { weight: 4, arbitrary: podSelector },
  { weight: 1, arbitrary: ciliumLabels.map((matchLabels) => ({ matchLabels })) },
)
const nodes = oneOf(
  {},
  { matchLabels: { 'kubernetes.io/hostname': podOf('b/agent').node } },
  { matchLabels: { 'reserved:host': '' } },
  { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'NotIn' as const, values: ['bulkhead-worker'] }] },
)
const subjects = {
  namespace: podsOfNamespace.map((selector) => ({ endpointSelector: selector })),
  cluster: endpoints.map((selector) => ({ endpointSelector: selector })),
  nodes: nodes.map((selector) => ({ nodeSelector: selector })),
}

function ciliumRule(style: Style, of: keyof typeof subjects): fc.Arbitrary<CiliumRule> {
  const items = (way: 'from' | 'to', deny: boolean): fc.Arbitrary<object[] | undefined> =>
    fc.option(fc.array(ciliumItem(way, deny, style), { maxLength: deny ? 1 : 3 }), {
      nil: undefined,
      freq: deny ? 2 : 8,
    })
  return fc
    .record({
      subject: subjects[of],
      ingress: items('from', false),
      ingressDeny: items('from', true),
      egress: items('to', false),
      egressDeny: items('to', true),
      enableDefaultDeny,
    })
    .map(({ subject: selector, ...rule }) => written<CiliumRule>({ ...selector, ...rule }))
    .filter(({ ingress, ingressDeny, egress, egressDeny }) =>
      [ingress, ingressDeny, egress, egressDeny].some((list) => (list ?? []).length > 0),
    )
}

// NetworkPolicy

const kubernetesPeer = fc.oneof(
  podSelector.map((selector) => ({ podSelector: selector })),
  namespaceSelector.map((selector) => ({ namespaceSelector: selector })),
  fc
    .tuple(podSelector, namespaceSelector)
    .map(([pods, namespaces]) => ({ podSelector: pods, namespaceSelector: namespaces })),
  block.map((ipBlock) => ({ ipBlock })),
)
function kubernetesRules(way: 'from' | 'to'): fc.Arbitrary<object[] | undefined> {
  return orMissing(
    fc.array(
      fc
        .record({
          peers: orMissing(fc.array(kubernetesPeer, { maxLength: 2 })),
          ports: orMissing(fc.array(kubernetesPort, { maxLength: 2 }), 2),
        })
        .map(({ peers: list, ports: where }) => ({ [way]: list, ports: where })),
      { maxLength: 2 },
    ),
  )
}
type NetworkSpec = NetworkPolicy['spec']
export const kubernetesSpec: fc.Arbitrary<NetworkSpec> = fc
  .record({
    podSelector: orMissing(podSelector, 8),
    policyTypes: oneOf(undefined, [], ['Ingress'], ['Egress'], ['Ingress', 'Egress'], ['Ingress', 'Egress']),
    ingress: kubernetesRules('from'),
    egress: kubernetesRules('to'),
  })
  .map((spec) => written<NetworkSpec>(spec))

// Sets

export type RandomNetworkPolicy =
  | { readonly kind: 'NetworkPolicy'; readonly namespace: string; readonly spec: NetworkSpec }
  | { readonly kind: 'CiliumNetworkPolicy'; readonly namespace: string; readonly specs: readonly CiliumRule[] }
  | { readonly kind: 'CiliumClusterwideNetworkPolicy'; readonly specs: readonly CiliumRule[] }

const namespace = oneOf('a', 'a', 'a', 'a', 'a', 'b', 'c')

export function networkPolicy(style: Style = {}): fc.Arbitrary<RandomNetworkPolicy> {
  const specs = (rule: fc.Arbitrary<CiliumRule>): fc.Arbitrary<CiliumRule[]> =>
    fc.array(rule, { minLength: 1, maxLength: 2, size: 'xsmall' })
  const ofCluster = fc.oneof(
    { weight: 2, arbitrary: ciliumRule(style, 'cluster') },
    { weight: 1, arbitrary: ciliumRule({ nodes: true }, 'nodes') },
  )
  return fc.oneof(
    {
      weight: style.reading === true ? 0 : 3,
      arbitrary: fc.record({ kind: fc.constant('NetworkPolicy' as const), namespace, spec: kubernetesSpec }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('CiliumNetworkPolicy' as const),
        namespace,
        specs: specs(ciliumRule(style, 'namespace')),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('CiliumClusterwideNetworkPolicy' as const), specs: specs(ofCluster) }),
    },
  )
}

export const networkSet: fc.Arbitrary<RandomNetworkPolicy[]> = oneOf<Style>(
  {},
  {},
  { mode: 'required' },
  { mode: 'test-always-fail' },
  { mode: 'disabled' },
  { reading: true },
  { reading: true },
  { reading: true },
).chain((style) => {
  const [minLength, maxLength] = style.reading === true ? [1, 3] : [2, 6]
  return fc.array(networkPolicy(style), { minLength, maxLength, size: 'medium' })
})

export function networkResources(set: readonly RandomNetworkPolicy[]): Resource[] {
  return set.map((policy, index) => {
    if (policy.kind === 'NetworkPolicy') return netpol(`${policy.namespace}/p${index}`, policy.spec)
    const [spec, ...more] = policy.specs
    const rules = spec !== undefined && more.length === 0 ? spec : policy.specs
    return policy.kind === 'CiliumNetworkPolicy'
      ? cnp(`${policy.namespace}/p${index}`, rules)
      : ccnp(`p${index}`, rules)
  })
}

/** Cilium in its default mode, mostly. */
export const networkOptions: fc.Arbitrary<NetworkOptions> = oneOf<NetworkOptions>(
  {},
  {},
  {},
  {},
  {},
  {},
  {},
  { reader: 'api' },
  { reader: 'api' },
  { reader: 'api' },
  { enforcement: 'always' },
  { enforcement: 'never' },
)

// Packets

const subject = oneOf(
  'a/web',
  'a/web',
  'a/web',
  'a/web',
  'a/db',
  'a/db',
  'a/job',
  'b/web',
  'c/web',
  'b/agent',
  'b/agent',
)
const peer = fc.oneof(
  { weight: 6, arbitrary: oneOf(...worldPods.keys()) },
  { weight: 1, arbitrary: oneOf(...worldPods.values()).map(({ ip }) => ip) },
  { weight: 1, arbitrary: oneOf(...worldNodes).map(({ ip }) => ip) },
  { weight: 4, arbitrary: oneOf(...outside) },
)
/** A service at a port: what is usually carried there. */
const carried = (port: number, protocol: Protocol): fc.Arbitrary<Payload | undefined> => {
  const dns = oneOf(...names).map((query): Payload => ({ kind: 'dns', query }))
  const tls = fc.oneof(
    oneOf(...names, 'wide.partner.example').map((sni): Payload => ({ kind: 'tls', sni })),
    fc.constant<Payload>({ kind: 'tls' }),
  )
  const http = fc
    .record({
      method: oneOf('GET', 'POST'),
      path: oneOf('/public', '/public?x=1', '/admin'),
      host: oneOf('web.a', 'webxa'),
      headers: oneOf<Record<string, string>>({}, { 'x-team': 'red' }, { 'x-team': 'blue' }),
    })
    .map((request): Payload => ({ kind: 'http', ...request }))
  const other = fc.constant<Payload>({ kind: 'other' })
  const none = fc.constant(undefined)
  if (protocol === 'UDP') return port === 53 ? fc.oneof(none, dns, dns) : none
  if (protocol !== 'TCP') return none
  if (port === 53) return fc.oneof(none, dns, dns, other)
  if (port === 443) return fc.oneof(none, tls, tls, other)
  return port === 8080 ? fc.oneof(none, http, http, other) : none
}

/** A packet by names of workloads; a peer may be an address. */
export type RandomPacket = Omit<Packet, 'pod' | 'peer'> & { readonly pod: string; readonly peer: string }

export function packetOf({ pod, peer: other, ...rest }: RandomPacket): Packet {
  return { ...rest, pod: podOf(pod), peer: worldPods.get(other) ?? { ip: other } }
}

export const packet: fc.Arbitrary<RandomPacket> = fc
  .record({
    direction: oneOf('egress' as const, 'ingress' as const),
    pod: subject,
    peer,
    where: oneOf<readonly [number, Protocol]>(
      [53, 'UDP'],
      [53, 'UDP'],
      [53, 'TCP'],
      [443, 'TCP'],
      [443, 'TCP'],
      [443, 'UDP'],
      [5432, 'TCP'],
      [8080, 'TCP'],
      [8080, 'TCP'],
      [8080, 'UDP'],
      [8080, 'SCTP'],
      [15008, 'TCP'],
      [15008, 'TCP'],
      [10250, 'TCP'],
      [0, 'ICMP'],
      [8, 'ICMP'],
    ),
    learned: fc.subarray(['api.partner.example', 'a.b.partner.example', 'other.example'], { maxLength: 2 }),
  })
  // A pod that calls itself crosses no wall.
  .filter(({ pod, peer: other }) => (worldPods.get(other)?.ip ?? other) !== podOf(pod).ip)
  .chain(({ where: [port, protocol], learned, direction, ...rest }) =>
    carried(port, protocol).map((payload) => ({
      ...rest,
      direction,
      port,
      protocol,
      ...(direction === 'egress' && { learned }),
      ...(payload !== undefined && { payload }),
    })),
  )
