import type { CiliumClusterwideNetworkPolicy, CiliumNetworkPolicy, NetworkPolicy, Resource } from '@bulkhead/resources'
import type { NetworkOptions } from '../api.js'
import type { CompileError } from '../model/compile-error.js'
import { ofKind } from '../model/kinds.js'
import type { NotModelled } from '../model/not-modelled.js'
import type { Engine, Pod, Step } from '../types.js'
import { conflictAmong } from './conflicts.js'
import { podLabels, type SourcedLabels } from './labels.js'
import { nodeLabels, podParty } from './parties.js'
import { readCiliumPolicy } from './read-cilium.js'
import { readNetworkPolicy } from './read-network-policy.js'
import { readServiceSelectors } from './services.js'
import type { Direction, DirectionPolicy, NetworkPolicyModel, NetworkRule, Party, UnreadNetwork } from './types.js'
import { readUnreadNodes, readUnreadPolicies, unreadFields } from './unread.js'

/** All that is asked of one pod in one direction. */
export interface DirectionRules {
  readonly allow: readonly NetworkRule[]
  readonly deny: readonly NetworkRule[]
  readonly isolatedBy: NonNullable<Step['isolatedBy']>
  /** Whose default deny it is: Cilium's if any of its kinds isolates. */
  readonly engine: Engine
  /** Isolated though no policy says so: Cilium's mode `always`. */
  readonly always: boolean
}

/** What the network's rules are for one class of equal pods. */
export interface PodNetwork {
  /** The pod as the other end of a packet. */
  readonly party: Party
  readonly ingress: DirectionRules
  readonly egress: DirectionRules
  /** Objects that may select it and are not modelled. */
  readonly unread: readonly UnreadNetwork[]
  /** Rules that select it and cannot be merged: an error for a pod that is there. */
  readonly conflict: CompileError | undefined
}

export interface NetworkIndex {
  readonly options: Required<NetworkOptions>
  /** Fields of rules that are not modelled. */
  readonly notModelled: readonly NotModelled[]
  /** Asked once per class of pods that are alike in all that rules read. */
  networkOf(pod: Pod): PodNetwork
}

export interface NetworkInput {
  readonly resources: readonly Resource[]
  /** With what istiod makes of Gateways: Services are referred to by name. */
  readonly services: readonly Resource[]
  readonly namespaceLabels: ReadonlyMap<string, Readonly<Record<string, string>>>
  readonly options: NetworkOptions | undefined
}

/** Reads NetworkPolicy, CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy (semantics A, B). */
export function compileNetwork({ resources, services, namespaceLabels, options = {} }: NetworkInput): NetworkIndex {
  const { reader = 'cilium', enforcement = 'default' } = options
  const selectors = readServiceSelectors(services)
  const clusterwide = ofKind<CiliumClusterwideNetworkPolicy>(resources, 'cilium.io', 'CiliumClusterwideNetworkPolicy')
  const models = [
    ...ofKind<NetworkPolicy>(resources, 'networking.k8s.io', 'NetworkPolicy').map((resource) =>
      networkPolicy(resource, reader),
    ),
    ...ofKind<CiliumNetworkPolicy>(resources, 'cilium.io', 'CiliumNetworkPolicy').flatMap((resource) =>
      readCiliumPolicy(resource, selectors),
    ),
    ...clusterwide.flatMap((resource) => readCiliumPolicy(resource, selectors)),
  ].sort(byId)
  // With a reader of its own NetworkPolicy is none of Cilium's business, and its mode says nothing of it.
  const enforced =
    enforcement === 'never' ? models.filter(({ engine }) => reader === 'api' && engine === 'kubernetes') : models
  const unread = [...readUnreadPolicies(resources), ...(enforcement === 'never' ? [] : readUnreadNodes(clusterwide))]
  return {
    options: { reader, enforcement },
    notModelled: unreadFields(models),
    networkOf: (pod) => {
      const ofNamespace = namespaceLabels.get(pod.namespace) ?? { 'kubernetes.io/metadata.name': pod.namespace }
      const labels: SourcedLabels = pod.hostNetwork ? nodeLabels(pod.node) : podLabels(pod, ofNamespace)
      const selecting = enforced.filter((model) => model.selects({ pod, labels }))
      const always = enforcement === 'always' && !pod.hostNetwork
      const ingress = arrange(selecting, 'ingress', always)
      const egress = arrange(selecting, 'egress', always)
      return {
        party: podParty(pod, labels, ofNamespace),
        ingress,
        egress,
        unread: unread.filter((object) => object.couldSelect(pod)),
        conflict: conflictAmong(ingress.allow) ?? conflictAmong(egress.allow),
      }
    },
  }
}

const known = {
  cilium: new WeakMap<Resource, NetworkPolicyModel>(),
  api: new WeakMap<Resource, NetworkPolicyModel>(),
}

/** An object that did not change says the same in the next snapshot: it is read once. */
function networkPolicy(resource: Resource<NetworkPolicy>, reader: keyof typeof known): NetworkPolicyModel {
  const before = known[reader].get(resource)
  if (before !== undefined) return before
  const model = readNetworkPolicy(resource, reader)
  known[reader].set(resource, model)
  return model
}

/** The order of files never decides which policy is named. */
function byId(a: NetworkPolicyModel, b: NetworkPolicyModel): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}

function arrange(models: readonly NetworkPolicyModel[], direction: Direction, always: boolean): DirectionRules {
  const parts: readonly DirectionPolicy[] = models.map((model) => model[direction])
  const isolating = models.filter((model) => model[direction].isolates !== undefined)
  return {
    allow: parts.flatMap(({ allow }) => allow),
    deny: parts.flatMap(({ deny }) => deny),
    isolatedBy: parts.flatMap(({ isolates }) => isolates ?? []),
    engine: always || isolating.some(({ engine }) => engine === 'cilium') ? 'cilium' : 'kubernetes',
    always,
  }
}
