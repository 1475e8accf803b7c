import type { Socket } from 'node:net'
import { Agent, buildConnector, type Dispatcher, Pool } from 'undici'
import { type Ends, goError } from './go-errors.js'
import type { HeaderList } from './propagation.js'

/** Memory: an upstream chooses how much it answers, and a chain holds that once per hop. */
export const MAX_ANSWER_BYTES = 1024 * 1024
/** Descriptors, and the upstream's own limit: above this, calls wait for a free connection. */
export const MAX_CONNECTIONS = 256
/** As Go's client. */
export const MAX_REDIRECTS = 10
/** Below the 30 s for which our servers keep a quiet connection, so that it is the client that closes. */
const KEEP_ALIVE_MS = 20_000

export interface UpstreamClientOptions {
  readonly keepAlive: boolean
  /** For the whole call, redirects and body included. */
  readonly timeoutMs: number
}

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

/** The connections to all upstreams. Plain undici pools on plain sockets, so that what redirects a process's connections redirects these. */
export class UpstreamClient {
  readonly #options: UpstreamClientOptions
  readonly #pools = new Map<string, Pool>()
  readonly #poolOptions: Pool.Options
  #elsewhere: Agent | undefined

  constructor(origins: readonly string[], options: UpstreamClientOptions) {
    this.#options = options
    this.#poolOptions = {
      connections: MAX_CONNECTIONS,
      pipelining: options.keepAlive ? 1 : 0, // 0 is undici's way to say "Connection: close"
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      // One clock for the whole call, below: three that start anew would add up.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: connector(options.timeoutMs),
    }
    for (const origin of origins) this.#pools.set(origin, new Pool(origin, this.#poolOptions))
  }

  get(origin: string, path: string, url: string, headers: HeaderList): Call {
    const exchange = new Exchange(this.#options.timeoutMs, (handler, to) => this.#dispatch(handler, to))
    exchange.start({ origin, path, url, headers })
    return exchange
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values(), this.#elsewhere].map((pool) => pool?.destroy()))
  }

  #dispatch(handler: Dispatcher.DispatchHandler, { origin, path, headers }: Request): void {
    const pool = this.#pools.get(origin)
    if (pool !== undefined) pool.dispatch({ method: 'GET', path, headers }, handler)
    else {
      // Only a redirect leads to an origin that nobody configured.
      this.#elsewhere ??= new Agent({ ...this.#poolOptions, connections: 4 })
      this.#elsewhere.dispatch({ origin, method: 'GET', path, headers }, handler)
    }
  }
}

interface Request {
  readonly origin: string
  readonly path: string
  readonly url: string
  readonly headers: HeaderList
}

/** One call: at most one retry, some redirects, one timer. It never rejects: a failed call is an outcome. */
class Exchange implements Call, Dispatcher.DispatchHandler {
  readonly outcome: Promise<Outcome>
  readonly #timeoutMs: number
  readonly #dispatch: (handler: Dispatcher.DispatchHandler, to: Request) => void
  #resolve: (outcome: Outcome) => void = () => {}
  #request: Request = { origin: '', path: '', url: '', headers: [] }
  #timer: NodeJS.Timeout | undefined
  #controller: Dispatcher.DispatchController | undefined
  #stopped: 'timeout' | 'abort' | undefined
  #status = 0
  #location: string | undefined
  #chunks: Buffer[] = []
  #size = 0
  #retried = false
  #redirects = 0
  #done = false

  constructor(timeoutMs: number, dispatch: (handler: Dispatcher.DispatchHandler, to: Request) => void) {
    this.#timeoutMs = timeoutMs
    this.#dispatch = dispatch
    this.outcome = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  start(request: Request): void {
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
      this.#send(next)
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
    const phase = this.#status === 0 ? 'connect' : 'body'
    this.#finish({ code: phase === 'body' ? this.#status : -1, body: undefined, failure: { phase, url, text }, url })
  }

  #send(request: Request): void {
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

  #redirect(): Request | undefined {
    const location = this.#location
    if (location === undefined || ![301, 302, 303, 307, 308].includes(this.#status)) return undefined
    if (!URL.canParse(location, this.#request.url) || ++this.#redirects > MAX_REDIRECTS) return undefined
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

  #finish(outcome: Outcome): void {
    if (this.#done) return
    this.#done = true
    clearTimeout(this.#timer)
    this.#resolve(outcome)
  }
}

const ENDS = Symbol('ends of the connection')
const USED = Symbol('whether the connection had carried a response')

type Marked = Error & {
  [ENDS]?: Ends
  [USED]?: boolean
  socket?: {
    localAddress?: string
    localPort?: number
    remoteAddress?: string
    remotePort?: number
    bytesRead?: number
  } | null
}

/** undici's connector, which also writes on every error of a connection whose it was: by then the socket has forgotten. */
function connector(timeoutMs: number): buildConnector.connector {
  const connect = buildConnector({ timeout: timeoutMs })
  return (options, callback) => {
    connect(options, (...result) => {
      const [error, socket] = result
      if (error === null) mark(socket as Socket)
      callback(...result)
    })
  }
}

function mark(socket: Socket): void {
  const ends: Ends = {
    local: `${socket.localAddress}:${socket.localPort}`,
    remote: `${socket.remoteAddress}:${socket.remotePort}`,
  }
  socket.prependListener('error', (error: Marked) => {
    error[ENDS] = ends
    error[USED] = socket.bytesRead > 0
  })
}

function endsOf(error: Marked): Ends | undefined {
  return error[ENDS]
}

/** Whether the failed connection had carried an earlier response; then nothing of this one can have arrived. */
function wasUsedBefore(error: Marked): boolean {
  return error[USED] ?? (error.socket?.bytesRead ?? 0) > 0
}
