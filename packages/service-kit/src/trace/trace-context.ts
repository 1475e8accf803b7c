import { randomHex } from './random-ids.js'

/**
 * This request's place in a distributed trace (W3C Trace Context, level 1).
 * `spanId` is ours; `parentSpanId` is the caller's, absent at the start of a trace.
 */
export interface TraceContext {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly sampled: boolean
  /** The vendors' list, passed on as it came. Kept only when traceparent was valid, as the standard asks. */
  readonly tracestate: string | undefined
}

/** What a traceparent header says. */
export interface Traceparent {
  readonly traceId: string
  readonly parentId: string
  readonly sampled: boolean
}

// The standard asks for at least 512 characters to be passed on; longer lists are dropped whole rather than cut.
const MAX_TRACESTATE = 1024
const PARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const ZERO_TRACE = '0'.repeat(32)
const ZERO_SPAN = '0'.repeat(16)

/** Reads a traceparent header; undefined when it is absent or invalid, in which case a new trace starts. */
export function parseTraceparent(header: string | undefined): Traceparent | undefined {
  const parts = header === undefined ? null : PARENT.exec(header)
  if (parts === null) return undefined
  const [, version, traceId = '', parentId = '', flags = '', more] = parts
  // Version ff is forbidden; version 00 ends here; later ones may go on after a dash.
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined
  if (traceId === ZERO_TRACE || parentId === ZERO_SPAN) return undefined
  return { traceId, parentId, sampled: (Number.parseInt(flags, 16) & 1) === 1 }
}

/** The context of a request that just arrived: the caller's trace goes on, or a new one starts (not sampled by anyone yet). */
export function traceOf(traceparent: string | undefined, tracestate: string | undefined): TraceContext {
  const parent = parseTraceparent(traceparent)
  if (parent === undefined) return startTrace()
  return {
    traceId: parent.traceId,
    spanId: randomHex(8),
    parentSpanId: parent.parentId,
    sampled: parent.sampled,
    tracestate:
      tracestate !== undefined && tracestate !== '' && tracestate.length <= MAX_TRACESTATE ? tracestate : undefined,
  }
}

export function startTrace(sampled = false): TraceContext {
  return { traceId: randomHex(16), spanId: randomHex(8), parentSpanId: undefined, sampled, tracestate: undefined }
}

/** The traceparent of a call made from within this context: `spanId` is the caller's, ours unless the call has a span of its own. */
export function formatTraceparent(context: Pick<TraceContext, 'traceId' | 'spanId' | 'sampled'>): string {
  return `00-${context.traceId}-${context.spanId}-${context.sampled ? '01' : '00'}`
}

/** The W3C headers of a call made from within this context. */
export function outgoingTraceHeaders(context: TraceContext): Record<string, string> {
  const headers: Record<string, string> = { traceparent: formatTraceparent(context) }
  if (context.tracestate !== undefined) headers.tracestate = context.tracestate
  return headers
}
