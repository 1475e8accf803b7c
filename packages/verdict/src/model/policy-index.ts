import type { Resource } from '@bulkhead/resources'
import type { NetworkIndex, PodNetwork } from '../network/compile-network.js'
import { gatewayAuthorization, gatewayName } from '../points/gateway/authorization.js'
import type { HttpAuthorization } from '../points/http/authorization.js'
import type { PodAuthorization } from '../points/policy/policies.js'
import { type WaypointAuthorizations, waypointAuthorizations, waypointName } from '../points/waypoint/authorization.js'
import { authorizationFor, readAuthorizations } from '../points/ztunnel/authorization.js'
import { type EffectiveMtls, effectiveMtls, readPeerAuthentications } from '../points/ztunnel/peer-authentication.js'
import type { Pod } from '../types.js'
import type { Generated } from './gateways/generate.js'
import type { PodPolicies } from './internals.js'

/** Pods that are only described in a flow make classes of their own; this bounds how many are kept. */
const maxClasses = 10_000

/**
 * Finds what selects a pod. Selectors are read once per class: pods of one workload that are alike in all that any rule
 * reads. A pod's own entry is kept by identity, so that a warm question costs one look-up.
 */
export function indexPolicies(
  resources: readonly Resource[],
  { rootNamespace, trustDomain }: { readonly rootNamespace: string; readonly trustDomain: string },
  gateways: ReadonlyMap<string, Generated>,
  network: NetworkIndex,
): (pod: Pod) => PodPolicies {
  const peerAuthentications = readPeerAuthentications(resources, rootNamespace)
  const authorizations = readAuthorizations(resources)
  const byClass = new Map<string, PodPolicies>()
  const byPod = new WeakMap<Pod, PodPolicies>()
  const annotationsOf = ({ workload }: Pod): Readonly<Record<string, string>> =>
    gateways.get(workload)?.deployment.object.spec.template.metadata?.annotations ?? {}
  const requestsAt = (pod: Pod): HttpAuthorization => {
    const annotations = annotationsOf(pod)
    const { namespace, labels } = pod
    return gatewayAuthorization(resources, rootNamespace, {
      namespace,
      name: gatewayName(pod),
      labels,
      annotations,
      trustDomain,
    })
  }
  const waypointAt = (pod: Pod): WaypointAuthorizations =>
    waypointAuthorizations(resources, rootNamespace, {
      namespace: pod.namespace,
      name: waypointName(pod),
      gatewayClass: gateways.get(pod.workload)?.gateway.object.spec.gatewayClassName ?? '',
      annotations: annotationsOf(pod),
      trustDomain,
    })
  return (pod) => {
    const known = byPod.get(pod)
    if (known !== undefined) return known
    const { namespace, labels } = pod
    const key = classKey(pod)
    let policies = byClass.get(key)
    if (policies === undefined) {
      const found = {
        mtls: effectiveMtls(peerAuthentications, namespace, labels),
        network: network.networkOf(pod),
        // At once: a rule that nobody can read is an error of the snapshot.
        requests: pod.gateway === undefined ? undefined : requestsAt(pod),
        waypoint: pod.waypoint === undefined ? undefined : waypointAt(pod),
      }
      policies = new Policies(found, () => authorizationFor(authorizations, rootNamespace, namespace, labels))
      if (byClass.size >= maxClasses) byClass.clear()
      byClass.set(key, policies)
    }
    byPod.set(pod, policies)
    return policies
  }
}

/** How ztunnel's rules lie in its memory is wanted only of pods that somebody asks about: most snapshots are asked about a few. */
class Policies implements PodPolicies {
  readonly mtls: EffectiveMtls
  readonly network: PodNetwork
  readonly requests: HttpAuthorization | undefined
  readonly waypoint: WaypointAuthorizations | undefined
  readonly #arranged: () => PodAuthorization
  #authorization: PodAuthorization | undefined

  constructor(found: Omit<PodPolicies, 'authorization'>, arranged: () => PodAuthorization) {
    this.mtls = found.mtls
    this.network = found.network
    this.requests = found.requests
    this.waypoint = found.waypoint
    this.#arranged = arranged
  }

  get authorization(): PodAuthorization {
    this.#authorization ??= this.#arranged()
    return this.#authorization
  }
}

function classKey(pod: Pod): string {
  const { namespace, workload, serviceAccount, hostNetwork, mesh, gateway = null, waypoint = null, ports } = pod
  const labels = Object.entries(pod.labels).sort(([a], [b]) => (a < b ? -1 : 1))
  // What is on a node's network is selected by the node's own labels.
  const node = hostNetwork ? pod.node : null
  // As JSON: no text in a label can make it look like two.
  return JSON.stringify([
    namespace,
    workload,
    serviceAccount,
    hostNetwork,
    mesh,
    gateway,
    waypoint,
    node,
    labels,
    ports,
  ])
}
