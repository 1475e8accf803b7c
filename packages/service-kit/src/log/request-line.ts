import type { IncomingMessage } from 'node:http'
import type { RequestContext } from '../http/request-context.js'
import { textValue } from './text-line.js'

/** What the line per request says. */
export interface RequestRecord {
  readonly level: 'debug' | 'info' | 'warn'
  readonly remote: string
  readonly method: string
  readonly path: string
  readonly status: number
  readonly ms: number
  /** What went out on the connection, head included. */
  readonly bytes: number
  readonly requestId: string
  readonly traceId: string
  readonly spanId: string
  /** Absent unless the client went away first. */
  readonly aborted: boolean
  /** The error's code, if it was an error that was answered. */
  readonly code: string | undefined
}

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

/** Probes are at debug level, or they would be most of every log. */
export function recordOf(
  request: IncomingMessage,
  context: RequestContext,
  status: number,
  seconds: number,
  own: ReadonlyMap<string, unknown>,
): RequestRecord {
  const { trace, failure } = context
  return {
    level: status >= 500 ? 'warn' : own.has(pathOf(context.url)) ? 'debug' : 'info',
    remote: request.socket.remoteAddress ?? '',
    method: request.method ?? '',
    path: visiblePath(context.url),
    status,
    ms: Math.round(seconds * 1e6) / 1e3,
    bytes: request.socket.bytesWritten - context.bytesBefore,
    requestId: context.id,
    traceId: trace.traceId,
    spanId: trace.spanId,
    aborted: context.aborted,
    code: failure?.code,
  }
}

const JSON_LEVEL = { debug: 20, info: 30, warn: 40 } as const
const TEXT_LEVEL = { debug: 'DEBUG', info: 'INFO ', warn: 'WARN ' } as const

/**
 * The record as pino would write it, put together by hand: this line is most of what a busy service logs, and pino's
 * general way costs several times as much. Only the path can hold what JSON must escape; ids and methods are of
 * checked alphabets.
 * @param base pino's constant fields, as JSON members
 */
export function jsonRequestLine(record: RequestRecord, time: string, base: string): string {
  const { level, remote, method, path, status, ms, bytes, requestId, traceId, spanId, aborted, code } = record
  const more = (aborted ? ',"aborted":true' : '') + (code === undefined ? '' : `,"code":"${code}"`)
  return `{"level":${JSON_LEVEL[level]},"time":"${time}",${base},"remote":"${remote}","method":"${method}","path":${JSON.stringify(path)},"status":${status},"ms":${ms},"bytes":${bytes},"requestId":"${requestId}","traceId":"${traceId}","spanId":"${spanId}"${more},"msg":"request"}\n`
}

/** The same for people. */
export function textRequestLine(record: RequestRecord, time: string): string {
  const { level, remote, method, path, status, ms, bytes, requestId, traceId, spanId, aborted, code } = record
  const more = (aborted ? ' aborted=true' : '') + (code === undefined ? '' : ` code=${code}`)
  return `${time} ${TEXT_LEVEL[level]} request remote=${remote} method=${method} path=${textValue(path)} status=${status} ms=${ms} bytes=${bytes} requestId=${requestId} traceId=${traceId} spanId=${spanId}${more}\n`
}

let second = Number.NaN
let prefix = ''

/** Now, as pino.stdTimeFunctions.isoTime has it; the part down to the second is kept for as long as it holds. */
export function isoNow(): string {
  const now = Date.now()
  const whole = Math.floor(now / 1000)
  if (whole !== second) {
    second = whole
    prefix = new Date(now).toISOString().slice(0, 20)
  }
  const millis = now - whole * 1000
  return `${prefix}${millis < 10 ? '00' : millis < 100 ? '0' : ''}${millis}Z`
}
