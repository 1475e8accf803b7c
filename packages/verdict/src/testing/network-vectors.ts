import type {
  CiliumEgressRule,
  CiliumIngressRule,
  CiliumPortRule,
  CiliumRule,
  NetworkPolicy,
  Resource,
} from '@bulkhead/resources'
import type { NetworkOptions } from '../api.js'
import type { Payload, Protocol } from '../types.js'
import type { NaiveWhy } from './naive-network.js'
import { ccnp, cnp, netpol } from './network-objects.js'

/*
 * Test code: the golden vectors G.1 (NetworkPolicy) and G.2 (Cilium), as far as they are about one packet, for both
 * evaluators. Vectors of refused objects stand with what refuses them.
 */

/** One packet of a vector, asked at `at`. A party is a workload, `node` (the destination's own), `other-node` or an address. */
export interface Ask {
  readonly from: string
  readonly to: string
  readonly at: 'egress' | 'ingress'
  readonly port?: number
  readonly protocol?: Protocol
  readonly learned?: readonly string[]
  readonly payload?: Payload
  readonly says: NaiveWhy
  readonly reads?: 'tls' | 'http' | 'dns'
}

export interface Vector {
  /** The vector's number in semantics G. */
  readonly line: number
  readonly policies: readonly Resource[]
  readonly network?: NetworkOptions
  readonly asks: readonly Ask[]
}

type Spec = NetworkPolicy['spec']
type Rest = Partial<Pick<Ask, 'port' | 'protocol' | 'learned' | 'payload' | 'reads'>>

const into = (from: string, to: string, says: NaiveWhy, rest: Rest = {}): Ask => ({
  from,
  to,
  at: 'ingress',
  says,
  ...rest,
})
const out = (from: string, to: string, says: NaiveWhy, rest: Rest = {}): Ask => ({
  from,
  to,
  at: 'egress',
  says,
  ...rest,
})

// G.1: namespaces x, y, z with pods a, b, c, and the ports 80 and 81

const inX = (spec: Spec, name = 'p'): Resource => netpol(`x/${name}`, spec)
const onA = { podSelector: { matchLabels: { pod: 'a' } } }
const onX = { podSelector: {} }
const ingress = (rule: NonNullable<Spec['ingress']>[number], more: Partial<Spec> = {}): Spec => ({
  ...onA,
  policyTypes: ['Ingress'],
  ingress: [rule],
  ...more,
})
const denyIngress: Spec = { ...onX, policyTypes: ['Ingress'] }
const dnsOnly: Spec = {
  ...onX,
  policyTypes: ['Ingress', 'Egress'],
  egress: [{ ports: [{ protocol: 'UDP', port: 53 }] }],
}
const dns = { port: 53, protocol: 'UDP' as const }
const others = {
  podSelector: { matchExpressions: [{ key: 'pod', operator: 'In' as const, values: ['b', 'c'] }] },
  namespaceSelector: { matchExpressions: [{ key: 'ns', operator: 'NotIn' as const, values: ['x'] }] },
}
const nsX = { namespaceSelector: { matchLabels: { ns: 'x' } } }
const podB = { podSelector: { matchLabels: { pod: 'b' } } }

export function kubernetesVectors(ipOf: (workload: string) => string): Vector[] {
  const block = (workload: string, bits: number): string => `${ipOf(workload)}/${bits}`
  return [
    { line: 1, policies: [inX(denyIngress)], asks: [into('y/a', 'x/a', 'default')] },
    { line: 2, policies: [inX(denyIngress)], asks: [out('x/a', 'y/a', 'open'), into('x/a', 'y/a', 'open')] },
    { line: 3, policies: [inX(dnsOnly)], asks: [out('x/a', 'kube-system/coredns', 'allow', dns)] },
    { line: 4, policies: [inX(dnsOnly)], asks: [out('x/a', 'y/b', 'default')] },
    { line: 5, policies: [inX(ingress({ from: [others] }))], asks: [into('y/b', 'x/a', 'allow')] },
    { line: 6, policies: [inX(ingress({ from: [others] }))], asks: [into('y/a', 'x/a', 'default')] },
    { line: 7, policies: [inX(ingress({ from: [others] }))], asks: [into('x/b', 'x/a', 'default')] },
    {
      line: 8,
      policies: [inX(ingress({ from: [nsX, podB] }))],
      asks: [into('y/b', 'x/a', 'default'), into('x/b', 'x/a', 'allow'), into('x/c', 'x/a', 'allow')],
    },
    { line: 9, policies: [inX(ingress({ ports: [{ port: 81 }] }))], asks: [into('y/a', 'x/a', 'default')] },
    {
      line: 10,
      policies: [inX(ingress({ ports: [{ port: 81 }] })), inX(ingress({ ports: [{ port: 80 }] }), 'p2')],
      asks: [into('y/a', 'x/a', 'allow')],
    },
    { line: 11, policies: [inX(denyIngress), inX(ingress({}), 'all')], asks: [into('y/a', 'x/a', 'allow')] },
    {
      line: 12,
      policies: [inX(ingress({ ports: [{ port: 'serve-81-tcp' }] }))],
      asks: [into('y/a', 'x/a', 'allow', { port: 81 }), into('y/a', 'x/a', 'default')],
    },
    {
      line: 14,
      policies: [inX(ingress({ from: [{ namespaceSelector: { matchLabels: { ns2: 'updated' } } }] }))],
      asks: [into('y/a', 'x/a', 'default'), into('updated/a', 'x/a', 'allow')],
    },
    {
      line: 15,
      policies: [inX(ingress({ from: [{ podSelector: { matchLabels: { pod2: 'updated' } } }] }))],
      asks: [into('x/b', 'x/a', 'default'), into('x/updated', 'x/a', 'allow')],
    },
    {
      line: 16,
      policies: [
        inX({ ...onA, policyTypes: ['Egress'] }),
        netpol('y/in', {
          ...onA,
          ingress: [{ from: [{ ...onA, ...nsX }] }],
        }),
      ],
      asks: [out('x/a', 'y/a', 'default'), into('x/a', 'y/a', 'allow')],
    },
    { line: 17, policies: [], asks: [into('y/a', 'x/a', 'open')] },
    {
      line: 18,
      policies: [inX(ingress({ from: [{ podSelector: {} }] }))],
      asks: [into('x/b', 'x/a', 'allow'), into('y/b', 'x/a', 'default')],
    },
    {
      line: 19,
      policies: [inX(ingress({ from: [{ namespaceSelector: {} }] }))],
      asks: [into('z/c', 'x/a', 'allow'), into('203.0.113.7', 'x/a', 'default')],
    },
    {
      line: 20,
      policies: [inX(ingress({ from: [{ ipBlock: { cidr: block('y/a', 24), except: [block('y/a', 28)] } }] }))],
      network: { reader: 'api' },
      asks: [into('y/a', 'x/a', 'default')],
    },
    {
      line: 21,
      policies: [inX(ingress({ from: [{ ipBlock: { cidr: block('y/b', 32) } }] }))],
      network: { reader: 'api' },
      asks: [into('y/b', 'x/a', 'allow')],
    },
    {
      line: 21,
      policies: [inX(ingress({ from: [{ ipBlock: { cidr: block('y/b', 32) } }] }))],
      asks: [into('y/b', 'x/a', 'default')],
    },
    {
      line: 22,
      policies: [inX(ingress({ ports: [{ protocol: 'UDP' }] }))],
      asks: [into('y/a', 'x/a', 'allow', { protocol: 'UDP' }), into('y/a', 'x/a', 'default')],
    },
    {
      line: 23,
      policies: [inX(ingress({ ports: [{ protocol: 'UDP', port: 'serve-80-tcp' }] }))],
      asks: [into('y/a', 'x/a', 'default')],
    },
    {
      line: 24,
      policies: [inX(ingress({ ports: [{ port: 80, endPort: 81 }] }))],
      asks: [into('y/a', 'x/a', 'allow', { port: 81 }), into('y/a', 'x/a', 'default', { port: 82 })],
    },
    {
      line: 25,
      policies: [inX({ ...onA, egress: [{ to: [{ podSelector: {} }] }] })],
      asks: [out('x/a', 'z/a', 'default')],
    },
    { line: 26, policies: [inX({ ...onA, egress: [] })], asks: [out('x/a', 'z/a', 'open')] },
    // The API's word; a warning says that Cilium's differs.
    {
      line: 27,
      policies: [inX({ ...onA, policyTypes: ['Egress'], ingress: [{ from: [podB] }] })],
      asks: [into('y/a', 'x/a', 'open')],
    },
    {
      line: 28,
      policies: [inX(denyIngress)],
      asks: [into('node', 'x/a', 'own-node'), into('other-node', 'x/a', 'default')],
    },
  ]
}

// G.2: client, client2 (other=client) and echo, which listens on 8080 (named http-8080)

const T = 't'
const every = { endpointSelector: {} }
const echo = { endpointSelector: { matchLabels: { kind: 'echo' } } }
const clients = { endpointSelector: { matchLabels: { kind: 'client' } } }
const ofClient2 = { matchLabels: { other: 'client' } }
const one = (spec: CiliumRule, name = 'p'): Resource => cnp(`${T}/${name}`, spec)
const tcp = (...ports: readonly string[]): CiliumPortRule[] => [
  { ports: ports.map((port) => ({ port, protocol: 'TCP' as const })) },
]
const allowAll = one({ ...every, ingress: [{ fromEntities: ['all'] }], egress: [{ toEntities: ['all'] }] }, 'allow-all')
const world = '203.0.113.7'
const ping = { port: 0, protocol: 'ICMP' as const }
const http = (method: string, path: string): Payload => ({ kind: 'http', method, path, host: 'echo:8080', headers: {} })
const sni = (name?: string): Rest => ({ port: 443, payload: { kind: 'tls', ...(name !== undefined && { sni: name }) } })
const webRules = (...rules: readonly object[]): CiliumIngressRule[] => [
  { toPorts: [{ ports: [{ port: '80', protocol: 'TCP' }], rules: { http: rules } }] },
]
const serverNames = (...names: readonly string[]): CiliumEgressRule[] => [
  { toPorts: [{ ports: [{ port: '443', protocol: 'TCP' }], serverNames: names }] },
]
const l7Method: CiliumRule = {
  endpointSelector: ofClient2,
  egress: [
    {
      toEndpoints: [{ matchLabels: { kind: 'echo' } }],
      toPorts: [
        {
          ports: [{ port: '8080', protocol: 'TCP' }],
          rules: {
            http: [
              { method: 'POST', path: '/public$' },
              { method: 'POST', path: '/private$' },
            ],
          },
        },
      ],
    },
  ],
}
const toDns: CiliumEgressRule = {
  toEndpoints: [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'kube-system', 'k8s:k8s-app': 'kube-dns' } }],
  toPorts: [{ ports: [{ port: '53', protocol: 'ANY' }] }],
}
const dnsNames = (...names: readonly object[]): CiliumEgressRule => ({
  ...toDns,
  toPorts: [{ ports: [{ port: '53', protocol: 'ANY' }], rules: { dns: names } }],
})
const denyClient2: CiliumRule = {
  ...echo,
  enableDefaultDeny: { ingress: false },
  ingressDeny: [{ fromEndpoints: [ofClient2] }],
}
const at80: Rest = { port: 80 }
const [client, client2, server] = [`${T}/client`, `${T}/client2`, `${T}/echo`]

export const ciliumVectors: readonly Vector[] = [
  { line: 33, policies: [one({ ...every, ingress: [{}] })], asks: [into(client, server, 'default')] },
  { line: 34, policies: [one({ ...every, egress: [{}] })], asks: [out(client, server, 'default')] },
  {
    line: 35,
    policies: [allowAll, one({ ...every, egressDeny: [{ toEntities: ['all'] }] })],
    asks: [out(client, server, 'deny'), out(client, world, 'deny')],
  },
  {
    line: 36,
    policies: [one({ ...every, ingressDeny: [{}] }), one({ ...echo, ingress: [{ fromEndpoints: [{}] }] }, 'allow')],
    asks: [into(client, server, 'allow'), into(world, server, 'default')],
  },
  {
    line: 37,
    policies: [one({ ...every, ingress: [{ fromEndpoints: [], toPorts: tcp('80') }] })],
    asks: [into(client, server, 'default', at80), into(world, server, 'default', at80)],
  },
  {
    line: 38,
    policies: [one({ ...every, egress: [{ toEndpoints: [], toPorts: tcp('8080') }] })],
    asks: [out(client, server, 'default'), out(client, world, 'default')],
  },
  {
    line: 39,
    policies: [one({ ...every, ingress: [{ toPorts: tcp('80') }] })],
    asks: [into(world, server, 'allow', at80), into(world, server, 'default', { port: 81 })],
  },
  {
    line: 40,
    policies: [
      allowAll,
      one({ ...clients, egressDeny: [{ toEndpoints: [{ matchLabels: { kind: 'echo' } }], toPorts: tcp('8080') }] }),
    ],
    asks: [out(client, server, 'deny'), out(client, client2, 'allow')],
  },
  {
    line: 41,
    policies: [allowAll, one({ ...echo, ingressDeny: [{ fromEndpoints: [ofClient2] }] })],
    asks: [into(client2, server, 'deny'), into(client, server, 'allow')],
  },
  {
    line: 42,
    policies: [one({ ...echo, ingressDeny: [{ fromEndpoints: [{}] }], ingress: [{ toPorts: tcp('80') }] })],
    asks: [into(client, server, 'deny', at80)],
  },
  {
    line: 43,
    policies: [one({ ...echo, ingress: [{ fromEndpoints: [{}] }], ingressDeny: [{ toPorts: tcp('80') }] })],
    asks: [
      into(client, server, 'allow', { port: 81 }),
      into(client, server, 'deny', at80),
      into(client, server, 'allow', ping),
    ],
  },
  {
    line: 44,
    policies: [one({ ...echo, ingressDeny: [{ toPorts: tcp('80') }] })],
    asks: [into(client, server, 'default', { port: 81 })],
  },
  {
    line: 45,
    policies: [
      allowAll,
      one({
        ...echo,
        ingressDeny: [{ fromEndpoints: [{ matchLabels: { name: 'client' } }], toPorts: tcp('http-8080') }],
      }),
    ],
    asks: [into(client, server, 'deny'), into(client2, server, 'allow')],
  },
  {
    line: 46,
    policies: [one(l7Method)],
    asks: [
      out(client2, server, 'allow', { reads: 'http' }),
      out(client2, server, 'allow', { reads: 'http', payload: http('POST', '/public') }),
      out(client2, server, 'http', { payload: http('GET', '/public') }),
    ],
  },
  {
    line: 47,
    policies: [one(l7Method), one({ ...clients, egress: [toDns] }, 'dns')],
    asks: [out(client, server, 'default')],
  },
  {
    line: 48,
    policies: [one({ ...echo, ingress: webRules({ path: '/public' }) })],
    asks: [
      into(client, server, 'http', { ...at80, payload: http('GET', '/public?x=1') }),
      into(client, server, 'allow', { ...at80, reads: 'http', payload: http('GET', '/public') }),
    ],
  },
  {
    line: 49,
    policies: [
      one({ ...echo, ingress: [{ toPorts: tcp('80') }] }),
      one({ ...echo, ingress: webRules({ method: 'GET', path: '/' }) }, 'http'),
    ],
    asks: [into(client, server, 'allow', { ...at80, payload: http('POST', '/admin') })],
  },
  {
    line: 50,
    policies: [
      one({
        ...echo,
        ingress: [
          { fromEndpoints: [{ matchLabels: { name: 'client' } }], ...webRules({ method: 'GET', path: '/' })[0] },
          { toPorts: tcp('80') },
        ],
      }),
    ],
    asks: [into(client, server, 'allow', { ...at80, payload: http('POST', '/x') })],
  },
  {
    line: 52,
    policies: [one({ ...echo, ingress: webRules({ method: 'GET' }), ingressDeny: [{ fromEndpoints: [{}] }] })],
    asks: [into(client, server, 'deny', { ...at80, payload: http('GET', '/') })],
  },
  {
    line: 54,
    policies: [one({ ...clients, egress: [...serverNames('one.one.one.one'), toDns] })],
    asks: [
      out(client, world, 'allow', { port: 443, reads: 'tls' }),
      out(client, world, 'allow', { ...sni('one.one.one.one'), reads: 'tls' }),
      out(client, world, 'default', at80),
    ],
  },
  {
    line: 55,
    policies: [one({ ...clients, egress: serverNames('other.example') })],
    asks: [out(client, world, 'sni', sni('one.one.one.one')), out(client, world, 'sni', sni())],
  },
  {
    line: 56,
    policies: [one({ ...clients, egress: serverNames('*.example.com') })],
    asks: [
      out(client, world, 'allow', { ...sni('www.example.com'), reads: 'tls' }),
      out(client, world, 'sni', sni('example.com')),
      out(client, world, 'sni', sni('a.b.example.com')),
    ],
  },
  {
    line: 57,
    policies: [one({ ...clients, egress: serverNames('**.example.com') })],
    asks: [
      out(client, world, 'allow', { ...sni('a.b.example.com'), reads: 'tls' }),
      out(client, world, 'sni', sni('example.com')),
    ],
  },
  {
    line: 58,
    policies: [
      one({ ...clients, egress: serverNames('a.example') }),
      one({ ...clients, egress: [{ toPorts: tcp('443') }] }, 'plain'),
    ],
    asks: [
      out(client, world, 'sni', { port: 443, payload: { kind: 'other' } }),
      out(client, world, 'allow', { ...sni('a.example'), reads: 'tls' }),
    ],
  },
  {
    line: 59,
    policies: [one({ ...clients, egress: [toDns] })],
    asks: [
      out(client, server, 'default'),
      out(client, world, 'default', { port: 443 }),
      out(client, 'kube-system/coredns', 'allow', dns),
    ],
  },
  {
    line: 60,
    policies: [
      one({ ...clients, egress: [dnsNames({ matchPattern: '*' }), { toFQDNs: [{ matchName: 'x.example' }] }] }),
    ],
    asks: [
      out(client, 'kube-system/coredns', 'allow', {
        ...dns,
        reads: 'dns',
        payload: { kind: 'dns', query: 'y.example' },
      }),
      out(client, world, 'allow', { port: 443, learned: ['x.example'] }),
      out(client, world, 'default', { port: 443, learned: ['y.example'] }),
    ],
  },
  {
    line: 61,
    policies: [one({ ...clients, egress: [toDns, { toFQDNs: [{ matchName: 'x.example' }] }] })],
    asks: [
      // Nobody reads the question, so nothing is learned.
      out(client, 'kube-system/coredns', 'allow', dns),
      out(client, world, 'default', { port: 443, learned: [] }),
    ],
  },
  {
    line: 62,
    policies: [one({ ...clients, egress: [dnsNames({ matchName: 'x.example' })] })],
    asks: [
      out(client, 'kube-system/coredns', 'dns', { ...dns, payload: { kind: 'dns', query: 'y.example' } }),
      out(client, 'kube-system/coredns', 'allow', {
        ...dns,
        reads: 'dns',
        payload: { kind: 'dns', query: 'x.example' },
      }),
    ],
  },
  {
    line: 63,
    policies: [cnp('x/p', { ...every, ingress: [{ fromEndpoints: [{ matchLabels: { pod: 'b' } }] }] })],
    asks: [into('y/b', 'x/a', 'default'), into('x/b', 'x/a', 'allow')],
  },
  {
    line: 64,
    policies: [
      cnp('x/p', {
        ...every,
        ingress: [
          {
            fromEndpoints: [
              {
                matchLabels: { pod: 'b' },
                matchExpressions: [{ key: 'io.kubernetes.pod.namespace', operator: 'Exists' }],
              },
            ],
          },
        ],
      }),
    ],
    asks: [into('y/b', 'x/a', 'allow')],
  },
  {
    line: 65,
    policies: [
      ccnp('p', {
        endpointSelector: { matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'x' } },
        ingress: [{ fromEndpoints: [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'y' } }] }],
      }),
    ],
    asks: [into('y/a', 'x/a', 'allow'), into('x/b', 'x/a', 'default')],
  },
  {
    line: 66,
    policies: [ccnp('p', { ...every, ingress: [{ fromEndpoints: [{}] }] })],
    asks: [into('y/a', 'x/a', 'allow'), into(world, 'x/a', 'default'), into('other-node', 'x/a', 'default')],
  },
  {
    line: 67,
    policies: [one({ ...every, ingress: [{ toPorts: tcp('80') }] })],
    asks: [into(client, server, 'default', ping), into(client, server, 'allow', at80)],
  },
  {
    line: 68,
    policies: [
      allowAll,
      one({ ...clients, ingressDeny: [{ fromEndpoints: [ofClient2], icmps: [{ fields: [{ type: 8 }] }] }] }),
    ],
    asks: [into(client2, client, 'deny', ping), into(client2, server, 'allow'), into(client2, client, 'allow', at80)],
  },
  {
    line: 69,
    policies: [one({ ...clients, egress: [{ toEntities: ['host'] }] })],
    asks: [out(client, 'node', 'allow')],
  },
  {
    line: 70,
    policies: [one({ ...clients, egress: [{ toCIDR: ['172.18.0.0/16'] }] })],
    asks: [out(client, 'node', 'default'), out(client, 'other-node', 'default')],
  },
  {
    line: 71,
    policies: [one(denyClient2)],
    asks: [into(client, server, 'open'), into(client2, server, 'deny')],
  },
  {
    line: 72,
    policies: [one(denyClient2), one({ ...echo, ingress: [{}] }, 'isolate')],
    asks: [into(client, server, 'default'), into(client2, server, 'deny')],
  },
  { line: 73, policies: [], network: { enforcement: 'always' }, asks: [into(client, server, 'default')] },
  {
    line: 73,
    policies: [one({ ...every, ingressDeny: [{ fromEntities: ['all'] }] })],
    network: { enforcement: 'never' },
    asks: [into(client, server, 'open')],
  },
  {
    line: 74,
    policies: [one({ ...echo, ingress: webRules({ path: '/public' }) })],
    asks: [into('node', server, 'own-node', { ...at80, payload: http('GET', '/anything') })],
  },
  {
    line: 75,
    policies: [one({ ...echo, ingress: [{ fromEndpoints: [{}], authentication: { mode: 'test-always-fail' } }] })],
    asks: [into(client, server, 'auth')],
  },
  {
    line: 77,
    policies: [one({ ...every, ingress: [{ fromEntities: ['cluster'] }], egress: [{ toEntities: ['cluster'] }] })],
    asks: [out(client, server, 'allow'), into(client, server, 'allow'), into(world, server, 'default')],
  },
]
