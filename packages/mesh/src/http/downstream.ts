import type { Duplex } from 'node:stream'
import type { Flow } from '../flows.js'
import { look, QUIET_LOOKS } from '../looks.js'
import type { Address } from '../seams.js'
import type { End } from '../splice.js'
import { MAX_PIPELINED } from './limits.js'

/** A request on its way through a proxy. */
export interface Exchange {
  /** All of it has come. */
  readonly complete: boolean
  /** There is an answer, of which some may still be on its way. */
  readonly settled: boolean
  /** Its turn on the connection has come. */
  run(): void
  /** It turned out to be none. */
  refuse(status: number, why: string): void
}

/** A client's connection to a proxy. Its requests are answered one after the other, in their order. */
export class Downstream {
  readonly flow: Flow
  /** The listener's port. */
  readonly port: number
  readonly from: Address
  readonly #end: End
  readonly #waiting: Exchange[] = []
  #current: Exchange | undefined
  #after: (() => void) | undefined
  /** Requests so far. A connection without any has a record of its own. */
  requests = 0
  /** No further request is taken. */
  closing = false
  #saysClose = false

  constructor(flow: Flow, port: number, from: Address, end: End) {
    this.flow = flow
    this.port = port
    this.from = from
    this.#end = end
  }

  get stream(): Duplex {
    return this.#end.stream
  }

  /** The request that has begun last, and has not been answered. */
  get newest(): Exchange | undefined {
    return this.#waiting.at(-1) ?? this.#current
  }

  /** Whether the answer that is due now is the connection's last, and has to say so. */
  get last(): boolean {
    return this.#saysClose && this.#waiting.length === 0
  }

  /** Ends it as an RST does, so that nobody takes what was cut for whole. */
  reset(): void {
    if (!this.stream.destroyed) this.#end.reset()
  }

  begin(exchange: Exchange): void {
    // What is parsed of a connection that is gone would wait for its end for good: it has been told already.
    if (this.closing || this.stream.destroyed) return
    this.requests += 1
    if (this.#current === undefined) this.#start(exchange)
    else if (this.#waiting.length < MAX_PIPELINED) this.#waiting.push(exchange)
    else {
      this.#waiting.length = 0
      this.reset()
    }
  }

  /** Called by an exchange whose answer is over. */
  done(exchange: Exchange) {
    if (exchange !== this.#current) return
    this.#current = undefined
    const next = this.#waiting.shift()
    if (next !== undefined && !this.stream.destroyed) return this.#start(next)
    this.#after?.()
  }

  /** Once the requests so far are answered. `answers`: by one answer more, which is the one that says `Connection: close`. */
  afterwards(then: () => void, answers = false): void {
    this.closing = true
    this.#saysClose = !answers
    this.#after = then
    if (this.#current === undefined) then()
  }

  /** The same for one that may still be in use: its next answer says `Connection: close`, if there is one before it is quiet. */
  farewell(then: () => void) {
    if (this.#current !== undefined || this.closing) return this.afterwards(then)
    this.#saysClose = true
    this.#after = () => this.afterwards(then)
    let left = QUIET_LOOKS
    look(() => {
      left -= 1
      if (left === 0 && this.#current === undefined && !this.closing) this.afterwards(then)
      return left === 0
    })
  }

  #start(exchange: Exchange): void {
    this.#current = exchange
    exchange.run()
  }
}
