import type { IncomingMessage } from 'node:http'
import type { Payload } from '@bulkhead/verdict'
import type { Packet } from '../carrier.js'
import type { Context } from '../context.js'
import type { Flow } from '../flows.js'
import { Downstream } from '../http/downstream.js'
import { Front, type FrontTimeouts } from '../http/front.js'
import type { OwnAnswer } from '../http/own-answer.js'
import { tellRefused } from '../http/record.js'
import type { End } from '../splice.js'
import { Behind, type Onward } from './behind.js'
import { type ExchangeParts, FilteredExchange } from './exchange.js'

/** What the filter asks of the network. */
export interface Network {
  /** What it says of a packet whose connection carries that; the flow is told. */
  passes(flow: Flow, packet: Packet, payload: Payload): boolean
  /** Closes the connection when the network no longer lets it in. Returns the way to stop that; undefined: it is closed. */
  watch(flow: Flow, packet: Packet, close: () => void): (() => void) | undefined
}

/** What the parser says of bytes that are no HTTP/1.1 at all. */
const NO_HTTP = new Set(['HPE_INVALID_METHOD', 'HPE_INVALID_CONSTANT', 'HPE_INVALID_VERSION', 'HPE_PAUSED_H2_UPGRADE'])

/**
 * The proxy that a CNI puts into a connection where a rule lists requests (Cilium: Envoy with its filter): each request is
 * judged when its turn has come, by the policies of that moment.
 */
export class RequestFilter {
  readonly #context: Context
  readonly #network: Network
  readonly #timeouts: FrontTimeouts
  readonly #connections = new Map<Downstream, ExchangeParts>()
  #front: Front | undefined

  constructor(context: Context, network: Network, timeouts: FrontTimeouts = {}) {
    this.#context = context
    this.#network = network
    this.#timeouts = timeouts
  }

  /** Serves an accepted connection until its end. `records`: its requests have flow records, one each. */
  async carry(flow: Flow, packet: Packet, client: End, onward: Onward, records = true): Promise<void> {
    const downstream = new Downstream(flow, packet.port, { ip: packet.source.ip, port: 0 }, client)
    const each: Packet = { ...packet, eachRequest: true }
    const forget = this.#network.watch(flow, each, () => downstream.reset())
    if (forget === undefined) return
    try {
      // Loaded where a rule asks for it, and only there.
      const { Client } = await import('undici')
      if (client.stream.destroyed) return
      const behind = new Behind(this.#context, Client, flow, onward)
      const passes = (asked: Flow, payload: Payload) => this.#network.passes(asked, each, payload)
      this.#connections.set(downstream, { context: this.#context, behind, passes, records })
      await this.#serve(downstream)
      behind.close()
      if (downstream.requests > 0) flow.drop()
    } finally {
      forget()
      this.#connections.delete(downstream)
    }
  }

  close(): void {
    this.#front?.close()
  }

  #serve(downstream: Downstream): Promise<void> {
    this.#front ??= new Front(
      {
        server: 'envoy',
        exchange: (to, ...asked) => {
          const parts = this.#connections.get(to)
          return parts && new FilteredExchange(parts, to, ...asked)
        },
        // What never was a request gets no answer that could be taken for the app's.
        answers: ({ requests }, code) => requests > 1 || code === undefined || !NO_HTTP.has(code),
        refused: (...refused) => this.#refused(...refused),
      },
      this.#timeouts,
    )
    return this.#front.take(downstream)
  }

  #refused(downstream: Downstream, own: OwnAnswer, message: IncomingMessage | undefined, answered: boolean) {
    const { flow } = downstream
    const parts = this.#connections.get(downstream)
    if (own.status !== 408) parts?.passes(flow, { kind: 'other' })
    if (!answered) {
      const why = 'connection closed once it was read: a network policy lists requests, and this is none'
      return flow.fail({ flag: 'DENY', symptom: 'reset', error: why })
    }
    if (parts?.records === false) return
    const { generation, transport } = flow
    tellRefused(this.#context.flows, flow, { generation, transport }, { error: 'refused', ...own }, message)
  }
}
