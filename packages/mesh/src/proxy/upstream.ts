import type { Duplex } from 'node:stream'
import type { Step } from '@bulkhead/verdict'
import type { Client } from 'undici'
import type { Flow } from '../flows.js'
import { clientOver } from '../http/client.js'
import { UPSTREAM_LIFE_MS } from '../http/limits.js'
import type { Way } from './way.js'

/** A connection to one port of one pod, judged when it was opened and whenever the policies change. One request at a time. */
export class Upstream {
  readonly client: Client
  readonly flow: Flow
  readonly way: Way
  readonly #socket: Duplex
  readonly #since = performance.now()
  #steps: readonly Step[] = []
  #seen: readonly Step[] | undefined

  constructor(client: typeof Client, way: Way, flow: Flow, socket: Duplex) {
    this.way = way
    this.flow = flow
    this.#socket = socket
    this.client = clientOver(client, socket)
  }

  /** Neither closed nor refused, nor about to be: a denial is known here before the connection's end has come. */
  get usable(): boolean {
    const { failure, ended, leaving } = this.flow
    return !this.#socket.destroyed && this.#socket.readable && failure === undefined && !ended && !leaving
  }

  get old(): boolean {
    return performance.now() - this.#since > UPSTREAM_LIFE_MS
  }

  /** What the points behind the proxy say of it. */
  get steps(): readonly Step[] {
    const { steps } = this.flow
    if (steps !== this.#seen) {
      this.#seen = steps
      this.#steps = behind(this.flow)
    }
    return this.#steps
  }

  close(): void {
    void this.client.destroy(null)
    this.#socket.destroy()
  }
}

/** The steps of a connection behind a proxy, as the record of what came to the proxy counts hops. */
export const behind = (flow: Flow): readonly Step[] => flow.steps.map((step) => ({ ...step, hop: step.hop + 1 }))
