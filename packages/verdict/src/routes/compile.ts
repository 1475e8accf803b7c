import type { Gateway, GatewayListener, HttpRoute, Resource } from '@bulkhead/resources'
import { gatewayGroup } from '@bulkhead/resources/gateway-api'
import { at, namespaceOf, ofKind, rawField } from '../model/kinds.js'
import type { ServiceModel, Step } from '../types.js'
import { attachedHosts, attaches } from './attach.js'
import { type BackendSources, backendSources } from './backends.js'
import { compareHosts, HostTable } from './hosts.js'
import { RequestMatch } from './match.js'
import { type RouteUnknowns, routeUnknowns } from './not-modelled.js'
import { compareRanked, type Ranked } from './precedence.js'
import { type Act, compileAct } from './rule.js'
import { routeStep } from './step.js'
import type { ListenerModel } from './types.js'

/** What routes are compiled from. */
export interface RouteSources {
  readonly resources: readonly Resource[]
  /** Whether a backend's Service is there and has the port. By `namespace/name`. */
  readonly services: ReadonlyMap<string, ServiceModel>
  /** By name, with `kubernetes.io/metadata.name`: for listeners that let routes in by their namespace's labels. */
  readonly namespaceLabels: ReadonlyMap<string, Readonly<Record<string, string>>>
}

/** Every Gateway's routes, ready to be asked. Immutable. */
export interface RouteIndex {
  readonly gateways: ReadonlyMap<string, GatewayRoutes>
  /** The Gateway's listeners with the hosts that routes answer for there; empty for a Gateway that is not there. */
  listeners(gateway: string): readonly ListenerModel[]
  /** Fields and objects that decide over routes and are not modelled; requests that they would decide are `unknown`. */
  readonly notModelled: readonly { readonly id: string; readonly what: string; readonly at: string }[]
}

export interface GatewayRoutes {
  readonly resource: Resource<Gateway>
  readonly listeners: readonly ListenerModel[]
  readonly ports: ReadonlyMap<number, PortRoutes>
}

export interface PortRoutes {
  /** Exactly one listener has a request: the one whose hostname is the most specific. */
  readonly listeners: HostTable<ListenerRoutes>
  /** Host patterns of all its listeners' routes, for people. */
  readonly has: string
  /** Why nothing can be said of this port. */
  readonly unknown?: Step
}

export interface ListenerRoutes {
  readonly at: string
  readonly hosts: HostTable<HostRoutes>
  readonly unknown?: Step
}

/** What Envoy calls a virtual host: one has a request, and if none of its matches does, no other is asked. */
export interface HostRoutes {
  /** In the order of precedence. */
  readonly matches: readonly RankedAct[]
  readonly unknown?: Step
}

export interface RankedAct extends Ranked {
  readonly act: Act
}

/** Reads all Gateways (of any class: whose proxy is modelled is the caller's to say) and the routes that attach to them. */
export function compileRoutes(sources: RouteSources): RouteIndex {
  const { resources } = sources
  const routes = ofKind<HttpRoute>(resources, gatewayGroup, 'HTTPRoute').map((route) => ({
    route,
    unknowns: routeUnknowns(route),
    created: createdAt(route),
  }))
  const compilation: Compilation = {
    ...sources,
    routes,
    grpcRoutes: resources.filter(
      ({ kind, object }) => kind === 'GRPCRoute' && object.apiVersion.startsWith(`${gatewayGroup}/`),
    ),
    backends: backendSources(resources, sources.services),
    notModelled: routes.flatMap(({ unknowns }) => unknowns.found),
  }
  const gateways = new Map(
    ofKind<Gateway>(resources, gatewayGroup, 'Gateway').map((gateway) => [
      `${namespaceOf(gateway)}/${gateway.name}`,
      compileGateway(gateway, compilation),
    ]),
  )
  return {
    gateways,
    listeners: (gateway) => gateways.get(gateway)?.listeners ?? [],
    notModelled: compilation.notModelled,
  }
}

interface Compilation extends RouteSources {
  readonly routes: readonly Route[]
  /** Not read by a schema of ours. */
  readonly grpcRoutes: readonly Resource[]
  readonly backends: BackendSources
  readonly notModelled: { id: string; what: string; at: string }[]
}

interface Route {
  readonly route: Resource<HttpRoute>
  readonly unknowns: RouteUnknowns
  readonly created: number
}

/** In files there is mostly none: then the route counts as younger than every one that has one. */
function createdAt({ object }: Resource): number {
  const written = rawField(object, 'metadata', 'creationTimestamp')
  const time = typeof written === 'string' ? Date.parse(written) : Number.NaN
  return Number.isNaN(time) ? Number.POSITIVE_INFINITY : time
}

function compileGateway(resource: Resource<Gateway>, compilation: Compilation): GatewayRoutes {
  const listeners: ListenerModel[] = []
  const ports = new Map<number, { listeners: HostTable<ListenerRoutes>; hosts: Set<string>; unknown?: Step }>()
  for (const [index, listener] of resource.object.spec.listeners.entries()) {
    const { model, routes, broken } = compileListener(resource, listener, index, compilation)
    listeners.push(model)
    let port = ports.get(listener.port)
    if (port === undefined) {
      port = { listeners: new HostTable(), hosts: new Set() }
      ports.set(listener.port, port)
    }
    port.listeners.set(listener.hostname ?? '*', routes)
    for (const host of model.hosts) port.hosts.add(host)
    if (broken !== undefined) port.unknown ??= broken
  }
  return {
    resource,
    listeners,
    ports: new Map(
      [...ports].map(([number, { hosts, ...port }]) => [number, { ...port, has: hostsText([...hosts]) }] as const),
    ),
  }
}

const hostsText = (hosts: readonly string[]): string =>
  hosts.length === 0
    ? 'no routes'
    : hosts
        .toSorted(compareHosts)
        .map((host) => (host === '*' ? 'any other' : host))
        .join(', ')

function compileListener(
  gateway: Resource<Gateway>,
  listener: GatewayListener,
  index: number,
  compilation: Compilation,
): { model: ListenerModel; routes: ListenerRoutes; broken: Step | undefined } {
  const place = at(gateway, ['spec', 'listeners', index])
  const byHost = new Map<string, { matches: RankedAct[]; unknown?: Step }>()
  const hostOf = (pattern: string) => {
    let host = byHost.get(pattern)
    if (host === undefined) {
      host = { matches: [] }
      byHost.set(pattern, host)
    }
    return host
  }
  let broken: Step | undefined
  for (const candidate of compilation.routes) {
    const { route } = candidate
    if (!takesHttp(listener) || !attaches(route, 'HTTPRoute', gateway, listener, compilation.namespaceLabels)) continue
    const attached = attachedHosts(listener.hostname, route.object.spec.hostnames)
    if (attached.length === 0) continue
    const { matches, mistake } = compileMatches(candidate, listener.port, compilation.backends)
    for (const { pattern, own } of attached)
      hostOf(pattern).matches.push(...matches.map((match) => ({ ...match, own })))
    if (mistake === undefined) continue
    broken ??= mistake
    noteOnce(compilation.notModelled, route.id, mistake)
  }
  for (const route of compilation.grpcRoutes) {
    if (!takesHttp(listener) || !mayAttach(route, gateway, listener, compilation)) continue
    for (const { pattern } of attachedHosts(listener.hostname, hostnamesOf(route)))
      hostOf(pattern).unknown ??= unknownStep(route, `${route.id}, a GRPCRoute at this host,`)
  }
  const hosts = new HostTable<HostRoutes>()
  for (const [pattern, host] of byHost) hosts.set(pattern, { ...host, matches: host.matches.toSorted(compareRanked) })
  const unknown =
    listener.protocol === 'HTTP'
      ? undefined
      : unknownStep(gateway, `protocol ${listener.protocol} of the listener ${listener.name} of ${gateway.id}`, place)
  return {
    model: {
      name: listener.name,
      port: listener.port,
      protocol: listener.protocol,
      ...(listener.hostname !== undefined && { hostname: listener.hostname }),
      at: place,
      hosts: [...byHost.keys()].sort(),
    },
    routes: { at: place, hosts, ...(unknown !== undefined && { unknown }) },
    broken,
  }
}

/** The protocols whose listeners HTTPRoutes attach to. */
const takesHttp = ({ protocol }: GatewayListener): boolean => protocol === 'HTTP' || protocol === 'HTTPS'

type Compiled = Omit<RankedAct, 'own'>

function compileMatches(
  { route, unknowns, created }: Route,
  listenerPort: number,
  backends: BackendSources,
): { matches: Compiled[]; mistake: Step | undefined } {
  const matches: Compiled[] = []
  let mistake: Step | undefined
  const key = `${namespaceOf(route)}/${route.name}`
  for (const [rule, spec] of (route.object.spec.rules ?? [{}]).entries()) {
    const written = spec.matches === undefined || spec.matches.length === 0 ? [{}] : spec.matches
    for (const [index, one] of written.entries()) {
      const match = readMatch(one)
      if (match === undefined) {
        const what = `an expression of ${route.id}, which is not RE2, so that Envoy takes none of the port's routes,`
        mistake ??= unknownStep(route, what, at(route, ['spec', 'rules', rule, 'matches', index]))
        continue
      }
      const unknown = unknowns.rules[rule]
      const act = compileAct(route, spec, { index: rule, match: index }, { ...backends, listenerPort, unknown })
      matches.push({ match, created, route: key, rule, index, act })
    }
  }
  return { matches, mistake }
}

function readMatch(written: ConstructorParameters<typeof RequestMatch>[0]): RequestMatch | undefined {
  try {
    return new RequestMatch(written)
  } catch {
    return undefined
  }
}

function noteOnce(list: { id: string; what: string; at: string }[], id: string, { facts, at: place = '' }: Step): void {
  if (list.every((one) => one.id !== id || one.at !== place)) list.push({ id, what: String(facts?.what), at: place })
}

function unknownStep(resource: Resource, what: string, place = at(resource)): Step {
  return routeStep(resource, place, { outcome: 'unknown', code: 'not-modelled', facts: { what } })
}

/** Without a schema nothing is sure of its shape: what is not as it should be attaches, and leaves its hosts unknown. */
function mayAttach(
  route: Resource,
  gateway: Resource<Gateway>,
  listener: GatewayListener,
  { namespaceLabels }: Compilation,
): boolean {
  try {
    return attaches(route, 'GRPCRoute', gateway, listener, namespaceLabels)
  } catch {
    return true
  }
}

function hostnamesOf(route: Resource): string[] | undefined {
  const written = rawField(route.object, 'spec', 'hostnames')
  return Array.isArray(written) ? written.filter((host): host is string => typeof host === 'string') : undefined
}
