import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort, Resource } from '@bulkhead/resources'
import { selectorMatches } from '@bulkhead/resources/selectors'
import { at, namespaceOf } from '../model/kinds.js'
import { anybody, networkPolicyPeer } from './peers.js'
import { networkPolicyPort } from './ports.js'
import type { Direction, DirectionPolicy, NetworkPolicyModel, NetworkRule } from './types.js'

interface Item {
  readonly from?: readonly NetworkPolicyPeer[]
  readonly to?: readonly NetworkPolicyPeer[]
  readonly ports?: readonly NetworkPolicyPort[]
}

/** A NetworkPolicy (semantics A.1 to A.4). */
export function readNetworkPolicy(resource: Resource<NetworkPolicy>, reader: 'cilium' | 'api'): NetworkPolicyModel {
  const namespace = namespaceOf(resource)
  const { spec } = resource.object
  const { podSelector } = spec
  // Missing, or empty, which the API server fills in alike. Egress is added only by a rule: an empty list does not isolate (A.1).
  const { policyTypes = [] } = spec
  const usual = (spec.egress ?? []).length > 0 ? ['Ingress', 'Egress'] : ['Ingress']
  const types: readonly string[] = policyTypes.length > 0 ? policyTypes : usual
  const direction = (name: Direction, type: string, items: readonly Item[]): DirectionPolicy => {
    if (!types.includes(type)) return { allow: [], deny: [] }
    return {
      allow: items.map((item, index) => readRule(resource, name, item, index, namespace, reader)),
      deny: [],
      isolates: {
        policy: resource.id,
        ...(resource.layer !== undefined && { layer: resource.layer }),
        at: at(resource, spec[name] === undefined ? ['spec', 'policyTypes'] : ['spec', name]),
      },
    }
  }
  return {
    id: resource.id,
    engine: 'kubernetes',
    selects: ({ pod }) =>
      !pod.hostNetwork &&
      pod.namespace === namespace &&
      (podSelector === undefined || selectorMatches(podSelector, pod.labels)),
    ingress: direction('ingress', 'Ingress', spec.ingress ?? []),
    egress: direction('egress', 'Egress', spec.egress ?? []),
  }
}

function readRule(
  resource: Resource<NetworkPolicy>,
  direction: Direction,
  item: Item,
  index: number,
  namespace: string,
  reader: 'cilium' | 'api',
): NetworkRule {
  const peers = (direction === 'ingress' ? item.from : item.to) ?? []
  const ports = item.ports ?? []
  return {
    by: {
      engine: 'kubernetes',
      layer: resource.layer,
      policy: resource.id,
      rule: index,
      at: at(resource, ['spec', direction, index]),
    },
    // A list that is missing or empty means everybody, and every port (A.1).
    peers: peers.length === 0 ? [anybody] : peers.map((peer) => networkPolicyPeer(peer, namespace, reader)),
    ports: ports.length === 0 ? undefined : ports.map(networkPolicyPort),
    reading: undefined,
  }
}
