import type { Snapshot } from '../api.js'
import { internalsOf } from '../model/internals.js'
import { targetPortOn } from '../model/services.js'
import type { Addressed, PastReason } from '../model/waypoints.js'
import { speaksHbone } from '../network/parties.js'
import { hbonePort } from '../points/hbone.js'
import type { Pod, Protocol, ServiceModel, Tuple } from '../types.js'
import type { Unread } from './parties.js'

export type { PastReason } from '../model/waypoints.js'

export interface HopRequest {
  readonly source: Pod | { readonly ip: string }
  readonly destination: Pod | { readonly ip: string }
  /** The container's port (or the outside's). */
  readonly port: number
  readonly protocol?: Protocol
  /**
   * The Service by whose name or cluster IP the destination was asked for, and the port of it that was asked for (by
   * default the first one that leads to `port`). One without pods may be given with its address as the destination: a
   * waypoint before it is asked all the same.
   */
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

export interface PastWaypoint {
  /** `namespace/name` of the Gateway, as it is named. */
  readonly key: string
  readonly why: PastReason
}

/**
 * Semantics 0: a captured pod speaks HBONE to a captured pod, as itself, and so do a gateway and a waypoint; everything
 * else goes to the app's own port as it is. Only TCP is captured. Of those who speak HBONE, captured pods go by the
 * waypoint that the destination names, gateways where the Service wants them to, and waypoints never: not by another, nor
 * by themselves (C.7).
 */
export function nextHop(request: HopRequest, snapshot: Snapshot): NextHop {
  const { source, destination, port, protocol = 'TCP', service } = request
  const speaks = isPod(source) && speaksHbone(source) && protocol === 'TCP'
  const proxy = speaks && !source.mesh
  const unread = proxy ? unreadBehind(source, destination, port, service, snapshot) : undefined
  const choice = protocol === 'TCP' ? waypointOf(request, snapshot) : undefined
  if (speaks && choice?.kind === 'through') {
    const { key, workload } = choice.model
    const [pod] = internalsOf(snapshot).podsOf.get(workload) ?? []
    // Without a pod the address is that of its Service, where nobody answers.
    const dst = pod?.ip ?? snapshot.services.get(workload)?.clusterIP ?? destination.ip
    return {
      transport: 'hbone',
      tuple: { src: source.ip, dst, port: hbonePort, protocol },
      as: source.identity,
      waypoint: { key, pod, target: targetOf(request) },
      ...(unread && { unread }),
    }
  }
  const more = {
    ...(choice?.kind === 'past' && { past: { key: choice.key, why: choice.why } }),
    ...(choice?.kind === 'unread' && { unread: choice.found }),
    ...(unread && { unread }),
  }
  if (!speaks || !isPod(destination) || !destination.mesh) {
    const tuple = { src: source.ip, dst: destination.ip, port, protocol }
    return { transport: 'plaintext', tuple, ...more }
  }
  const tuple = { src: source.ip, dst: destination.ip, port: hbonePort, protocol }
  return { transport: 'hbone', tuple, as: source.identity, ...more }
}

function waypointOf({ source, destination, service, port }: HopRequest, snapshot: Snapshot) {
  if (isPod(source) && source.waypoint !== undefined) return undefined
  const caller: Addressed['caller'] =
    isPod(source) && source.mesh ? 'captured' : isPod(source) && source.gateway !== undefined ? 'ingress' : 'other'
  const { waypointFor } = internalsOf(snapshot)
  // A headless Service's name resolves to the pods' addresses: the pod is called, not the Service (C.7).
  if (service?.clusterIP !== undefined) return waypointFor({ service: service.key, caller })
  if (!isPod(destination) || (isPod(source) && source.key === destination.key)) return undefined
  return waypointFor({ pod: destination, port, caller })
}

/** What a waypoint is asked to connect to: the Service's address, or the pod's. */
function targetOf({ destination, port, service, servicePort: asked }: HopRequest): WaypointHop['target'] {
  if (service?.clusterIP === undefined) return { ip: destination.ip, port }
  const leadsThere = service.ports.find(
    (candidate) =>
      candidate.protocol === 'TCP' && isPod(destination) && targetPortOn(service, candidate.port, destination) === port,
  )
  return { ip: service.clusterIP, port: asked ?? leadsThere?.port ?? port }
}

/** What keeps anybody from saying how a gateway's request fares there. */
function unreadBehind(
  source: Pod,
  destination: HopRequest['destination'],
  port: number,
  service: ServiceModel | undefined,
  snapshot: Snapshot,
): Unread | undefined {
  const gateway = isPod(destination) ? destination.gateway : undefined
  // It may well be the same one, which would ask itself without an end.
  if (isPod(destination) && gateway !== undefined && listensAt(gateway, port, snapshot))
    return {
      what: `a gateway behind a ${source.gateway === undefined ? 'waypoint' : 'gateway'} (${destination.workload})`,
    }
  return service && internalsOf(snapshot).backendTls.of(service.key)
}

/** Whether a gateway reads what arrives there: at its status and metrics ports nobody asks a policy. */
export function listensAt(gateway: string, port: number, snapshot: Snapshot): boolean {
  return snapshot.gateways.get(gateway)?.listeners.some((listener) => listener.port === port) === true
}

export function isPod(peer: Pod | { readonly ip: string }): peer is Pod {
  return 'key' in peer
}
