import type { CiliumRule } from '@bulkhead/resources'
import fc from 'fast-check'
import {
  block,
  ciliumLabels,
  ciliumPort,
  endpoints,
  icmps,
  oneOf,
  podSelector,
  probe,
  some,
  written,
} from './arbitrary-selectors.js'
import { podOf } from './network-world.js'

/*
 * Test code: random rules of Cilium's policies, each as Cilium takes it.
 */

// What a proxy reads

export const names = [
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

function ciliumItem(way: 'from' | 'to', deny: boolean, style: Style): fc.Arbitrary<object> {
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

export function ciliumRule(style: Style, of: keyof typeof subjects): fc.Arbitrary<CiliumRule> {
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
