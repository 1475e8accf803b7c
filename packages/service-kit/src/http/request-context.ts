import type { IncomingMessage } from 'node:http'
import type { ServiceError } from '../errors/define-errors.js'
import { randomHex } from '../trace/random-ids.js'
import { type TraceContext, traceOf } from '../trace/trace-context.js'

// Printable, short, without quotes or blanks: what a caller sends is written into logs and into our own headers.
const REQUEST_ID = /^[\w.:;@+/=-]{1,128}$/

/**
 * What the service knows of one request beside its HTTP. It travels with the request object and is passed on explicitly:
 * no code here is so far from its request that it would need an AsyncLocalStorage, and the cost of that on every await.
 */
export class RequestContext {
  /** The caller's x-request-id when it is well formed, else ours. Answered in the same header, and in every error. */
  readonly id: string
  readonly trace: TraceContext
  /** Path and query as they came: Express shortens the request's own `url` inside mounted routers. */
  readonly url: string
  /** performance.now() at arrival, in ms. */
  readonly startedAt: number
  /** Bytes that the connection had written before this response. */
  readonly bytesBefore: number
  /** The route's name for metrics, where the handler knows better than the router. From a closed set, never the path. */
  route: string | undefined = undefined
  /** Whether the client went away before the response was complete. */
  aborted = false
  /** The failure that was answered, if any: for the line in the log. */
  failure: ServiceError | undefined = undefined
  #onAbort: (() => void)[] | undefined = undefined
  #controller: AbortController | undefined = undefined

  constructor(request: IncomingMessage) {
    const { headers } = request
    const given = headers['x-request-id']
    this.id = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomHex(16)
    this.trace = traceOf(single(headers.traceparent), single(headers.tracestate))
    this.url = request.url ?? ''
    this.startedAt = performance.now()
    this.bytesBefore = request.socket.bytesWritten
  }

  /** Called once if the client goes away before the response is complete; at once if it already has. */
  onAbort(callback: () => void): void {
    if (this.aborted) callback()
    else if (this.#onAbort === undefined) this.#onAbort = [callback]
    else this.#onAbort.push(callback)
  }

  /** The same as a signal, for what takes one. Made on first use. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      const controller = new AbortController()
      this.#controller = controller
      this.onAbort(() => controller.abort())
    }
    return this.#controller.signal
  }

  /** Called by the service when the response is over, well or not. */
  end(complete: boolean): void {
    this.aborted = !complete
    if (!complete) for (const callback of this.#onAbort ?? []) callback()
    this.#onAbort = undefined
  }
}

const single = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? undefined : header

/** An incoming request of a service of ours. */
export interface WithContext {
  context: RequestContext | undefined
}

/** The context of a request that came in through createService. */
export function contextOf(request: IncomingMessage): RequestContext {
  const { context } = request as IncomingMessage & Partial<WithContext>
  if (context === undefined) throw new TypeError('this request did not come through createService')
  return context
}
