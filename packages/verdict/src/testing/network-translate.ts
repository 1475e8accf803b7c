import type {
  CiliumEgressRule,
  CiliumIngressRule,
  CiliumPortRule,
  CiliumRule,
  LabelSelector,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
} from '@bulkhead/resources'

/*
 * Test code: a NetworkPolicy as Cilium takes it in (semantics A.4), written as a CiliumNetworkPolicy of the same namespace.
 */

type Spec = NetworkPolicy['spec']

export function asCilium(spec: Spec): CiliumRule {
  const usual = ['Ingress' as const, ...((spec.egress ?? []).length > 0 ? ['Egress' as const] : [])]
  const types = (spec.policyTypes ?? []).length > 0 ? (spec.policyTypes ?? []) : usual
  const rule: { -readonly [K in keyof CiliumRule]: CiliumRule[K] } = {
    endpointSelector: spec.podSelector === undefined ? {} : sourced(spec.podSelector, 'k8s:'),
  }
  if (types.includes('Ingress')) {
    const rules = (spec.ingress ?? []).flatMap(({ from, ports }) =>
      peersOf(from).map((peer): CiliumIngressRule => {
        if (peer === 'everybody') return { fromEntities: ['all'], ...portsOf(ports) }
        if (peer.ipBlock !== undefined) return { fromCIDRSet: [peer.ipBlock], ...portsOf(ports) }
        return { fromEndpoints: [endpoints(peer)], ...portsOf(ports) }
      }),
    )
    // It isolates all the same.
    rule.ingress = rules.length > 0 ? rules : [{}]
  }
  if (types.includes('Egress')) {
    const rules = (spec.egress ?? []).flatMap(({ to, ports }) =>
      peersOf(to).map((peer): CiliumEgressRule => {
        if (peer === 'everybody') return { toEntities: ['all'], ...portsOf(ports) }
        if (peer.ipBlock !== undefined) return { toCIDRSet: [peer.ipBlock], ...portsOf(ports) }
        return { toEndpoints: [endpoints(peer)], ...portsOf(ports) }
      }),
    )
    rule.egress = rules.length > 0 ? rules : [{}]
  }
  return rule
}

function peersOf(peers: readonly NetworkPolicyPeer[] = []): readonly (NetworkPolicyPeer | 'everybody')[] {
  return peers.length === 0 ? ['everybody'] : peers
}

function endpoints({ podSelector, namespaceSelector }: NetworkPolicyPeer): LabelSelector {
  const pods = sourced(podSelector ?? {}, 'k8s:')
  if (namespaceSelector === undefined) return pods
  const namespaces = sourced(namespaceSelector, 'k8s:io.cilium.k8s.namespace.labels.')
  return {
    matchLabels: { ...pods.matchLabels, ...namespaces.matchLabels },
    matchExpressions: [
      ...(pods.matchExpressions ?? []),
      ...(namespaces.matchExpressions ?? []),
      // Whatever namespace it is: only who has one is a pod.
      { key: 'k8s:io.kubernetes.pod.namespace', operator: 'Exists' },
    ],
  }
}

function sourced({ matchLabels = {}, matchExpressions = [] }: LabelSelector, prefix: string): LabelSelector {
  return {
    matchLabels: Object.fromEntries(Object.entries(matchLabels).map(([key, value]) => [`${prefix}${key}`, value])),
    matchExpressions: matchExpressions.map((one) => ({ ...one, key: `${prefix}${one.key}` })),
  }
}

function portsOf(ports: readonly NetworkPolicyPort[] = []): { readonly toPorts?: readonly CiliumPortRule[] } {
  if (ports.length === 0) return {}
  return {
    toPorts: [
      {
        ports: ports.map(({ port = 0, endPort, protocol = 'TCP' }) => ({
          port: String(port),
          protocol,
          ...(endPort !== undefined && { endPort }),
        })),
      },
    ],
  }
}
