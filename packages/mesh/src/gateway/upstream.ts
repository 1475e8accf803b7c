import type { Duplex } from 'node:stream'
import type { Pod, ServiceModel, Step } from '@bulkhead/verdict'
import type { Client } from 'undici'
import type { Flow } from '../flows.js'
import { clientOver } from '../http/client.js'
import { UPSTREAM_LIFE_MS } from '../http/limits.js'

/** Where a request goes once a backend and an endpoint of it are chosen. */
export interface Way {
  readonly gateway: Pod
  readonly pod: Pod
  readonly port: number
  readonly service: ServiceModel
}

/** A connection to one port of one pod, judged when it was opened and whenever the policies change. One request at a time. */
export class Upstream {
  readonly client: Client
  readonly flow: Flow
  readonly way: Way
  readonly transport: Flow['transport']
  readonly #socket: Duplex
  readonly #since = performance.now()
  #steps: readonly Step[] = []
  #seen: readonly Step[] | undefined
  /** The policies that it was last checked against. */
  generation: number

  constructor(client: typeof Client, generation: number, way: Way, flow: Flow, socket: Duplex) {
    this.way = way
    this.flow = flow
    this.transport = flow.transport
    this.generation = generation
    this.#socket = socket
    this.client = clientOver(client, socket)
  }

  /** Neither closed nor refused: a denial is known here before the connection's end has come. */
  get usable(): boolean {
    return !this.#socket.destroyed && this.#socket.readable && this.flow.failure === undefined && !this.flow.ended
  }

  get old(): boolean {
    return performance.now() - this.#since > UPSTREAM_LIFE_MS
  }

  /** What the points behind the gateway say of it. */
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

/** The steps of a connection behind the gateway, as its request's record counts hops. */
export const behind = (flow: Flow): readonly Step[] => flow.steps.map((step) => ({ ...step, hop: 1 }))
