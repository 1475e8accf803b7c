import type { CiliumEntity, LabelSelector, NetworkPolicyPeer } from '@bulkhead/resources'
import { selectorMatches } from '@bulkhead/resources/selectors'
import { parseBlock } from '../model/addresses.js'
import { meets, type Requirement, requirements, requirementsKey, requirementsText } from './labels.js'
import type { NameMatcher } from './names.js'
import type { Party, PeerSelector } from './types.js'

export const anybody: PeerSelector = { key: 'anybody', text: 'anybody', anybody: true, selects: () => true }

/** A peer of a NetworkPolicy in that namespace (semantics A.2). `ipBlock` means pods and nodes too only by the API. */
export function networkPolicyPeer(
  { podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer,
  namespace: string,
  reader: 'cilium' | 'api',
): PeerSelector {
  if (ipBlock !== undefined) {
    return addresses(ipBlock.cidr, ipBlock.except ?? [], reader === 'api' ? () => true : outside)
  }
  const ofPods = podSelector === undefined ? [] : requirements(podSelector)
  const ofNamespaces = namespaceSelector === undefined ? undefined : requirements(namespaceSelector)
  const where = ofNamespaces === undefined ? `namespace ${namespace}` : namespacesText(ofNamespaces)
  return {
    key: `pods ${requirementsKey(ofPods)} of ${ofNamespaces === undefined ? namespace : `<${requirementsKey(ofNamespaces)}>`}`,
    text: `${podsText(ofPods)} of ${where}`,
    selects: ({ pod }) =>
      pod !== undefined &&
      (namespaceSelector === undefined
        ? pod.namespace === namespace
        : selectorMatches(namespaceSelector, pod.namespaceLabels)) &&
      (podSelector === undefined || selectorMatches(podSelector, pod.labels)),
  }
}

function namespacesText(wanted: readonly Requirement[]): string {
  if (wanted.length === 0) return 'every namespace'
  const [only] = wanted
  if (wanted.length === 1 && only?.key === 'kubernetes.io/metadata.name' && only.operator === 'In') {
    return `namespace ${only.values.join(' or ')}`
  }
  return `namespaces with ${requirementsText(wanted)}`
}

function podsText(wanted: readonly Requirement[]): string {
  return wanted.length === 0 ? 'all pods' : `pods with ${requirementsText(wanted)}`
}

/** A Cilium selector whose requirements already say which namespaces it means (semantics B.4). */
export function endpoints(wanted: readonly Requirement[], where: string): PeerSelector {
  return {
    key: `endpoints ${requirementsKey(wanted)}`,
    text: where,
    selects: ({ labels }) => meets(wanted, labels),
  }
}

/** `pods with app=web of namespace shop`, for a selector that is narrowed to a namespace (or to none). */
export function endpointsText(selector: LabelSelector, namespace: string | undefined): string {
  const text = podsText(requirements(selector))
  return namespace === undefined ? text : `${text} of namespace ${namespace}`
}

function outside({ kind }: Party): boolean {
  return kind === 'world'
}

/** A block of addresses without some; of those parties that have an address to a CIDR at all. */
export function addresses(cidr: string, except: readonly string[], who: (party: Party) => boolean): PeerSelector {
  const block = parseBlock(cidr)
  const holes = except.map((one) => parseBlock(one))
  const but = except.length === 0 ? '' : ` without ${except.join(', ')}`
  return {
    key: `addresses ${cidr}${but}`,
    text: `${cidr}${but}`,
    selects: (party) =>
      party.address !== undefined &&
      who(party) &&
      block?.contains(party.address) === true &&
      !holes.some((hole) => hole?.contains(party.address as NonNullable<typeof party.address>) === true),
  }
}

/** Cilium's CIDR rules never mean its pods or the cluster's nodes (semantics B.6). */
export function outsideAddresses(cidr: string, except: readonly string[] = []): PeerSelector {
  return addresses(cidr, except, outside)
}

/** toFQDNs: an address that was learned for such a name. */
export function learnedNames(kind: 'name' | 'pattern', names: NameMatcher): PeerSelector {
  return { key: `${kind} ${names.text}`, text: names.text, selects: () => false, names }
}

const entityTests: Readonly<Partial<Record<CiliumEntity, (party: Party) => boolean>>> = {
  world: outside,
  cluster: (party) => !outside(party),
  'cluster-mesh': (party) => !outside(party),
  host: ({ kind }) => kind === 'host',
  'remote-node': ({ kind }) => kind === 'remote-node',
  'kube-apiserver': ({ apiServer }) => apiServer,
}

/**
 * Semantics B.5. Nothing here is Cilium's own (`ingress`, `health`, `init`, `unmanaged`). The two halves of the world are
 * labels (`reserved:world-ipv4`) and no entities that a rule could name: the API server refuses them.
 */
export function entity(name: CiliumEntity): PeerSelector {
  if (name === 'all') return { ...anybody, text: 'entity all' }
  const selects = Object.hasOwn(entityTests, name) ? entityTests[name] : undefined
  const text = `entity ${name}`
  return {
    key: text,
    text,
    selects: selects ?? (() => false),
    // An address that is none of this cluster's may be another's of the mesh, of which its objects say nothing.
    ...(name === 'cluster-mesh' && { unread: { what: text, could: outside } }),
  }
}

/** A field whose peers are not modelled, and who they could be. */
export function unreadPeers(what: string, could: (party: Party) => boolean): PeerSelector {
  return { key: `unread ${what}`, text: what, selects: () => false, unread: { what, could } }
}

export const couldBeOutside = outside
export const couldBeNode = ({ kind }: Party): boolean => kind === 'host' || kind === 'remote-node'
/** Behind a Service without a selector stands what somebody wrote down: an address outside, or the API server's. */
export const couldBeEndpoint = (party: Party): boolean => outside(party) || party.apiServer
