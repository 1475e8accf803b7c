import type { Gateway, HttpRoute, Resource } from '@bulkhead/resources'
import { gatewayGroup } from '@bulkhead/resources/gateway-api'
import { at, namespaceOf, ofKind, rawField } from '../model/kinds.js'
import type { Step } from '../types.js'
import { backendSources } from './backends.js'
import { compareHosts, HostTable } from './hosts.js'
import { type Compilation, compileListener } from './listener.js'
import { routeUnknowns } from './not-modelled.js'
import type { GatewayRoutes, ListenerRoutes, RouteIndex, RouteSources } from './route-index.js'
import type { ListenerModel } from './types.js'

export type { RouteIndex, RouteSources } from './route-index.js'

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
    at: at(resource),
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
