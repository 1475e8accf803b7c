import type { Resource, Service } from '@bulkhead/resources'
import type { Snapshot } from '../api.js'
import type { NetworkIndex, PodNetwork } from '../network/compile-network.js'
import type { HttpAuthorization } from '../points/http/authorization.js'
import type { PodAuthorization } from '../points/policy/policies.js'
import type { WaypointAuthorizations } from '../points/waypoint/authorization.js'
import type { EffectiveMtls } from '../points/ztunnel/peer-authentication.js'
import type { RouteIndex } from '../routes/compile.js'
import type { Pod } from '../types.js'
import type { BackendTls } from './backend-tls.js'
import type { NotModelled } from './not-modelled.js'
import type { PlatformModel } from './platform.js'
import type { Addressed, WaypointChoice } from './waypoints.js'

/** What the points ask about a pod: all that selects it, found once per class of equal pods. */
export interface PodPolicies {
  readonly mtls: EffectiveMtls
  readonly authorization: PodAuthorization
  readonly network: PodNetwork
  /** Of a gateway's pod: what its Envoy asks about a request. */
  readonly requests: HttpAuthorization | undefined
  /** Of a waypoint's pod: what its Envoy asks, by whom it is on the way to. */
  readonly waypoint: WaypointAuthorizations | undefined
}

/** What a snapshot knows beyond its public face. */
export interface Internals {
  readonly trustDomain: string
  readonly rootNamespace: string
  readonly namespaceLabels: ReadonlyMap<string, Readonly<Record<string, string>>>
  readonly serviceObjects: ReadonlyMap<string, Resource<Service>>
  /** The pods of a workload, by `namespace/name`, in their order. */
  readonly podsOf: ReadonlyMap<string, readonly Pod[]>
  readonly platform: PlatformModel
  readonly notModelled: readonly NotModelled[]
  /** Workloads whose pods run Istio's sidecar, by `namespace/name`. */
  readonly sidecars: ReadonlyMap<string, NotModelled>
  policiesOf(pod: Pod): PodPolicies
  readonly network: NetworkIndex
  readonly routes: RouteIndex
  readonly backendTls: BackendTls
  /** What a waypoint that is named for a destination means to a connection there. */
  waypointFor(addressed: Addressed): WaypointChoice | undefined
  /** Ports that the pod can be expected to listen on, as `TCP/8080`: those it declares, and those Services send to. */
  listening(pod: Pod): ReadonlySet<string>
}

const internals = new WeakMap<Snapshot, Internals>()

export function setInternals(snapshot: Snapshot, value: Internals): void {
  internals.set(snapshot, value)
}

export function internalsOf(snapshot: Snapshot): Internals {
  const found = internals.get(snapshot)
  if (found === undefined) throw new TypeError('this Snapshot was not made by compile(): copies of one do not work')
  return found
}
