import type { Resource } from '@bulkhead/resources'
import type { parseAddress } from '../model/addresses.js'
import type { Engine, Pod, Protocol, Step } from '../types.js'
import type { HttpMatcher } from './http.js'
import type { Labels, SourcedLabels } from './labels.js'
import type { NameMatcher } from './names.js'

export type Direction = 'ingress' | 'egress'

/** The other end of a packet, as a CNI tells them apart. */
export interface Party {
  /** `host` is the node of the pod that is asked about, and every pod on its network. */
  readonly kind: 'pod' | 'host' | 'remote-node' | 'world'
  /** How people call it. */
  readonly name: string
  /** The API server answers on this node. */
  readonly apiServer: boolean
  /** Speaks HBONE. */
  readonly mesh: boolean
  readonly address: ReturnType<typeof parseAddress>
  readonly labels: SourcedLabels
  /** What a NetworkPolicy reads of a pod. */
  readonly pod?: { readonly namespace: string; readonly labels: Labels; readonly namespaceLabels: Labels }
  readonly ports: Pod['ports']
}

/** One way of a rule to select peers. */
export interface PeerSelector {
  /** Equal for selectors that ask the same: Cilium merges rules by it (semantics B.7). */
  readonly key: string
  readonly text: string
  /** Selects whoever comes: it names nobody. */
  readonly anybody?: true
  /** Never for `names` alone. */
  selects(party: Party): boolean
  /** Selects an address by the names that were learned for it (toFQDNs). */
  readonly names?: NameMatcher
  /** Whom it selects is not modelled: which field, and whom it could mean. */
  readonly unread?: { readonly what: string; readonly could: (party: Party) => boolean }
}

/** A packet's port, and whose named ports count. */
export interface Packet {
  /** Of ICMP: its type. */
  readonly port: number
  readonly protocol: Protocol
  readonly v6: boolean
  /** Of the destination. */
  readonly named: Pod['ports']
}

export interface PortSelector {
  /** Equal for the same ports, whatever the protocol. */
  readonly key: string
  readonly text: string
  speaks(packet: Packet): boolean
  reaches(packet: Packet): boolean
  readonly protocols: readonly Protocol[]
}

/** What is read of a connection behind the packet. None of the lists: nothing. */
export interface Reading {
  readonly serverNames?: readonly NameMatcher[]
  readonly http?: readonly HttpMatcher[]
  readonly dns?: readonly NameMatcher[]
  /** A field whose reading is not modelled. */
  readonly unread?: string
}

/** Who says so. */
export interface Origin {
  readonly engine: Engine
  readonly layer: string | undefined
  readonly policy: string
  readonly rule: number
  readonly at: string
}

/** A rule, or the part of one that has its own ports. */
export interface NetworkRule {
  readonly by: Origin
  readonly peers: readonly PeerSelector[]
  /** Undefined: every port of every protocol. */
  readonly ports: readonly PortSelector[] | undefined
  readonly reading: Reading | undefined
  /** Which family reads: two of them cannot both read the same peers' same port. */
  readonly family?: 'http' | 'dns' | 'kafka' | 'l7'
  readonly authentication?: 'disabled' | 'required' | 'test-always-fail'
  /** Where a conflict with another rule is told. */
  readonly source?: { readonly resource: Resource; readonly path: readonly (string | number)[] }
}

/** One policy's part in one direction. */
export interface DirectionPolicy {
  readonly allow: readonly NetworkRule[]
  readonly deny: readonly NetworkRule[]
  /** What isolates the pods, if it does. */
  readonly isolates?: NonNullable<Step['isolatedBy']>[number]
}

/** One object, or one of the specs in it. */
export interface NetworkPolicyModel {
  readonly id: string
  readonly engine: Engine
  selects(subject: Subject): boolean
  readonly ingress: DirectionPolicy
  readonly egress: DirectionPolicy
}

/** Whose policies are asked for: a pod, or a node with what is on its network. */
export interface Subject {
  readonly pod: Pod
  readonly labels: SourcedLabels
}

/** Fields and objects that decide here and are not modelled. */
export interface UnreadNetwork {
  readonly id: string
  readonly layer: string | undefined
  readonly engine: Engine
  readonly what: string
  readonly at: string
  couldSelect(pod: Pod): boolean
}
