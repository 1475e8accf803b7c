import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Snapshot } from '@bulkhead/verdict'
import type { Flow } from '../flows.js'
import { nothingListens } from '../obstacles.js'
import type { Address } from '../seams.js'
import type { End } from '../splice.js'
import { refusal } from './answers.js'
import { Downstream } from './downstream.js'
import { Exchange, type ExchangeParts } from './exchange.js'
import {
  CHECK_MS,
  DRAIN_MS,
  HEADERS_TIMEOUT_MS,
  KEEP_ALIVE_MS,
  MAX_CONNECTIONS,
  MAX_HEADER_BYTES,
  MAX_HEADERS,
  REQUEST_TIMEOUT_MS,
} from './limits.js'
import { tell } from './record.js'

/** The port of pilot-agent's readiness in every gateway pod. */
export const STATUS_PORT = 15021

export interface GatewayTimeouts {
  readonly headersTimeoutMs?: number
  readonly requestTimeoutMs?: number
  readonly keepAliveMs?: number
  readonly checkMs?: number
  readonly drainMs?: number
}

/** A gateway pod: one HTTP/1.1 server for all of its listeners. It listens nowhere itself: connections are handed to it. */
export class Gateway {
  readonly #parts: ExchangeParts
  readonly #server: Server
  readonly #downstreams = new Map<Duplex, Downstream>()
  readonly #drainMs: number
  #ports: readonly number[] = []
  #leaving = false

  constructor(parts: ExchangeParts, timeouts: GatewayTimeouts = {}) {
    this.#parts = parts
    this.#drainMs = timeouts.drainMs ?? DRAIN_MS
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
      .on('checkExpectation', (message, response) =>
        this.#begin(message, response)?.refuse(417, 'an expectation other than 100-continue'),
      )
      .on('connect', (message, socket) => this.#noTunnels(message, socket))
      .on('clientError', (error, socket) => this.#broken(error, socket))
    // Its watch over slow clients starts with this event, and it never listens.
    this.#server.emit('listening')
    this.sync()
  }

  /** Ascending. */
  get ports(): readonly number[] {
    return this.#ports
  }

  /** Listeners come and go with the policies. */
  sync(): void {
    const { snapshot } = this.#parts.context.policy()
    this.#ports = this.#leaving ? [] : portsOf(snapshot, this.#parts.key)
    for (const downstream of this.#downstreams.values())
      if (!this.#ports.includes(downstream.port)) downstream.afterwards(() => finish(downstream.stream))
  }

  /** Serves a connection until its end. Bytes and requests are counted to the flow; requests have records of their own. */
  async take(flow: Flow, port: number, from: Address, end: End): Promise<void> {
    const { stream } = end
    if (stream.destroyed) return
    if (!this.#ports.includes(port)) {
      flow.step(nothingListens(flow.destination.workload ?? this.#parts.key, port, this.#ports))
      flow.fail({ flag: 'CONNECT', symptom: 'reset', error: `connection failed: nothing listens on port ${port}` })
      return end.reset()
    }
    if (this.#downstreams.size >= MAX_CONNECTIONS) {
      const error = `connection refused: the gateway has ${MAX_CONNECTIONS} connections, and takes no more`
      flow.fail({ flag: 'CONNECT', symptom: 'reset', error })
      return end.reset()
    }
    const downstream = new Downstream(flow, port, from, end)
    this.#downstreams.set(stream, downstream)
    await new Promise<void>((resolve) => {
      stream.once('close', resolve)
      this.#server.emit('connection', stream)
      stream.resume()
    })
    this.#downstreams.delete(stream)
    flow.bytesSent += bytes(stream, 'bytesRead')
    flow.bytesReceived += bytes(stream, 'bytesWritten')
    if (downstream.requests > 0 && port !== STATUS_PORT) flow.drop()
  }

  /** Takes nothing more, answers what is in flight, and closes; what is still there after the deadline is cut. */
  async drain(): Promise<void> {
    this.#leaving = true
    this.sync()
    const closed = [...this.#downstreams.keys()].map(
      (stream) => new Promise<void>((resolve) => (stream.destroyed ? resolve() : stream.once('close', resolve))),
    )
    const deadline = setTimeout(() => {
      for (const downstream of this.#downstreams.values()) downstream.reset()
    }, this.#drainMs)
    await Promise.all(closed)
    clearTimeout(deadline)
    // Whoever carried them has to hear of it, too, before the pod is gone.
    await new Promise((resolve) => setImmediate(resolve))
    this.#server.close(() => {})
    this.#parts.upstreams.close()
  }

  #request(message: IncomingMessage, response: ServerResponse, expects: boolean) {
    const downstream = this.#downstreams.get(message.socket)
    if (downstream === undefined) return void message.socket.destroy()
    // The parser drops what has come behind an Upgrade, and would read on from the midst of it: nothing more is read.
    const last = message.headers.upgrade !== undefined
    if (last) response.shouldKeepAlive = false
    if (downstream.port === STATUS_PORT) return this.#status(message, response, downstream)
    downstream.begin(new Exchange(this.#parts, downstream, message, response, expects))
    if (last) downstream.closing = true
  }

  #begin(message: IncomingMessage, response: ServerResponse): Exchange | undefined {
    const downstream = this.#downstreams.get(message.socket)
    if (downstream !== undefined) downstream.requests += 1
    return downstream && new Exchange(this.#parts, downstream, message, response, true)
  }

  #status({ url }: IncomingMessage, response: ServerResponse, downstream: Downstream): void {
    if (downstream.closing) response.shouldKeepAlive = false
    response.writeHead(url === '/healthz/ready' ? 200 : 404, ['content-length', '0']).end()
  }

  #noTunnels(message: IncomingMessage, socket: Duplex): void {
    const downstream = this.#downstreams.get(socket)
    if (downstream !== undefined) this.#refuse(downstream, 405, 'CONNECT opens no tunnels here', message)
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
    } else if (!closing) downstream.afterwards(() => this.#refuse(downstream, status, why), true)
  }

  /** Refuses what never became a request. Its connection goes with it: where the next request would start, nobody can say. */
  #refuse(downstream: Downstream, status: number, why: string, message?: IncomingMessage): void {
    const { stream } = downstream
    if (stream.destroyed) return
    const { body = '', flag = '-', symptom, error } = refusal(status, why)
    const { context } = this.#parts
    downstream.closing = true
    downstream.requests += 1
    const lines = [
      `HTTP/1.1 ${status} ${REASONS[status] ?? 'Bad Request'}`,
      'server: istio-envoy',
      `date: ${new Date().toUTCString()}`,
      'content-type: text/plain',
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
    ]
    stream.end(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1', () => stream.destroy())
    tell(context.flows, downstream, {
      generation: context.policy().generation,
      method: message?.method ?? '',
      host: message?.headers.host ?? '',
      path: message?.url ?? '',
      status,
      route: undefined,
      upstream: undefined,
      steps: downstream.flow.steps,
      symptom,
      flag,
      error,
      sent: 0,
      received: body.length,
      start: Date.now(),
      clock: performance.now(),
    })
  }
}

/** Ends it without waiting for the other side to do so, too. */
const finish = (stream: Duplex): void => void stream.end(() => stream.destroy())

/** The listeners' ports that speak HTTP, and the status port. */
function portsOf(snapshot: Snapshot, key: string): readonly number[] {
  const name = snapshot.pods.get(key)?.gateway
  const listeners = name === undefined ? undefined : snapshot.gateways.get(name)?.listeners
  const ports = (listeners ?? []).filter(({ protocol }) => protocol === 'HTTP').map(({ port }) => port)
  return [...new Set([...ports, STATUS_PORT])].sort((a, b) => a - b)
}

/** What the parser says of a request, and not what the socket says of its connection. */
const KNOWN = /^(?:HPE_|ERR_HTTP_REQUEST_TIMEOUT)/

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
}

const bytes = (stream: Duplex, what: 'bytesRead' | 'bytesWritten'): number => {
  const count: unknown = Reflect.get(stream, what)
  return typeof count === 'number' ? count : 0
}
