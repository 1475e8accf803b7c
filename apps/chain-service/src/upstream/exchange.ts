import type { Dispatcher } from 'undici'
import { endsOf, wasUsedBefore } from './connector.js'
import { goError } from './go-errors.js'
import type { HeaderList } from './propagation.js'

/** Memory: an upstream chooses how much it answers, and a chain holds that once per hop. */
export const MAX_ANSWER_BYTES = 1024 * 1024
/** As Go's client: the tenth redirect is one too many. */
export const MAX_REQUESTS = 10

/** What came of one call: `code` is the HTTP status, or -1 when there was none; `error` without the words that say what was tried. */
export interface Outcome {
  readonly code: number
  readonly body: string | undefined
  readonly failure: { readonly phase: 'connect' | 'body'; readonly url: string; readonly text: string } | undefined
  /** Where the answer came from: other than the URL of the call after a redirect. */
  readonly url: string
}

/** A call under way. */
export interface Call {
  readonly outcome: Promise<Outcome>
  abort(): void
}

/** Where a call goes. */
export interface UpstreamRequest {
  readonly origin: string
  readonly path: string
  readonly url: string
  readonly headers: HeaderList
}

/** One call: at most one retry, some redirects, one timer. It never rejects: a failed call is an outcome. */
export class Exchange implements Call, Dispatcher.DispatchHandler {
  readonly outcome: Promise<Outcome>
  readonly #timeoutMs: number
  readonly #dispatch: (handler: Dispatcher.DispatchHandler, to: UpstreamRequest) => void
  #resolve: (outcome: Outcome) => void = () => {}
  #request: UpstreamRequest = { origin: '', path: '', url: '', headers: [] }
  #timer: NodeJS.Timeout | undefined
  #controller: Dispatcher.DispatchController | undefined
  #stopped: 'timeout' | 'abort' | undefined
  #status = 0
  #location: string | undefined
  #chunks: Buffer[] = []
  #size = 0
  #retried = false
  #requests = 1
  #done = false

  constructor(timeoutMs: number, dispatch: (handler: Dispatcher.DispatchHandler, to: UpstreamRequest) => void) {
    this.#timeoutMs = timeoutMs
    this.#dispatch = dispatch
    this.outcome = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  start(request: UpstreamRequest): void {
    if (this.#timeoutMs > 0) this.#timer = setTimeout(() => this.#stop('timeout'), this.#timeoutMs)
    this.#send(request)
  }

  abort(): void {
    this.#stop('abort')
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#stopped !== undefined) controller.abort(new Error(this.#stopped))
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return // an interim response, 103 for instance
    this.#status = status
    const { location } = headers
    this.#location = typeof location === 'string' ? location : undefined
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#size += chunk.length
    if (this.#size > MAX_ANSWER_BYTES)
      controller.abort(new Error(`the answer is larger than ${MAX_ANSWER_BYTES} bytes`))
    else this.#chunks.push(chunk)
  }

  onResponseEnd(): void {
    const next = this.#redirect()
    if (next !== undefined) {
      if (++this.#requests <= MAX_REQUESTS) this.#send(next)
      else this.#fail(-1, { phase: 'connect', url: this.#location ?? '', text: 'stopped after 10 redirects' })
      return
    }
    const [first, ...more] = this.#chunks
    const body =
      first === undefined ? '' : more.length === 0 ? first.toString() : Buffer.concat(this.#chunks).toString()
    this.#finish({ code: this.#status, body, failure: undefined, url: this.#request.url })
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    if (this.#status === 0 && this.#stopped === undefined && !this.#retried && wasUsedBefore(error)) {
      // The upstream closed a kept connection while this request was on its way on it. It never saw the request, which
      // is a GET: on a new connection it is the same request. Go's client does so too; a denial is met there again.
      this.#retried = true
      this.#send(this.#request)
      return
    }
    const { url, origin } = this.#request
    const text =
      this.#stopped === undefined
        ? goError(error, origin.replace(/^https?:\/\//, ''), endsOf(error), this.#status !== 0)
        : this.#stoppedText()
    if (this.#status === 0) this.#fail(-1, { phase: 'connect', url, text })
    else this.#fail(this.#status, { phase: 'body', url, text })
  }

  #send(request: UpstreamRequest): void {
    this.#request = request
    this.#status = 0
    this.#location = undefined
    this.#chunks = []
    this.#size = 0
    try {
      this.#dispatch(this, request)
    } catch (error) {
      this.onResponseError(undefined, error as Error)
    }
  }

  #redirect(): UpstreamRequest | undefined {
    const location = this.#location
    if (location === undefined || ![301, 302, 303, 307, 308].includes(this.#status)) return undefined
    if (!URL.canParse(location, this.#request.url)) return undefined
    const to = new URL(location, this.#request.url)
    if (to.protocol !== 'http:' && to.protocol !== 'https:') return undefined
    const { origin, headers } = this.#request
    return {
      origin: to.origin,
      path: to.pathname + to.search,
      url: to.origin + to.pathname + to.search,
      // Another host was not chosen by whoever allowed a header to be passed on.
      headers:
        to.origin === origin
          ? headers
          : headers.filter((_, index, list) =>
              /^(x-request-id|trace(parent|state))$/.test(list[index - (index % 2)] ?? ''),
            ),
    }
  }

  #stop(why: 'timeout' | 'abort'): void {
    if (this.#done || this.#stopped !== undefined) return
    this.#stopped = why
    this.#controller?.abort(new Error(why))
    // Still waiting for a connection: undici tells the handler only once there is one.
    if (this.#controller === undefined) this.onResponseError(undefined, new Error(why))
  }

  #stoppedText(): string {
    if (this.#stopped === 'abort') return 'context canceled'
    return this.#status === 0
      ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
      : 'context deadline exceeded (Client.Timeout or context cancellation while reading body)'
  }

  #fail(code: number, failure: Outcome['failure']): void {
    this.#finish({ code, body: undefined, failure, url: this.#request.url })
  }

  #finish(outcome: Outcome): void {
    if (this.#done) return
    this.#done = true
    clearTimeout(this.#timer)
    this.#resolve(outcome)
  }
}
