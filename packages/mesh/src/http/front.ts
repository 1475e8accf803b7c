import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Downstream, Exchange } from './downstream.js'
import {
  CHECK_MS,
  HEADERS_TIMEOUT_MS,
  KEEP_ALIVE_MS,
  MAX_HEADER_BYTES,
  MAX_HEADERS,
  REQUEST_TIMEOUT_MS,
} from './limits.js'
import { type OwnAnswer, refusal } from './own-answer.js'
import type { ServerName } from './relay.js'

export interface FrontTimeouts {
  readonly headersTimeoutMs?: number
  readonly requestTimeoutMs?: number
  readonly keepAliveMs?: number
  readonly checkMs?: number
}

/** What a proxy makes of what comes in at its front. */
export interface FrontHandlers {
  readonly server: ServerName
  /** Takes a request. `expects`: the client waits for 100. Undefined: it has been answered already. */
  exchange(
    downstream: Downstream,
    message: IncomingMessage,
    response: ServerResponse,
    expects: boolean,
  ): Exchange | undefined
  /**
   * Whether what never became a request is answered, and not just cut off. `code`: the parser's, where it was the parser
   * who refused it.
   */
  answers(downstream: Downstream, code: string | undefined): boolean
  /** It was answered so, or cut off. */
  refused(downstream: Downstream, own: OwnAnswer, message: IncomingMessage | undefined, answered: boolean): void
}

/**
 * The client's side of an HTTP/1.1 proxy: parses what comes in on the connections that are handed to it, with limits, and
 * refuses what is no request. It listens nowhere.
 */
export class Front {
  readonly #handlers: FrontHandlers
  readonly #server: Server
  readonly #downstreams = new Map<Duplex, Downstream>()

  constructor(handlers: FrontHandlers, timeouts: FrontTimeouts = {}) {
    this.#handlers = handlers
    this.#server = createServer({
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: timeouts.headersTimeoutMs ?? HEADERS_TIMEOUT_MS,
      requestTimeout: timeouts.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
      keepAliveTimeout: timeouts.keepAliveMs ?? KEEP_ALIVE_MS,
      connectionsCheckingInterval: timeouts.checkMs ?? CHECK_MS,
      insecureHTTPParser: false,
      // It is missed, and told, with the rest of what a request has to have.
      requireHostHeader: false,
      noDelay: true,
    })
    // What is above the limit is cut off unsaid, so one more is taken, to see that there is one.
    this.#server.maxHeadersCount = MAX_HEADERS + 1
    this.#server
      .on('request', (message, response) => this.#request(message, response, false))
      .on('checkContinue', (message, response) => this.#request(message, response, true))
      .on('checkExpectation', (message, response) => this.#unexpected(message, response))
      .on('connect', (message, socket) => this.#noTunnels(message, socket))
      .on('clientError', (error, socket) => this.#broken(error, socket))
    // Its watch over slow clients starts with this event, and it never listens.
    this.#server.emit('listening')
  }

  /** The connections that are open now. */
  get downstreams(): readonly Downstream[] {
    return [...this.#downstreams.values()]
  }

  get size(): number {
    return this.#downstreams.size
  }

  /** Serves a connection until its end. */
  async take(downstream: Downstream): Promise<void> {
    const { stream } = downstream
    this.#downstreams.set(stream, downstream)
    await new Promise<void>((resolve) => {
      stream.once('close', resolve)
      this.#server.emit('connection', stream)
      stream.resume()
    })
    this.#downstreams.delete(stream)
  }

  close(): void {
    this.#server.close(() => {})
  }

  #request(message: IncomingMessage, response: ServerResponse, expects: boolean): void {
    const downstream = this.#downstreams.get(message.socket)
    if (downstream === undefined) return void message.socket.destroy()
    // The parser drops what has come behind an Upgrade, and would read on from the midst of it: nothing more is read.
    const last = message.headers.upgrade !== undefined
    if (last) response.shouldKeepAlive = false
    const exchange = this.#handlers.exchange(downstream, message, response, expects)
    if (exchange === undefined) return
    downstream.begin(exchange)
    if (last) downstream.closing = true
  }

  #unexpected(message: IncomingMessage, response: ServerResponse): void {
    const downstream = this.#downstreams.get(message.socket)
    if (downstream === undefined) return
    downstream.requests += 1
    this.#handlers.exchange(downstream, message, response, true)?.refuse(417, 'an expectation other than 100-continue')
  }

  #noTunnels(message: IncomingMessage, socket: Duplex): void {
    const downstream = this.#downstreams.get(socket)
    if (downstream !== undefined) this.#refuse(downstream, 405, 'CONNECT opens no tunnels here', undefined, message)
  }

  /** What came is no HTTP, or came too slowly. The parser reads nothing after it. */
  #broken(error: Error & { code?: string }, socket: Duplex): void {
    const downstream = this.#downstreams.get(socket)
    if (downstream === undefined || socket.destroyed || !error.code || !KNOWN.test(error.code))
      return void socket.destroy()
    const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
    const why = status === 408 ? 'the request did not come in time' : error.message.slice(0, 200)
    const { newest, closing } = downstream
    // Of the request that has begun last, whose turn may not have come; or of what would have been the next one.
    if (newest !== undefined && !newest.complete) {
      if (!closing || !newest.settled) newest.refuse(status, why)
    } else if (!closing) downstream.afterwards(() => this.#refuse(downstream, status, why, error.code), true)
  }

  /** Refuses what never became a request. Its connection goes with it: where the next request would start, nobody can say. */
  #refuse(
    downstream: Downstream,
    status: number,
    why: string,
    code: string | undefined,
    message?: IncomingMessage,
  ): void {
    const { stream } = downstream
    if (stream.destroyed) return
    const own = refusal(status, why)
    const { body = '' } = own
    downstream.closing = true
    downstream.requests += 1
    const answered = this.#handlers.answers(downstream, code)
    if (answered) {
      const lines = [
        `HTTP/1.1 ${status} ${REASONS[status] ?? 'Bad Request'}`,
        `server: ${this.#handlers.server}`,
        `date: ${new Date().toUTCString()}`,
        'content-type: text/plain',
        `content-length: ${Buffer.byteLength(body)}`,
        'connection: close',
      ]
      stream.end(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1', () => stream.destroy())
    }
    // Told before it is cut, so that the cut is not news.
    this.#handlers.refused(downstream, own, message, answered)
    if (!answered) downstream.reset()
  }
}

/** What the parser says of a request, and not what the socket says of its connection. */
const KNOWN = /^(?:HPE_|ERR_HTTP_REQUEST_TIMEOUT)/

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
}
