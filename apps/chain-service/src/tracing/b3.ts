import type { IncomingHttpHeaders } from 'node:http'

/** A caller's span as B3 says it. */
export interface B3 {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  /** undefined: nobody has decided yet. */
  readonly sampled: boolean | undefined
}

const TRACE_ID = /^(?:[0-9a-f]{16}|[0-9a-f]{32})$/
const SPAN_ID = /^[0-9a-f]{16}$/

/** Reads B3 in either form; the single `b3` header goes first. Undefined when there is none, or no valid one. */
export function readB3(headers: IncomingHttpHeaders): B3 | undefined {
  const single = headers.b3
  if (typeof single === 'string') {
    const [traceId, spanId, sampled, parent] = single.toLowerCase().split('-')
    const read = valid(traceId, spanId, parent, sampled)
    if (read !== undefined) return read
  }
  const flags = one(headers['x-b3-flags'])
  return valid(
    one(headers['x-b3-traceid']),
    one(headers['x-b3-spanid']),
    one(headers['x-b3-parentspanid']),
    flags === '1' ? 'd' : one(headers['x-b3-sampled']),
  )
}

/** The B3 headers of a call made in this span, flat. The multi-header form: every B3 system reads it. */
export function writeB3(span: {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly sampled: boolean
}): string[] {
  const list = ['x-b3-traceid', span.traceId, 'x-b3-spanid', span.spanId, 'x-b3-sampled', span.sampled ? '1' : '0']
  if (span.parentSpanId !== undefined) list.push('x-b3-parentspanid', span.parentSpanId)
  return list
}

function valid(
  traceId: string | undefined,
  spanId: string | undefined,
  parent: string | undefined,
  sampled: string | undefined,
): B3 | undefined {
  if (traceId === undefined || spanId === undefined || !TRACE_ID.test(traceId) || !SPAN_ID.test(spanId))
    return undefined
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined
  return {
    traceId,
    spanId,
    parentSpanId: parent !== undefined && SPAN_ID.test(parent) ? parent : undefined,
    sampled:
      sampled === undefined || sampled === '' ? undefined : sampled === '1' || sampled === 'd' || sampled === 'true',
  }
}

function one(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header.toLowerCase() : undefined
}
