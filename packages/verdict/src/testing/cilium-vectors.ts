import type { CiliumEgressRule, CiliumIngressRule, CiliumPortRule, CiliumRule, Resource } from '@bulkhead/resources'
import type { Payload } from '../types.js'
import { ccnp, cnp } from './network-objects.js'
import { dns, into, out, type Rest, type Vector } from './network-vectors.js'

/*
 * Test code: the golden vectors G.2: client, client2 (other=client) and echo, which listens on 8080 (named http-8080).
 */

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
