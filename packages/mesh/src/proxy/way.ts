import type { NextHop, Pod, ServiceModel, Snapshot, Step } from '@bulkhead/verdict'
import type { Engine } from '../context.js'
import { noEndpoint, noWaypoint } from '../obstacles.js'
import { type Endpoints, readyEndpoints } from '../route.js'

/** Where what a proxy has been asked for goes on to, once an endpoint of it is chosen. */
export interface Way {
  /** The proxy's own pod. */
  readonly from: Pod
  /** Who is dialled: a pod of the Service, or of the waypoint that stands before it. */
  readonly pod: Pod
  /** The container's port there; a waypoint is asked for the Service's. */
  readonly port: number
  /** Absent where a pod was asked for by its address. */
  readonly service?: ServiceModel
  readonly hop: NextHop
}

export interface WayParts {
  readonly context: Pick<Engine, 'nextHop'>
  readonly endpoints: Endpoints
}

/** Whom a proxy is asked for. */
export type Asked =
  | { readonly service: ServiceModel; readonly port: number }
  | { readonly pod: Pod; readonly port: number }

/** There is no way on: the Service has no ready pod, or the waypoint before it has none. */
export interface NoWay {
  readonly service: string
  readonly step: Omit<Step, 'hop'>
}

/** The way on from that proxy, by the policies in force. */
export function wayOn(from: Pod, asked: Asked, { context, endpoints }: WayParts, snapshot: Snapshot): Way | NoWay {
  if ('pod' in asked) {
    const { pod, port } = asked
    return { from, pod, port, hop: context.nextHop({ source: from, destination: pod, port }, snapshot) }
  }
  const { service, port: servicePort } = asked
  const found = endpointOf(from, asked, endpoints, snapshot)
  const destination = found?.pod ?? { ip: service.clusterIP ?? '' }
  const port = found?.port ?? servicePort
  const hop = context.nextHop({ source: from, destination, port, service, servicePort }, snapshot)
  if (hop.waypoint === undefined) {
    if (found !== undefined) return { from, ...found, service, hop }
    return { service: service.key, step: noEndpoint(service.key) }
  }
  const { key } = hop.waypoint
  const pod = waypointPod(key, endpoints, snapshot)
  if (pod !== undefined) return { from, pod, port, service, hop }
  return { service: waypointService(key, snapshot), step: noWaypoint(key, snapshot) }
}

/** The next ready pod of a waypoint, in turn. */
export function waypointPod(key: string, endpoints: Endpoints, snapshot: Snapshot): Pod | undefined {
  const service = snapshot.services.get(waypointService(key, snapshot))
  const ready = service === undefined ? [] : readyEndpoints(snapshot, service, endpoints)
  return ready.length < 2 ? ready[0] : ready[endpoints.turn(`waypoint ${key}`) % ready.length]
}

/** Of the Service that istiod makes for a waypoint. */
const waypointService = (key: string, { waypoints }: Snapshot): string => waypoints.get(key)?.workload ?? key

/** The next ready pod of a Service that has the port, in turn. */
function endpointOf(
  from: Pod,
  { service, port }: Extract<Asked, { service: ServiceModel }>,
  endpoints: Endpoints,
  snapshot: Snapshot,
): Pick<Way, 'pod' | 'port'> | undefined {
  const ready = readyEndpoints(snapshot, service, endpoints)
  if (ready.length === 0) return undefined
  // A waypoint's turns are its own: whoever sent it there has taken one of the Service's.
  const turn = endpoints.turn(from.waypoint === undefined ? service.key : `${from.waypoint} > ${service.key}`)
  for (let index = 0; index < ready.length; index += 1) {
    const pod = ready[(turn + index) % ready.length]
    const target = pod && snapshot.targetPort(service, port, pod, 'TCP')
    if (pod !== undefined && target !== undefined) return { pod, port: target }
  }
  return undefined
}
