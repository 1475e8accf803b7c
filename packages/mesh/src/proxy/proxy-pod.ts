import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Snapshot } from '@bulkhead/verdict'
import type { ProxyServer } from '../context.js'
import type { Flow } from '../flows.js'
import { Downstream, type Exchange } from '../http/downstream.js'
import { Front, type FrontTimeouts } from '../http/front.js'
import { DRAIN_MS, MAX_CONNECTIONS } from '../http/limits.js'
import type { OwnAnswer } from '../http/own-answer.js'
import { tellRefused } from '../http/record.js'
import { refuse } from '../inbound.js'
import { LOOK_MS, look } from '../looks.js'
import { nothingListens } from '../obstacles.js'
import type { Address } from '../seams.js'
import type { End } from '../splice.js'
import type { ExchangeParts } from './exchange.js'

/** The port of pilot-agent's readiness in every pod of a gateway or a waypoint. */
export const STATUS_PORT = 15021

export interface ProxyTimeouts extends FrontTimeouts {
  readonly drainMs?: number
}

/** What a request comes with: the exchange's constructor takes it. */
export type Incoming = readonly [
  downstream: Downstream,
  message: IncomingMessage,
  response: ServerResponse,
  expects: boolean,
]

/**
 * The pod of a gateway or a waypoint: one HTTP/1.1 server for all of its connections. It listens nowhere itself:
 * connections are handed to it.
 */
export abstract class ProxyPod implements ProxyServer {
  protected readonly front: Front
  readonly #parts: ExchangeParts
  readonly #drainMs: number
  #ports: readonly number[] = []
  #leaving = false

  constructor(parts: ExchangeParts, timeouts: ProxyTimeouts = {}) {
    this.#parts = parts
    this.#drainMs = timeouts.drainMs ?? DRAIN_MS
    this.front = new Front(
      {
        server: 'istio-envoy',
        exchange: (...asked) =>
          asked[0].port === STATUS_PORT ? this.#status(asked[0], asked[1], asked[2]) : this.exchange(...asked),
        answers: () => true,
        refused: (downstream, own, message) => this.#tell(downstream, own, message),
      },
      timeouts,
    )
  }

  /** Where it listens by those policies; its status port is there anyhow. */
  protected abstract portsIn(snapshot: Snapshot): readonly number[]
  protected abstract exchange(...asked: Incoming): Exchange
  /** What else has to be over before the pod is. */
  protected others(): readonly End[] {
    return []
  }

  /** Ascending. */
  get ports(): readonly number[] {
    return this.#ports
  }

  protected get leaving(): boolean {
    return this.#leaving
  }

  /** Listeners come and go with the policies. */
  sync(): void {
    const { context } = this.#parts
    const own = this.#leaving ? [] : [...this.portsIn(context.policy().snapshot), STATUS_PORT]
    this.#ports = [...new Set(own)].sort((a, b) => a - b)
    for (const downstream of this.front.downstreams)
      if (this.#leaving) downstream.farewell(() => finish(downstream.stream))
      else if (!this.serves(downstream)) downstream.afterwards(() => finish(downstream.stream))
  }

  /** Whether a connection is still of one of its listeners. */
  protected serves({ port }: Downstream): boolean {
    return this.#ports.includes(port)
  }

  /** Serves a connection until its end. Bytes and requests are counted to the flow; requests have records of their own. */
  async take(flow: Flow, port: number, from: Address, end: End): Promise<void> {
    if (end.stream.destroyed) return
    if (!this.#ports.includes(port)) {
      flow.step(nothingListens(flow.destination.workload ?? this.#parts.key, port, this.#ports))
      flow.fail({ flag: 'CONNECT', symptom: 'reset', error: `connection failed: nothing listens on port ${port}` })
      return end.reset()
    }
    const downstream = new Downstream(flow, port, from, end)
    await this.requests(downstream, end)
    const { stream } = end
    flow.bytesSent += bytes(stream, 'bytesRead')
    flow.bytesReceived += bytes(stream, 'bytesWritten')
  }

  /** A CONNECT at its port 15008, where it has one. */
  async tunnel(...[flow, stream]: Parameters<ProxyServer['tunnel']>): Promise<void> {
    flow.fail({ flag: 'ILLEGAL', symptom: 'reset', error: 'no tunnels are taken here' })
    refuse(stream, 404)
  }

  /** Answers a connection's requests until its end. */
  protected async requests(downstream: Downstream, end: End): Promise<void> {
    const { flow, port } = downstream
    if (this.front.size >= MAX_CONNECTIONS) {
      const error = `connection refused: the proxy has ${MAX_CONNECTIONS} connections, and takes no more`
      flow.fail({ flag: 'CONNECT', symptom: 'reset', error })
      return end.reset()
    }
    await this.front.take(downstream)
    if (downstream.requests > 0 && port !== STATUS_PORT) flow.drop()
  }

  /** Takes nothing more, answers what is in flight, and closes; what is still there after the deadline is cut. */
  async drain(): Promise<void> {
    this.#leaving = true
    this.sync()
    const others = this.others()
    const streams = [...this.front.downstreams, ...others].map(({ stream }) => stream)
    const closed = streams.map(
      (stream) =>
        new Promise<void>((resolve) => (stream.destroyed ? resolve() : stream.once('close', () => resolve()))),
    )
    let left = Math.ceil(this.#drainMs / LOOK_MS)
    const stop = look(() => {
      left -= 1
      if (left <= 0) for (const end of [...this.front.downstreams, ...others]) end.reset()
      return left <= 0
    })
    await Promise.all(closed)
    stop()
    // Whoever carried them has to hear of it, too, before the pod is gone.
    await new Promise((resolve) => setImmediate(resolve))
    this.front.close()
    this.#parts.upstreams.close()
  }

  #status(downstream: Downstream, { url }: IncomingMessage, response: ServerResponse): undefined {
    if (downstream.closing) response.shouldKeepAlive = false
    response.writeHead(url === '/healthz/ready' ? 200 : 404, ['content-length', '0']).end()
  }

  #tell({ flow }: Downstream, own: OwnAnswer, message?: IncomingMessage) {
    const { context } = this.#parts
    const { flag = '-', symptom, error = 'refused' } = own
    if (flow.proxied) return flow.behind([], { flag, symptom, error })
    tellRefused(context.flows, flow, { generation: context.policy().generation, transport: 'http' }, own, message)
  }
}

/** Ends it without waiting for the other side to do so, too. */
const finish = (stream: Duplex): void => void stream.end(() => stream.destroy())

const bytes = (stream: Duplex, what: 'bytesRead' | 'bytesWritten'): number => {
  const count: unknown = Reflect.get(stream, what)
  return typeof count === 'number' ? count : 0
}
