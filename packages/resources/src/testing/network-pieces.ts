import { ANY_FIELDS, ANY_VALUES, type Pieces } from './pieces.js'

const FIELDS = [
  ...['endpointSelector', 'nodeSelector', 'ingress', 'ingressDeny', 'egress', 'egressDeny', 'enableDefaultDeny'],
  ...['fromEndpoints', 'fromEntities', 'fromCIDR', 'fromCIDRSet', 'fromNodes', 'toEndpoints', 'toEntities', 'toCIDR'],
  ...['toCIDRSet', 'toFQDNs', 'toServices', 'toPorts', 'ports', 'port', 'endPort', 'protocol', 'rules', 'http', 'dns'],
  ...['kafka', 'l7', 'l7proto', 'serverNames', 'listener', 'icmps', 'fields', 'type', 'authentication', 'mode'],
  ...['matchLabels', 'matchExpressions', 'key', 'operator', 'values', 'matchName', 'matchPattern', 'cidr', 'except'],
  ...['path', 'method', 'host', 'headers', 'podSelector', 'namespaceSelector', 'policyTypes', 'ipBlock', 'from', 'to'],
  'fromRequires',
]
const VALUES = [
  ...['http', 'TCP', 'UDP', 'ANY', 'all', 'world', '10.0.0.0/8', '10.0.0.1', '::/0', '0.0.0.0/0', '10.0.0.0/8/9'],
  ...['::ffff:1.2.3.4/120', 'a.b', '*', '**.a.b', '***', 'c**', 'a.', '/a/[0-9]+', 'In', 'Exists', 'required'],
  ...['Ingress', 'k8s:a', 'reserved:host'],
]

const networkPolicy = {
  podSelector: { matchLabels: { app: 'a' } },
  policyTypes: ['Ingress', 'Egress'],
  ingress: [{ from: [{ podSelector: {}, namespaceSelector: {} }], ports: [{ port: 80, endPort: 81 }] }],
  egress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }] }],
}

const ciliumPolicy = {
  endpointSelector: { matchLabels: { app: 'a' }, matchExpressions: [{ key: 'b', operator: 'Exists' }] },
  enableDefaultDeny: { ingress: false },
  ingress: [
    {
      fromEndpoints: [{ matchLabels: { 'k8s:app': 'b' } }],
      authentication: { mode: 'required' },
      toPorts: [{ ports: [{ port: '80', protocol: 'TCP' }], rules: { http: [{ method: 'GET', path: '/a' }] } }],
    },
    { icmps: [{ fields: [{ type: 8, family: 'IPv4' }] }] },
  ],
  ingressDeny: [{ fromCIDRSet: [{ cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] }] }],
  egress: [
    { toPorts: [{ ports: [{ port: '53' }], rules: { dns: [{ matchPattern: '*.a' }] } }] },
    {
      toFQDNs: [{ matchName: 'a.b' }],
      toPorts: [{ ports: [{ port: '443', protocol: 'TCP' }], serverNames: ['a.b'] }],
    },
  ],
  egressDeny: [{ toEntities: ['world'], toPorts: [{ ports: [{ port: 'http' }] }] }],
}

/** NetworkPolicies and Cilium's. They select pods with `app: a`, and Cilium's `b` beside it. */
export const networkPieces: Pieces = {
  words: { fields: [...FIELDS, ...ANY_FIELDS], values: [...ANY_VALUES, ...VALUES] },
  kinds: ['NetworkPolicy', 'CiliumNetworkPolicy', 'CiliumClusterwideNetworkPolicy'],
  right: (kind) => (kind === 'NetworkPolicy' ? networkPolicy : ciliumPolicy),
  manifest: ({ kind, spec }) => ({
    apiVersion: kind === 'NetworkPolicy' ? 'networking.k8s.io/v1' : 'cilium.io/v2',
    kind,
    metadata: kind.includes('Clusterwide') ? { name: 'p' } : { name: 'p', namespace: 'shop' },
    spec,
  }),
}
