import type { HttpNamedMatch, HttpRoute, HttpRouteMatch, ParentReference, Resource } from '@bulkhead/resources'
import {
  type Flow,
  type GatewayModel,
  judgeAt,
  type ListenerModel,
  outsideAddress,
  type Snapshot,
} from '@bulkhead/verdict'
import type { Destination } from './questions.js'
import { sampleOf } from './sample.js'

type Request = NonNullable<Flow['http']> & { readonly host: string; readonly headers: Readonly<Record<string, string>> }

/** A host that no route has. The name is reserved, so that no manifest has it by chance. */
const nobodysHost = 'no-route.invalid'
/** What stands for `*`. */
const anyLabel = 'any'

/**
 * Requests to the gateways: for each host and rule of each route one that the rule takes, and one for a host that no
 * route has.
 */
export function gatewayDestinations(snapshot: Snapshot): readonly Destination[] {
  const routes = snapshot.resources.filter(isRoute)
  return [...snapshot.gateways.values()]
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .flatMap((gateway) => {
      const found = gateway.listeners.flatMap((listener) => requestsAt(gateway, listener, routes, snapshot))
      // Two rules may have the same request for an example; what is asked is asked once.
      return [...new Map(found.map((destination) => [destination.name, destination])).values()]
    })
}

/** The request of a flow to a gateway, as a column; undefined for a flow that is none. */
export function requestDestination({ to, port, http }: Flow, snapshot: Snapshot): Destination | undefined {
  const service = 'service' in to ? to.service : undefined
  const gateway = [...snapshot.gateways.values()].find(({ workload }) => workload === service)
  if (service === undefined || gateway === undefined || http === undefined) return undefined
  const listener = gateway.listeners.find((one) => one.port === port)
  const host = http.host ?? (listener === undefined ? undefined : listener.hosts[0])
  if (host === undefined) return undefined
  const request = { ...http, host, headers: http.headers ?? {} }
  return {
    name: `${gateway.key} ${requestName(request)}`,
    flow: { to: { service }, port, http: request },
    workloads: [service],
    gateway: gateway.key,
  }
}

function requestsAt(
  gateway: GatewayModel,
  listener: ListenerModel,
  routes: readonly Resource<HttpRoute>[],
  snapshot: Snapshot,
): readonly Destination[] {
  const { key, workload } = gateway
  const { port } = listener
  const common = { workloads: [workload], gateway: key }
  if (listener.protocol !== 'HTTP') {
    return [{ ...common, name: `${key}:${port}`, flow: { to: { service: workload }, port } }]
  }
  const taken = routes
    .filter((route) => attaches(route, gateway, listener))
    .flatMap((route) =>
      hostsOf(route, listener).flatMap((host) =>
        (route.object.spec.rules ?? [{}]).map((rule, index) => {
          const requests = (rule.matches?.length ? rule.matches : [{}]).map((match) => requestFor(match, host, port))
          return requests.find((request) => isTaken(request, { gateway, port, route, index }, snapshot)) ?? requests[0]
        }),
      ),
    )
  const strange = listener.hosts.includes('*') ? [] : [requestFor({}, nobodysHost, port)]
  return [...taken, ...strange].flatMap((http) =>
    http === undefined
      ? []
      : [{ ...common, name: `${key} ${requestName(http)}`, flow: { to: { service: workload }, port, http } }],
  )
}

/** `http://istioexplained.io/`, `DELETE http://istioexplained.io/orders x-user: admin` */
export function requestName({ method, host, path, headers }: Request): string {
  const more = Object.entries(headers).map(([name, value]) => ` ${name}: ${value}`)
  return `${method === 'GET' ? '' : `${method} `}http://${host}${path}${more.join('')}`
}

const isRoute = (resource: Resource): resource is Resource<HttpRoute> =>
  resource.kind === 'HTTPRoute' && resource.object.apiVersion.startsWith('gateway.networking.k8s.io/')

function attaches(route: Resource<HttpRoute>, { key }: GatewayModel, listener: ListenerModel): boolean {
  const namesIt = ({ kind = 'Gateway', namespace, name, sectionName, port }: ParentReference): boolean =>
    kind === 'Gateway' &&
    `${namespace ?? route.namespace ?? 'default'}/${name}` === key &&
    (sectionName === undefined || sectionName === listener.name) &&
    (port === undefined || port === listener.port)
  return (route.object.spec.parentRefs ?? []).some(namesIt)
}

/** A host for each name of the route that the listener has too. */
function hostsOf({ object }: Resource<HttpRoute>, { hostname, hosts }: ListenerModel): readonly string[] {
  // A route that may not attach to the listener adds no host to it.
  if (hosts.length === 0) return []
  const names = object.spec.hostnames?.length ? object.spec.hostnames : [hostname ?? '*']
  const both = names.flatMap((name) => intersection(name, hostname ?? '*') ?? [])
  return [...new Set(both)].map((name) => (name === '*' ? `${anyLabel}.example` : name.replace(/^\*/, anyLabel)))
}

/** The narrower one of two host names when it is within the other: `*.a.org` and `x.a.org` are `x.a.org`. */
function intersection(a: string, b: string): string | undefined {
  if (a === b || b === '*') return a
  if (a === '*') return b
  if (b.startsWith('*.') && a.endsWith(b.slice(1))) return a
  if (a.startsWith('*.') && b.endsWith(a.slice(1))) return b
  return undefined
}

function requestFor(match: HttpRouteMatch, host: string, port: number): Request {
  const { path, method = 'GET', headers = [], queryParams = [] } = match
  const value = path?.value ?? '/'
  const plain = path?.type === 'RegularExpression' ? (sampleOf(value) ?? '/') : value
  // Compared as they are written, without decoding; what cannot stand in a query is matched by nothing.
  const query = queryParams.map((one) => `${one.name}=${sampleValue(one).replace(/[&#\s]/g, encodeURIComponent)}`)
  return {
    method,
    // As a client says it: without the port where that is http's own.
    host: port === 80 ? host : `${host}:${port}`,
    path: query.length === 0 ? plain : `${plain}?${query.join('&')}`,
    headers: Object.fromEntries(headers.map((one) => [one.name.toLowerCase(), sampleValue(one)])),
  }
}

function sampleValue({ type, value }: HttpNamedMatch): string {
  return type === 'RegularExpression' ? (sampleOf(value) ?? value) : value
}

interface Rule {
  readonly gateway: GatewayModel
  readonly port: number
  readonly route: Resource<HttpRoute>
  readonly index: number
}

/** Whether that rule takes the request: one that is more exact may come before it. */
function isTaken(request: Request, { gateway, port, route, index }: Rule, snapshot: Snapshot): boolean {
  const pod = [...snapshot.pods.values()].find((one) => one.gateway === gateway.key)
  if (pod === undefined) return false
  const { decision } = judgeAt('gateway', { gateway: pod, port, peer: { ip: outsideAddress }, request }, snapshot)
  return decision.step.policy === route.id && decision.step.rule === index
}
