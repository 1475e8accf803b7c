import type { IncomingMessage } from 'node:http'
import type { RequestContext } from '../http/request-context.js'
import type { Logger } from './logger.js'

/** The pattern of the route that answered, for labels: never the path itself, which callers choose. */
export function routeOf(request: IncomingMessage, url: string, own: ReadonlyMap<string, unknown>): string {
  const { route, baseUrl } = request as IncomingMessage & { route?: { path?: unknown }; baseUrl?: string }
  if (typeof route?.path === 'string') return `${baseUrl ?? ''}${route.path}`
  if (route != null) return 'pattern'
  const path = pathOf(url)
  return own.has(path) ? path : 'none'
}

export function pathOf(url: string): string {
  const end = url.indexOf('?')
  return end === -1 ? url : url.slice(0, end)
}

/** The path, and of the query the names: values may be tokens, passwords, or somebody's name. */
export function visiblePath(url: string): string {
  if (!url.includes('?')) return url
  return url.replace(/=[^&]*/g, '=')
}

/** One line per request, at its end. Probes are at debug level, or they would be most of every log. */
export function logRequest(
  log: Logger,
  request: IncomingMessage,
  context: RequestContext,
  status: number,
  seconds: number,
  own: ReadonlyMap<string, unknown>,
): void {
  const path = visiblePath(context.url)
  const level = status >= 500 ? 'warn' : own.has(pathOf(context.url)) ? 'debug' : 'info'
  if (!log.isLevelEnabled(level)) return
  const { trace, failure } = context
  const fields: Record<string, unknown> = {
    remote: request.socket.remoteAddress,
    method: request.method,
    path,
    status,
    ms: Math.round(seconds * 1e6) / 1e3,
    bytes: request.socket.bytesWritten - context.bytesBefore,
    requestId: context.id,
    traceId: trace.traceId,
    spanId: trace.spanId,
  }
  if (context.aborted) fields.aborted = true
  if (failure !== undefined) fields.code = failure.code
  log[level](fields, 'request')
}
