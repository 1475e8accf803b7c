import type { IncomingMessage } from 'node:http'
import { type RequestContext, randomHex } from '@bulkhead/service-kit'
import { readB3, writeB3 } from './b3.js'
import type { ZipkinReporter, ZipkinSpan } from './reporter.js'

/** Who the spans are said to come from. */
export interface SpanSource {
  readonly serviceName: string
  readonly ipv4: string | undefined
  readonly port: number
}

/** A span that has begun. */
export interface OpenSpan {
  readonly spanId: string
  readonly headers: readonly string[]
  end(tags: Readonly<Record<string, string>>): void
}

/**
 * The spans of one request, under the original's names: handle_request, call_upstream, service_delay. The caller's B3
 * span goes on as a shared one; with traceparent alone, or nothing, ours begins below that, or anew.
 */
export class RequestSpans {
  readonly #reporter: ZipkinReporter
  readonly #source: SpanSource
  readonly #server: {
    readonly traceId: string
    readonly spanId: string
    readonly parentSpanId: string | undefined
    readonly sampled: boolean
    readonly shared: boolean
  }
  readonly #started = micros()

  constructor(reporter: ZipkinReporter, source: SpanSource, request: IncomingMessage, context: RequestContext) {
    this.#reporter = reporter
    this.#source = source
    const b3 = readB3(request.headers)
    const { trace } = context
    this.#server =
      b3 === undefined
        ? {
            traceId: trace.traceId,
            spanId: trace.spanId,
            parentSpanId: trace.parentSpanId,
            sampled: trace.parentSpanId === undefined || trace.sampled,
            shared: false,
          }
        : {
            traceId: b3.traceId,
            spanId: b3.spanId,
            parentSpanId: b3.parentSpanId,
            sampled: b3.sampled ?? true,
            shared: true,
          }
  }

  /** The call to an upstream; its headers carry the span there. */
  call(url: string): OpenSpan {
    const span = {
      traceId: this.#server.traceId,
      spanId: randomHex(8),
      parentSpanId: this.#server.spanId,
      sampled: this.#server.sampled,
    }
    return {
      spanId: span.spanId,
      headers: writeB3(span),
      end: this.#begin('call_upstream', span, { kind: 'CLIENT' }, { 'http.method': 'GET', 'http.url': url }),
    }
  }

  delay(): OpenSpan {
    const span = { spanId: randomHex(8), parentSpanId: this.#server.spanId }
    return { spanId: span.spanId, headers: [], end: this.#begin('service_delay', span, {}, {}) }
  }

  end(tags: Readonly<Record<string, string>>): void {
    this.#report(
      'handle_request',
      this.#server,
      this.#started,
      { kind: 'SERVER', ...(this.#server.shared ? { shared: true } : {}) },
      { 'service.type': 'http', ...tags },
    )
  }

  #begin(name: string, ids: Ids, extra: Partial<ZipkinSpan>, first: Readonly<Record<string, string>>): OpenSpan['end'] {
    const started = micros()
    return (tags) => this.#report(name, ids, started, extra, { ...first, ...tags })
  }

  #report(
    name: string,
    { spanId, parentSpanId }: Ids,
    timestamp: number,
    extra: Partial<ZipkinSpan>,
    tags: Readonly<Record<string, string>>,
  ): void {
    if (!this.#server.sampled) return
    const { serviceName, ipv4, port } = this.#source
    this.#reporter.report({
      traceId: this.#server.traceId,
      id: spanId,
      ...(parentSpanId === undefined ? {} : { parentId: parentSpanId }),
      name,
      ...extra,
      timestamp,
      duration: Math.max(1, micros() - timestamp), // Zipkin takes 0 for unknown
      localEndpoint: { serviceName, ...(ipv4 === undefined ? {} : { ipv4 }), port },
      tags,
    })
  }
}

interface Ids {
  readonly spanId: string
  readonly parentSpanId: string | undefined
}

const micros = (): number => Math.round((performance.timeOrigin + performance.now()) * 1e3)
