import type { IncomingMessage, ServerResponse } from 'node:http'
import { kitErrors } from './errors/kit-errors.js'
import type { Health } from './health/health.js'
import { send, sendJson } from './http/answers.js'
import type { RequestContext } from './http/request-context.js'
import type { ServiceMetrics } from './metrics/metrics.js'

/** Answers a request, outside of Express. */
export type Handler = (request: IncomingMessage, response: ServerResponse, context: RequestContext) => unknown

/** The paths that every service has, beside its own. */
export function ownRoutes(
  replaced: Handler | undefined,
  health: Health,
  metrics: () => ServiceMetrics,
): ReadonlyMap<string, Handler> {
  const read =
    (handler: Handler): Handler =>
    (request, response, context) => {
      if (request.method === 'GET' || request.method === 'HEAD') return handler(request, response, context)
      throw kitErrors.error('METHOD_NOT_ALLOWED', undefined, { headers: { allow: 'GET, HEAD' } })
    }
  const healthHandler: Handler =
    replaced ?? read((_request, response) => sendJson(response, 200, { status: 'healthy' }))
  return new Map<string, Handler>([
    ['/health', healthHandler],
    // Alive means that the event loop turns: nothing that a restart would not mend belongs here.
    ['/livez', read((_request, response) => sendJson(response, 200, { status: 'alive' }))],
    [
      '/readyz',
      read(async (_request, response) => {
        const { ready, reason, checks } = await health.readiness()
        sendJson(response, ready ? 200 : 503, {
          status: ready ? 'ready' : 'not ready',
          ...(reason === undefined ? {} : { reason }),
          checks,
        })
      }),
    ],
    [
      '/metrics',
      read(async (_request, response) =>
        send(response, 200, metrics().registry.contentType, await metrics().registry.metrics()),
      ),
    ],
  ])
}
