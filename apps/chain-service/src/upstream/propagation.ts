import type { IncomingMessage } from 'node:http'
import { formatTraceparent, type RequestContext } from '@bulkhead/service-kit'

/**
 * The callers' headers that are passed on: those by which tracing systems join the parts of one request. The original
 * passes on every header, Authorization and Cookie among them, to whoever is upstream.
 */
export const PROPAGATED = [
  'b3',
  'x-b3-traceid',
  'x-b3-spanid',
  'x-b3-parentspanid',
  'x-b3-sampled',
  'x-b3-flags',
  'baggage',
  'x-ot-span-context',
  'x-cloud-trace-context',
  'grpc-trace-bin',
] as const

/** What a call to an upstream carries beside its own: flat, name and value in turn, as undici takes it. */
export type HeaderList = string[]

/** @param spanId the span of this call, when it has one of its own */
export function propagate(
  request: IncomingMessage,
  context: RequestContext,
  names: readonly string[],
  spanId: string = context.trace.spanId,
): HeaderList {
  const { trace } = context
  const list: HeaderList = [
    'x-request-id',
    context.id,
    'traceparent',
    formatTraceparent({ traceId: trace.traceId, spanId, sampled: trace.sampled }),
  ]
  if (trace.tracestate !== undefined) list.push('tracestate', trace.tracestate)
  const { headers } = request
  for (const name of names) {
    const value = headers[name]
    if (typeof value === 'string') list.push(name, value)
    else if (value !== undefined) list.push(name, value.join(', '))
  }
  return list
}
