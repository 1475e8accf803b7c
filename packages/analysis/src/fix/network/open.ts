import type {
  CiliumNetworkPolicy,
  CiliumRule,
  KubernetesObject,
  LabelSelector,
  NetworkPolicy,
  NetworkPolicyPeer,
  Resource,
} from '@bulkhead/resources'
import type { Snapshot, Step } from '@bulkhead/verdict'
import { addedPolicy, appended, type Candidate, yamlText } from '../edits.js'
import { tellingLabels } from '../labels.js'
import { type Packet, packetOf } from './packet.js'

const namespaceKey = 'kubernetes.io/metadata.name'

/**
 * What could be added so that a default deny of the network lets this packet pass: the peer to a rule that opens this very
 * port, the port to the rule that came closest, or a policy of its own for the two.
 */
export function openNetwork(step: Step, snapshot: Snapshot): readonly Candidate[] {
  const packet = packetOf(step, snapshot)
  if (packet === undefined) return []
  return [
    ...addPeer(step, packet, snapshot),
    ...addPort(step, packet, snapshot),
    ...policiesFor(packet, snapshot).flatMap((object) => addOwn(object, step, packet, snapshot)),
  ]
}

/** Adds the peer to rules of NetworkPolicies that open this port and no other, and list pods already. */
function addPeer(step: Step, packet: Packet, snapshot: Snapshot): readonly Candidate[] {
  const { direction, port, protocol, query } = packet
  const peer = plainPeer(packet, snapshot)
  if (peer === undefined || query !== undefined) return []
  return isolating(step, snapshot).flatMap((policy): readonly Candidate[] => {
    const rules = direction === 'ingress' ? policy.object.spec.ingress : policy.object.spec.egress
    return (rules ?? []).flatMap((rule, index) => {
      const peers = 'from' in rule ? rule.from : 'to' in rule ? rule.to : undefined
      const [only, ...more] = rule.ports ?? []
      const fits = only?.port === port && (only.protocol ?? 'TCP') === protocol && only.endPort === undefined
      if (!fits || more.length > 0 || !peers?.some(({ podSelector }) => podSelector !== undefined)) return []
      const place = ['spec', direction, index, direction === 'ingress' ? 'from' : 'to']
      return appended(snapshot, policy, place, peer, `add ${yamlText(peer)} to the peers of rule ${index}`)
    })
  })
}

/** Adds the port to the closest rule, where it lacks nothing else. */
function addPort({ closest }: Step, { direction, port, protocol }: Packet, snapshot: Snapshot): readonly Candidate[] {
  const [lack, ...more] = closest?.lacks ?? []
  if (closest === undefined || lack?.attribute !== 'port' || more.length > 0) return []
  const policy = snapshot.resources.find(({ id }) => id === closest.policy)
  if (policy === undefined || !isNetworkPolicy(policy)) return []
  const value = protocol === 'TCP' ? { port } : { port, protocol }
  const says = `add ${yamlText(value)} to the ports of rule ${closest.rule}`
  return appended(snapshot, policy, ['spec', direction, closest.rule, 'ports'], value, says)
}

function addOwn(object: KubernetesObject, step: Step, packet: Packet, snapshot: Snapshot): readonly Candidate[] {
  const [beside] = step.isolatedBy ?? []
  if (beside === undefined) return []
  const { direction, pod, port, protocol } = packet
  const what = `a ${object.kind} for ${direction} of ${pod.workload}, ${port}/${protocol}`
  return addedPolicy(snapshot, object, beside, `add ${what}`)
}

/** A policy that opens this port between these two and nothing else: the plain kind where it can say so. */
function policiesFor(packet: Packet, snapshot: Snapshot): readonly KubernetesObject[] {
  const { pod, direction, port, protocol, query } = packet
  const matchLabels = tellingLabels(pod, snapshot)
  const peer = query === undefined ? plainPeer(packet, snapshot) : undefined
  const metadata = { name: policyName(packet), namespace: pod.namespace }
  if (peer !== undefined) {
    const ports = [{ port, protocol }]
    const rules =
      direction === 'ingress'
        ? ({ policyTypes: ['Ingress'], ingress: [{ from: [peer], ports }] } as const)
        : ({ policyTypes: ['Egress'], egress: [{ to: [peer], ports }] } as const)
    const policy: NetworkPolicy = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata,
      spec: { podSelector: { matchLabels }, ...rules },
    }
    return [policy]
  }
  return ciliumRules(packet, snapshot).map((egress): CiliumNetworkPolicy => {
    const spec: CiliumRule = { endpointSelector: { matchLabels }, egress }
    return { apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', metadata, spec }
  })
}

/** What only Cilium's kind can say: which names may be asked for, which hosts have been, and the API server. */
function ciliumRules(packet: Packet, snapshot: Snapshot): readonly NonNullable<CiliumRule['egress']>[] {
  const { direction, peer, port, protocol, query } = packet
  if (direction !== 'egress') return []
  const toPorts = [{ ports: [{ port: String(port), protocol }] }]
  if (query !== undefined) return [[questionFor(query, snapshot)]]
  if (peer.kind === 'api-server') return [[{ toEntities: ['kube-apiserver'], toPorts }]]
  if (peer.kind !== 'host') return []
  const host = { toFQDNs: [{ matchName: peer.name }], toPorts }
  // A host is known by the addresses that its name was answered with, where a rule reads the answers.
  return [[host], [questionFor(peer.name, snapshot), host]]
}

function questionFor(matchName: string, { platform: { dns } }: Snapshot): NonNullable<CiliumRule['egress']>[number] {
  const matchLabels = { 'k8s:io.kubernetes.pod.namespace': dns.namespace, ...dns.labels }
  return {
    toEndpoints: [{ matchLabels }],
    toPorts: [{ ports: [{ port: '53', protocol: 'ANY' }], rules: { dns: [{ matchName }] } }],
  }
}

/** The peer as NetworkPolicy names one. */
function plainPeer({ pod, peer }: Packet, snapshot: Snapshot): NetworkPolicyPeer | undefined {
  if (peer.kind === 'address') return { ipBlock: { cidr: `${peer.ip}/${peer.ip.includes(':') ? 128 : 32}` } }
  if (peer.kind !== 'pod') return undefined
  const podSelector: LabelSelector = { matchLabels: tellingLabels(peer.pod, snapshot) }
  if (peer.pod.namespace === pod.namespace) return { podSelector }
  return { namespaceSelector: { matchLabels: { [namespaceKey]: peer.pod.namespace } }, podSelector }
}

function policyName({ pod, peer, direction, query }: Packet): string {
  const last = (key: string): string => key.slice(key.indexOf('/') + 1)
  const whom =
    peer.kind === 'pod' ? last(peer.pod.workload) : peer.kind === 'api-server' ? peer.kind : nameOf(peer).toLowerCase()
  const asks = query === undefined ? `${direction === 'ingress' ? 'from' : 'to'}-${whom}` : `asks-for-${query}`
  return `${last(pod.workload)}-${asks}`.replace(/[^a-z0-9.-]+/g, '-').slice(0, 200)
}

const nameOf = (
  peer: { readonly kind: 'address'; readonly ip: string } | { readonly kind: 'host'; readonly name: string },
) => (peer.kind === 'host' ? peer.name : peer.ip)

/** The NetworkPolicies that isolate the pod. */
function isolating({ isolatedBy = [] }: Step, { resources }: Snapshot): readonly Resource<NetworkPolicy>[] {
  const ids = new Set(isolatedBy.map(({ policy }) => policy))
  return resources.filter(
    (resource): resource is Resource<NetworkPolicy> => ids.has(resource.id) && isNetworkPolicy(resource),
  )
}

const isNetworkPolicy = (resource: Resource): resource is Resource<NetworkPolicy> =>
  resource.kind === 'NetworkPolicy' && resource.object.apiVersion.startsWith('networking.k8s.io/')
