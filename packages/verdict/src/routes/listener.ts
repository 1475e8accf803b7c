import type { Gateway, GatewayListener, HttpRoute, Resource } from '@bulkhead/resources'
import { at, namespaceOf, rawField } from '../model/kinds.js'
import type { Step } from '../types.js'
import { attachedHosts, attaches } from './attach.js'
import type { BackendSources } from './backends.js'
import { HostTable } from './hosts.js'
import { RequestMatch } from './match.js'
import type { RouteUnknowns } from './not-modelled.js'
import { compareRanked } from './precedence.js'
import type { HostRoutes, ListenerRoutes, RankedAct, RouteSources } from './route-index.js'
import { compileAct } from './rule.js'
import { routeStep } from './step.js'
import type { ListenerModel } from './types.js'

/** What is read once for all listeners. */
export interface Compilation extends RouteSources {
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

/** Everything of one listener; `broken` says why nothing can be said of its whole port. */
export function compileListener(
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
