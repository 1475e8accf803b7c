import type { Step } from '../types.js'
import { hostName } from './hosts.js'
import { splitPath } from './path.js'
import type { GatewayRoutes, ListenerRoutes, PortRoutes, RouteIndex } from './route-index.js'
import { requestText, routeStep } from './step.js'
import type { HttpRequest, RouteDecision } from './types.js'

/**
 * What the Gateway's routes do with a request that came in at that port. Pure and total: a request is never wrong, at
 * worst nothing takes it (404).
 *
 * A request belongs to one listener (the most specific hostname that matches, exact before wildcard before none), and
 * there to one host pattern, chosen alike: as with Envoy's virtual hosts, the next one is not asked when no rule matches.
 *
 * @param gateway `namespace/name`
 */
export function routeRequest(index: RouteIndex, gateway: string, port: number, request: HttpRequest): RouteDecision {
  const routes = index.gateways.get(gateway)
  const atPort = routes?.ports.get(port)
  if (routes === undefined || atPort === undefined) return notFound(noHost(gateway, request, routes, atPort, undefined))
  if (atPort.unknown !== undefined) return { kind: 'unknown', step: atPort.unknown }

  const name = hostName(request.host)
  const listener = atPort.listeners.find(name)
  if (listener === undefined) return notFound(noHost(gateway, request, routes, atPort, listener))
  if (listener.unknown !== undefined) return { kind: 'unknown', step: listener.unknown }

  const host = listener.hosts.find(name)
  if (host === undefined) return notFound(noHost(gateway, request, routes, atPort, listener))
  if (host.unknown !== undefined) return { kind: 'unknown', step: host.unknown }

  const target = request.method === 'CONNECT' ? undefined : splitPath(request.path)
  if (target !== undefined) {
    for (const candidate of host.matches) {
      if (candidate.match.matches(request, target.path, target.query))
        return candidate.act(request, target, candidate.match)
    }
  }
  return notFound(noMatch(request, routes, listener))
}

function notFound(step: Step): RouteDecision {
  return { kind: 'respond', status: 404, step }
}

function noHost(
  gateway: string,
  { host }: HttpRequest,
  routes: GatewayRoutes | undefined,
  atPort: PortRoutes | undefined,
  listener: ListenerRoutes | undefined,
): Step {
  const facts = {
    gateway: routes?.resource.id ?? `Gateway/${gateway}`,
    host: host === '' ? '(none)' : host,
    has: atPort?.has ?? 'no routes',
  }
  const said = { outcome: 'deny', code: 'route.no-host', facts } as const
  if (routes === undefined) return { hop: 0, point: 'gateway', engine: 'gateway-api', ...said }
  return routeStep(routes.resource, listener?.at ?? routes.at, said)
}

function noMatch(request: HttpRequest, { resource }: GatewayRoutes, listener: ListenerRoutes): Step {
  const facts = { gateway: resource.id, request: requestText(request) }
  return routeStep(resource, listener.at, { outcome: 'deny', code: 'route.no-match', facts })
}
