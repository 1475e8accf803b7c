import type { NetworkPolicy, Resource } from '@bulkhead/resources'
import { netpol } from './network-objects.js'
import { dns, into, out, type Vector } from './network-vectors.js'

/*
 * Test code: the golden vectors G.1: namespaces x, y, z with pods a, b, c, and the ports 80 and 81.
 */

type Spec = NetworkPolicy['spec']

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
