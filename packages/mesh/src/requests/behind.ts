import type { Duplex } from 'node:stream'
import type { Step } from '@bulkhead/verdict'
import type { Client } from 'undici'
import type { Context } from '../context.js'
import type { Flow } from '../flows.js'
import { clientOver } from '../http/client.js'
import { ClientSocket } from '../http/client-socket.js'
import { pair } from '../http/pair.js'
import { type End, resettable } from '../splice.js'

/** Carries a connection on from a wall's proxy, up to its end; what is said of it goes to that flow. */
export type Onward = (flow: Flow, client: End) => Promise<void>

/** A proxy's connection to the app. One request at a time. */
export interface Upstream {
  readonly client: Client
  /** What is said of it behind the proxy. It has no record of its own: its requests have. */
  readonly flow: Flow
  readonly socket: Duplex
}

/** What is behind a wall's proxy, for one connection of a client: one connection to the app, and the next when that is gone. */
export class Behind {
  readonly #context: Context
  readonly #client: typeof Client
  readonly #front: Flow
  readonly #onward: Onward
  #upstream: Upstream | undefined

  constructor(context: Context, client: typeof Client, front: Flow, onward: Onward) {
    this.#context = context
    this.#client = client
    this.#front = front
    this.#onward = onward
  }

  /** The one that is open, or a fresh one. `before`: what was said of the request in front of it. */
  take(before: readonly Step[]): { readonly upstream: Upstream; readonly fresh: boolean } {
    const open = this.#upstream
    const usable = open !== undefined && !open.socket.destroyed && open.socket.readable && !open.flow.failure
    if (!usable) this.close()
    const upstream = usable ? open : this.#open()
    this.#upstream = upstream
    upstream.flow.asked(before)
    return { upstream, fresh: !usable }
  }

  close(): void {
    const upstream = this.#upstream
    this.#upstream = undefined
    void upstream?.client.destroy(null)
    upstream?.socket.destroy()
  }

  #open(): Upstream {
    const { flows, log, policy } = this.#context
    const { source, destination, protocol, transport, run } = this.#front
    const flow = flows.start({ generation: policy().generation, source, destination, protocol, transport, run })
    if (destination.pod !== undefined) flow.approaches(destination.pod)
    const [near, far] = pair()
    far.on('error', () => {})
    this.#onward(flow, resettable(far))
      .catch((error: unknown) => {
        log?.error({ err: error }, 'a connection could not be carried on')
        flow.fail({ flag: 'CONNECT', symptom: 'reset', error: String(error) })
      })
      // Whatever carried it has ended or reset it; this is for what was never carried.
      .finally(() => {
        flow.arrived()
        far.destroy()
      })
    const socket = new ClientSocket(near).on('error', () => {})
    return { client: clientOver(this.#client, socket), flow, socket }
  }
}
