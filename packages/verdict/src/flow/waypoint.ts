import type { Snapshot } from '../api.js'
import { internalsOf } from '../model/internals.js'
import { servicePort } from '../model/services.js'
import { judgeAt } from '../points/judge-at.js'
import { istioStep } from '../points/policy/step.js'
import { splitPath } from '../routes/path.js'
import type { HttpRequest } from '../routes/types.js'
import type { Flow, Pod, ServiceModel, Step, WaypointEvidence } from '../types.js'
import type { PastWaypoint, WaypointHop } from './next-hop.js'
import type { Caller } from './parties.js'
import { requestAtWaypoint, requestSent } from './request.js'
import { type Obstacle, type Route, serviceRoute } from './route.js'

/** Where a proxy sends on what has come to it, as a flow of its own. */
export interface Leg {
  readonly flow: Flow
  readonly caller: Caller
  readonly route: Route
}

/** What arrived at a waypoint, and who sent it. */
export interface Arrival {
  readonly flow: Flow
  readonly caller: Caller
  readonly route: Route
  readonly hop: WaypointHop
  readonly peer: WaypointEvidence['peer']
}

/** The waypoint's word on it, and its own way on: it is judged also when the waypoint refuses. */
export function atWaypoint(
  arrival: Arrival,
  waypoint: Pod,
  snapshot: Snapshot,
): { steps: readonly Step[]; onward: Leg } {
  const { flow, route, hop, peer } = arrival
  const { service, pod } = route
  const addressed = service?.clusterIP === undefined ? undefined : service
  const request = requestAt(arrival, addressed)
  const to = addressed === undefined ? pod && { pod, port: route.port } : { service: addressed, port: hop.target.port }
  if (to === undefined) throw new RangeError(`waypoint ${hop.key} is before nothing: ${JSON.stringify(flow.to)}`)
  const { steps } = judgeAt('waypoint', { waypoint, peer, to, ...(request && { request }) }, snapshot)
  const caller: Caller = { kind: 'pod', pod: waypoint, name: waypoint.workload }
  const http = request === undefined ? flow.http && requestSent(flow, arrival.caller, route) : forwarded(request)
  const own: Flow = {
    from: { workload: waypoint.workload },
    to: 'service' in to ? { service: to.service.key } : flow.to,
    port: to.port,
    ...(http && { http }),
    ...(flow.tls && { tls: flow.tls }),
  }
  const onward =
    'service' in to
      ? serviceRoute(to.service, to.service.key, to.port, 'TCP', caller, snapshot)
      : withoutQuestion(route)
  return { steps, onward: { flow: own, caller, route: onward } }
}

/** What is judged is what goes on: normalised. What is not read goes on as it came. */
function forwarded(request: HttpRequest): HttpRequest {
  const target = splitPath(request.path)
  return target === undefined ? request : { ...request, path: target.path + target.query }
}

/** The waypoint has the address: it asks for no name. */
function withoutQuestion({ question: _, ...route }: Route): Route {
  return route
}

/**
 * The request on the connection, where the waypoint reads one: not at a port that is declared to be none's, and not in
 * what the flow says is TLS. What a flow leaves open is `GET /`, as at a gateway.
 */
function requestAt({ flow, caller, route, hop }: Arrival, service: ServiceModel | undefined): HttpRequest | undefined {
  const port = service?.ports.find((candidate) => candidate.port === hop.target.port && candidate.protocol === 'TCP')
  if (port?.application === 'tcp') return undefined
  if (flow.http === undefined && flow.tls !== undefined) return undefined
  return requestAtWaypoint(flow, caller, route)
}

/**
 * What a CONNECT to that address and port means at a waypoint's pod: a Service, or a pod, that names it. Undefined for what
 * it does not serve, which is refused (`hbone.wrong-target`), whoever asks.
 */
export function servedAt(
  waypoint: Pod,
  target: WaypointHop['target'],
  snapshot: Snapshot,
): WaypointEvidence['to'] | undefined {
  const { waypointFor } = internalsOf(snapshot)
  const service = snapshot.serviceByIp(target.ip)
  const pod = service === undefined ? snapshot.podByIp(target.ip) : undefined
  const choice = waypointFor({
    ...(service && { service: service.key }),
    ...(pod && { pod }),
    caller: 'captured',
  })
  // One that nobody goes by yet, or any more, answers all the same who does.
  const unused = choice?.kind === 'past' && choice.why === 'never-ready' ? choice.key : undefined
  const key = choice?.kind === 'through' ? choice.model.key : unused
  if (key === undefined || key !== waypoint.waypoint) return undefined
  if (pod !== undefined) return { pod, port: target.port }
  return service !== undefined && servicePort(service, target.port) !== undefined
    ? { service, port: target.port }
    : undefined
}

/** Once a waypoint has been ready, its address stays: connections to it fail when nobody is left there (C.7). */
export function deadWaypoint(key: string, snapshot: Snapshot): Obstacle {
  const model = snapshot.waypoints.get(key)
  const by = model && { ...(model.layer !== undefined && { layer: model.layer }), policy: model.id, at: model.at }
  const facts = { service: model?.workload ?? key, waypoint: key }
  return { code: 'network.no-endpoint', outcome: 'deny', facts, ...(by && { by }) }
}

/** That a connection walks past a waypoint that its destination names, and why. No wall says so: it is what is missing. */
export function walkedPast({ key, why }: PastWaypoint, snapshot: Snapshot): Step {
  const model = snapshot.waypoints.get(key)
  const facts = { waypoint: key, why, ...(model && { serves: model.serves }) }
  const by = { layer: model?.layer, policy: `Gateway/${key}`, ...(model && { at: model.at }) }
  return istioStep('waypoint', 'not-applicable', 'waypoint.walked-past', facts, by)
}
