import { asReceived } from '../points/http/edge.js'
import { withoutAbsoluteForm } from '../points/http/refused.js'
import { asReceivedByWaypoint } from '../points/http/waypoint-edge.js'
import type { HttpRequest } from '../routes/types.js'
import type { Flow } from '../types.js'
import type { Caller } from './parties.js'
import type { Route } from './route.js'

/**
 * The request that a flow makes of a gateway, as the gateway has it once it has read it: what the flow says, else `GET /`
 * with the Host that a client writes who was given nothing but the address.
 *
 * @param client the address that the gateway sees
 */
export function requestOf(flow: Flow, caller: Caller, route: Route, client: string): HttpRequest {
  const { headers, ...sent } = requestSent(flow, caller, route)
  return withoutAbsoluteForm({ ...sent, headers: asReceived(headers, client) })
}

/** The same at a waypoint. */
export function requestAtWaypoint(flow: Flow, caller: Caller, route: Route): HttpRequest {
  const { headers, ...sent } = requestSent(flow, caller, route)
  return withoutAbsoluteForm({ ...sent, headers: asReceivedByWaypoint(headers) })
}

/** The request as it is on the wire when the caller itself sends it. */
export function requestSent(flow: Flow, caller: Caller, route: Route): HttpRequest {
  const { method = 'GET', path = '/', host, headers = {} } = flow.http ?? {}
  const lower: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase()
    lower[key] = lower[key] === undefined ? value : `${lower[key]},${value}`
  }
  const { host: header, ...rest } = lower
  return { method, path, host: host ?? header ?? usualHost(flow, caller, route), headers: rest }
}

function usualHost({ to, port }: Flow, caller: Caller, { service, pod, via }: Route): string {
  const withPort = (name: string, number: number): string => (number === 80 ? name : `${name}:${number}`)
  if ('host' in to) return withPort(to.host, port)
  if ('ip' in to) return withPort(to.ip.includes(':') ? `[${to.ip}]` : to.ip, port)
  if (via !== undefined) return withPort(via.node.ip, via.port)
  // From outside by the port that is open on this machine (kind maps it), wherever the manifests pin one.
  if (caller.kind !== 'pod') {
    const open = service?.ports.find((candidate) => candidate.port === port)?.nodePort ?? port
    return withPort('localhost', open)
  }
  // By the name also of a pod: its address depends on what else is there.
  const named = service ?? { namespace: pod?.namespace, name: pod?.workload.slice(pod.workload.indexOf('/') + 1) ?? '' }
  return withPort(named.namespace === caller.pod.namespace ? named.name : `${named.name}.${named.namespace}`, port)
}
