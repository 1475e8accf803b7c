import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Snapshot } from '@bulkhead/verdict'
import type { Flow } from '../flows.js'
import { Downstream, type Exchange } from '../http/downstream.js'
import { Front, type FrontTimeouts } from '../http/front.js'
import { DRAIN_MS, MAX_CONNECTIONS } from '../http/limits.js'
import type { OwnAnswer } from '../http/own-answer.js'
import { tellRefused } from '../http/record.js'
import { nothingListens } from '../obstacles.js'
import type { Address } from '../seams.js'
import type { End } from '../splice.js'
import { type ExchangeParts, GatewayExchange } from './exchange.js'

/** The port of pilot-agent's readiness in every gateway pod. */
export const STATUS_PORT = 15021

export interface GatewayTimeouts extends FrontTimeouts {
  readonly drainMs?: number
}

/** A gateway pod: one HTTP/1.1 server for all of its listeners. It listens nowhere itself: connections are handed to it. */
export class Gateway {
  readonly #parts: ExchangeParts
  readonly #front: Front
  readonly #drainMs: number
  #ports: readonly number[] = []
  #leaving = false

  constructor(parts: ExchangeParts, timeouts: GatewayTimeouts = {}) {
    this.#parts = parts
    this.#drainMs = timeouts.drainMs ?? DRAIN_MS
    this.#front = new Front(
      {
        server: 'istio-envoy',
        exchange: (...asked) => this.#exchange(...asked),
        answers: () => true,
        refused: (downstream, own, message) => this.#tell(downstream, own, message),
      },
      timeouts,
    )
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
    for (const downstream of this.#front.downstreams)
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
    if (this.#front.size >= MAX_CONNECTIONS) {
      const error = `connection refused: the gateway has ${MAX_CONNECTIONS} connections, and takes no more`
      flow.fail({ flag: 'CONNECT', symptom: 'reset', error })
      return end.reset()
    }
    const downstream = new Downstream(flow, port, from, end)
    await this.#front.take(downstream)
    flow.bytesSent += bytes(stream, 'bytesRead')
    flow.bytesReceived += bytes(stream, 'bytesWritten')
    if (downstream.requests > 0 && port !== STATUS_PORT) flow.drop()
  }

  /** Takes nothing more, answers what is in flight, and closes; what is still there after the deadline is cut. */
  async drain(): Promise<void> {
    this.#leaving = true
    this.sync()
    const closed = this.#front.downstreams.map(
      ({ stream }) =>
        new Promise<void>((resolve) => (stream.destroyed ? resolve() : stream.once('close', () => resolve()))),
    )
    const deadline = setTimeout(() => {
      for (const downstream of this.#front.downstreams) downstream.reset()
    }, this.#drainMs)
    await Promise.all(closed)
    clearTimeout(deadline)
    // Whoever carried them has to hear of it, too, before the pod is gone.
    await new Promise((resolve) => setImmediate(resolve))
    this.#front.close()
    this.#parts.upstreams.close()
  }

  #exchange(
    downstream: Downstream,
    message: IncomingMessage,
    response: ServerResponse,
    expects: boolean,
  ): Exchange | undefined {
    if (downstream.port === STATUS_PORT) return this.#status(message, response, downstream)
    return new GatewayExchange(this.#parts, downstream, message, response, expects)
  }

  #status({ url }: IncomingMessage, response: ServerResponse, downstream: Downstream): undefined {
    if (downstream.closing) response.shouldKeepAlive = false
    response.writeHead(url === '/healthz/ready' ? 200 : 404, ['content-length', '0']).end()
  }

  #tell({ flow }: Downstream, own: OwnAnswer, message?: IncomingMessage) {
    const { context } = this.#parts
    tellRefused(context.flows, flow, { generation: context.policy().generation, transport: 'http' }, own, message)
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

const bytes = (stream: Duplex, what: 'bytesRead' | 'bytesWritten'): number => {
  const count: unknown = Reflect.get(stream, what)
  return typeof count === 'number' ? count : 0
}
