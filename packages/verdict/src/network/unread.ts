import type { CiliumClusterwideNetworkPolicy, Resource } from '@bulkhead/resources'
import { at, groupOf, isNetworkPolicy } from '../model/kinds.js'
import type { NotModelled } from '../model/not-modelled.js'
import { requirements } from './labels.js'
import { knownNodeLabels } from './parties.js'
import type { NetworkPolicyModel, NetworkRule, UnreadNetwork } from './types.js'

const read: ReadonlySet<string> = new Set([
  'networking.k8s.io/NetworkPolicy',
  'cilium.io/CiliumNetworkPolicy',
  'cilium.io/CiliumClusterwideNetworkPolicy',
])

/** An object that isolates pods by rules that nobody here reads (AdminNetworkPolicy, Calico's kinds ...). */
export function isUnreadPolicy(resource: Resource): boolean {
  return isNetworkPolicy(resource) && !read.has(`${groupOf(resource.object)}/${resource.kind}`)
}

/** The objects of a set that nobody here reads. */
export function readUnreadPolicies(resources: readonly Resource[]): UnreadNetwork[] {
  return resources.filter(isUnreadPolicy).map(readUnread)
}

function readUnread(resource: Resource): UnreadNetwork {
  const { id, kind, layer, namespace } = resource
  return {
    id,
    layer,
    engine: groupOf(resource.object) === 'cilium.io' ? 'cilium' : 'kubernetes',
    what: kind,
    at: at(resource),
    // The host's network is not the pod's: a policy of a namespace does not select it, a cluster-wide one may (A.1).
    couldSelect: (pod) => namespace === undefined || (!pod.hostNetwork && pod.namespace === namespace),
  }
}

/**
 * Policies for nodes that are selected by labels which a node gets from elsewhere than the manifests: whether they speak
 * for one of ours cannot be said.
 */
export function readUnreadNodes(resources: readonly Resource<CiliumClusterwideNetworkPolicy>[]): UnreadNetwork[] {
  return resources.flatMap((resource) => {
    const { spec, specs = [] } = resource.object
    const field = [...(spec === undefined ? [] : [spec]), ...specs]
      .flatMap(({ nodeSelector }) => (nodeSelector === undefined ? [] : requirements(nodeSelector)))
      .find(({ source, key }) => source !== 'reserved' && !knownNodeLabels.has(key))
    if (field === undefined) return []
    return [
      {
        id: resource.id,
        layer: resource.layer,
        engine: 'cilium',
        what: `the node label ${field.key} of a nodeSelector`,
        at: at(resource),
        couldSelect: (pod) => pod.hostNetwork,
      },
    ]
  })
}

/** Fields of the rules that are read and that are not modelled, each once per object. */
export function unreadFields(models: readonly NetworkPolicyModel[]): NotModelled[] {
  const found = new Map<string, NotModelled>()
  const rules = models.flatMap(({ ingress, egress }): NetworkRule[] => [
    ...ingress.allow,
    ...ingress.deny,
    ...egress.allow,
    ...egress.deny,
  ])
  for (const { by, peers, reading } of rules) {
    const secrets = reading?.http?.some(({ secret }) => secret) === true ? ['headerMatches with a secret'] : []
    for (const what of [
      ...peers.flatMap(({ unread }) => unread?.what ?? []),
      ...(reading?.unread === undefined ? [] : [reading.unread]),
      ...secrets,
    ]) {
      const key = `${by.policy} ${what}`
      if (!found.has(key)) found.set(key, { effect: 'isolates', id: by.policy, what, at: by.at })
    }
  }
  return [...found.values()]
}
