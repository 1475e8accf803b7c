import type { RouteIndex } from './compile.js'
import type { HttpRequest, RouteDecision } from './types.js'

/**
 * What the Gateway's routes do with a request that came in at that port. Pure and total: a request is never wrong, at
 * worst nothing takes it (404).
 *
 * @param gateway `namespace/name`
 */
export function routeRequest(_index: RouteIndex, gateway: string, _port: number, request: HttpRequest): RouteDecision {
  const facts = { gateway, host: request.host, has: 'no routes' }
  const step = {
    hop: 0,
    point: 'gateway',
    engine: 'gateway-api',
    outcome: 'deny',
    code: 'route.no-host',
    facts,
  } as const
  return { kind: 'respond', status: 404, step }
}
