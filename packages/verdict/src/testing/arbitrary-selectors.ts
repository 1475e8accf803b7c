import fc from 'fast-check'
import { podOf } from './network-world.js'

/*
 * Test code: the words of random network policies: selectors, addresses and ports of the small world of network-world.ts.
 */

export const oneOf = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values)
export const some = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.array(arbitrary, { minLength: 1, maxLength: 2 })
export const orMissing = <T>(arbitrary: fc.Arbitrary<T>, times = 4): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: times })

/** Without `undefined` in it, as YAML has it. */
export function written<T>(value: unknown): T {
  return JSON.parse(JSON.stringify(value)) as T
}

// Selectors

export const podLabels = oneOf<Record<string, string>>(
  { app: 'web' },
  { app: 'db' },
  { role: 'front' },
  { app: 'web', role: 'front' },
)
export const plainExpressions = oneOf(
  { key: 'app', operator: 'In' as const, values: ['web', 'job'] },
  { key: 'app', operator: 'NotIn' as const, values: ['web'] },
  { key: 'role', operator: 'Exists' as const },
  { key: 'role', operator: 'DoesNotExist' as const },
)
export const podSelector = fc.oneof(
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
export const namespaceSelector = oneOf(
  {},
  { matchLabels: { team: 'red' } },
  { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
  { matchLabels: { 'kubernetes.io/metadata.name': 'c' } },
  { matchExpressions: [{ key: 'team', operator: 'NotIn' as const, values: ['red'] }] },
  { matchExpressions: [{ key: 'team', operator: 'Exists' as const }] },
)
/** What only Cilium's selectors can say: sources, namespaces, their labels, the ServiceAccount, reserved identities. */
export const ciliumLabels = oneOf<Record<string, string>>(
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
export const ciliumExpressions = oneOf(
  { key: 'io.kubernetes.pod.namespace', operator: 'Exists' as const },
  { key: 'k8s:io.kubernetes.pod.namespace', operator: 'In' as const, values: ['a', 'c'] },
  { key: 'k8s:io.cilium.k8s.namespace.labels.team', operator: 'Exists' as const },
)
export const endpoints = fc.oneof(
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

export const probe = '169.254.7.127'
export const outside = ['203.0.113.7', '203.0.113.80', '198.51.100.9', '169.254.169.254', probe, '2001:db8::7'] as const
export const block = oneOf(
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

export const protocol = oneOf(undefined, 'TCP' as const, 'TCP' as const, 'UDP' as const, 'SCTP' as const)
export const kubernetesPort = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ protocol, port: oneOf<number | string>(53, 443, 5432, 8080, 15008, 'http', 'metrics') }),
  },
  { weight: 1, arbitrary: fc.record({ protocol, port: oneOf(53, 442), endPort: oneOf(443, 8080) }) },
  { weight: 1, arbitrary: fc.record({ protocol }) },
)
export const ciliumProtocol = oneOf(undefined, 'ANY' as const, 'TCP' as const, 'TCP' as const, 'UDP' as const)
export const ciliumPort = fc.oneof(
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
export const icmps = oneOf(
  [{ fields: [{ type: 8 }] }],
  [{ fields: [{ type: 'EchoRequest', family: 'IPv4' as const }] }],
  [{ fields: [{ type: 0 }, { type: 128, family: 'IPv6' as const }] }],
)
