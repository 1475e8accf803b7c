import type { Snapshot } from '../api.js'
import { internalsOf } from '../model/internals.js'
import { hbonePort } from '../points/hbone.js'
import type { Pod, Protocol, ServiceModel, Tuple } from '../types.js'
import type { Unread } from './parties.js'

export interface HopRequest {
  readonly source: Pod | { readonly ip: string }
  readonly destination: Pod | { readonly ip: string }
  /** The container's port (or the outside's). */
  readonly port: number
  readonly protocol?: Protocol
  /** The Service by whose name or cluster IP the destination was asked for, and the port of it that was asked for. */
  readonly service?: ServiceModel
  readonly servicePort?: number
}

/** Where a packet really goes. The mesh sends it there, and judge() reasons about the same. */
export interface NextHop {
  readonly transport: 'hbone' | 'plaintext'
  /** What the CNI sees. For HBONE the port is 15008, whatever port the app asked for. */
  readonly tuple: Tuple
  /** The identity that the far side reads from the certificate. */
  readonly as?: string
  /** The connection goes to this waypoint first, and `tuple` is the packet to it. */
  readonly waypoint?: WaypointHop
  /** A waypoint is named for the destination, and this connection does not go by it: why. */
  readonly past?: PastWaypoint
  /** Something else on a gateway's way that is not modelled. The mesh sends nothing there, as judge() can say nothing of it. */
  readonly unread?: Unread
}

/** A waypoint on the way, and what it is asked for: CONNECT to `target`. */
export interface WaypointHop {
  /** `namespace/name` of the Gateway; its model is in the snapshot's `waypoints`. */
  readonly key: string
  /** The first pod of its, for who does not choose by readiness. Undefined: it has been ready, and none is left. */
  readonly pod: Pod | undefined
  /** As the caller addressed it: the Service's cluster IP and port, or the pod's. */
  readonly target: { readonly ip: string; readonly port: number }
}

/** Why a connection walks past a waypoint (C.7). */
export type PastReason =
  | 'pod-address' // the pod was called, by its address or a headless Service's name, and the waypoint serves Services
  | 'service-address' // the Service was called, and the waypoint serves workloads
  | 'ingress' // a gateway calls, and the Service does not say ingress-use-waypoint
  | 'not-captured' // the caller is outside the mesh
  | 'missing' // there is no Gateway of that name
  | 'never-ready' // there is one, and no pod of its has been ready yet

export interface PastWaypoint {
  /** `namespace/name` of the Gateway, as it is named. */
  readonly key: string
  readonly why: PastReason
}

/**
 * Semantics 0: a captured pod speaks HBONE to a captured pod, as itself, and so does a gateway; everything else goes to
 * the app's own port as it is. Only TCP is captured. Callers outside the mesh go round waypoints, and gateways do unless
 * the Service wants them (C.7).
 */
export function nextHop(request: HopRequest, snapshot: Snapshot): NextHop {
  const { source, destination, port, protocol = 'TCP', service } = request
  const speaks = isPod(source) && (source.mesh || source.gateway !== undefined) && protocol === 'TCP'
  const unread = speaks && source.gateway !== undefined ? unreadBehind(destination, port, service, snapshot) : undefined
  if (!speaks || !isPod(destination) || !destination.mesh) {
    const tuple = { src: source.ip, dst: destination.ip, port, protocol }
    return { transport: 'plaintext', tuple, ...(unread && { unread }) }
  }
  // A headless Service's name resolves to the pods' addresses: the pod is called, not the Service (C.7).
  const byService = service?.clusterIP === undefined ? undefined : service.key
  const waypoint = internalsOf(snapshot).waypointFor({
    pod: destination,
    ...(byService !== undefined && { service: byService }),
    ingress: source.gateway !== undefined,
  })
  return {
    transport: 'hbone',
    tuple: { src: source.ip, dst: destination.ip, port: hbonePort, protocol },
    as: source.identity,
    ...(waypoint && { unread: { what: `waypoint ${waypoint.name}`, id: waypoint.policy, at: waypoint.at } }),
    ...(unread && { unread }),
  }
}

/** What keeps anybody from saying how a gateway's request fares there. */
function unreadBehind(
  destination: HopRequest['destination'],
  port: number,
  service: ServiceModel | undefined,
  snapshot: Snapshot,
): Unread | undefined {
  const gateway = isPod(destination) ? destination.gateway : undefined
  // It may well be the same one, which would ask itself without an end.
  if (isPod(destination) && gateway !== undefined && listensAt(gateway, port, snapshot))
    return { what: `a gateway behind a gateway (${destination.workload})` }
  return service && internalsOf(snapshot).backendTls.of(service.key)
}

/** Whether a gateway reads what arrives there: at its status and metrics ports nobody asks a policy. */
export function listensAt(gateway: string, port: number, snapshot: Snapshot): boolean {
  return snapshot.gateways.get(gateway)?.listeners.some((listener) => listener.port === port) === true
}

export function isPod(peer: Pod | { readonly ip: string }): peer is Pod {
  return 'key' in peer
}
