import type { MongoClient } from 'mongodb'
import { unavailable } from './failures.js'

export interface ConnectionOptions {
  /** A client that has not connected yet. */
  readonly make: () => MongoClient
  /**
   * A heartbeat that takes longer than this will never end. One for which the server waits until it has news (`awaited`) has
   * as long as the driver gives that besides.
   */
  readonly heartbeatMs: number
  /** Told when a client is given up. */
  readonly note?: (why: string) => void
}

/**
 * The client of the database, and another one in its place when it is good for nothing any more: when it found no server at
 * first, and when it hangs.
 *
 * The driver (7.8) waits for ever when it writes to a socket in the moment between the socket's end and the event that tells
 * of it: for `drain`, which nobody emits any more, with the socket's timeout gone with the socket. A server that dies ends
 * all its connections in one moment, the loss of one has the driver ask on the next, and if that is the monitor's, the
 * client never finds a server again.
 */
export class Connection {
  readonly #options: ConnectionOptions
  #client: MongoClient
  #heartbeat: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#client = this.#watched()
  }

  get client(): MongoClient {
    return this.#client
  }

  /** Gives this client up, unless that has been done: what hangs on it hangs on, and what comes now has another one. */
  renew(hanging: MongoClient, why: string): void {
    if (this.#closed || hanging !== this.#client) return
    this.#options.note?.(why)
    this.#unwatch()
    this.#client = this.#watched()
    // In the background: it may well hang too.
    void hanging.close().catch(() => {})
  }

  /**
   * Bounds work that waits for the database.
   * @throws ServiceError UNAVAILABLE when it takes longer; the client is replaced then
   */
  async within<T>(ms: number, work: (client: MongoClient) => Promise<T>): Promise<T> {
    const client = this.#client
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        this.renew(client, `something has waited for ${ms} ms`)
        reject(unavailable(new Error(`not done within ${ms} ms`)))
      }, ms)
    })
    try {
      return await Promise.race([work(client), late])
    } finally {
      clearTimeout(timer)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#unwatch()
    await this.#client.close()
  }

  #watched(): MongoClient {
    const client = this.#options.make()
    const { heartbeatMs } = this.#options
    client.on('serverHeartbeatStarted', ({ awaited }) => {
      if (client !== this.#client || this.#closed) return
      this.#unwatch()
      const ms = heartbeatMs + (awaited ? client.options.heartbeatFrequencyMS : 0)
      this.#heartbeat = setTimeout(() => this.renew(client, `no heartbeat has ended for ${ms} ms`), ms)
      this.#heartbeat.unref()
    })
    // The driver does that itself when it does not find a server at first, and is good for nothing afterwards.
    client.on('topologyClosed', () => {
      if (client !== this.#client || this.#closed) return
      this.#unwatch()
      this.#client = this.#watched()
    })
    for (const ended of ['serverHeartbeatSucceeded', 'serverHeartbeatFailed'] as const)
      client.on(ended, () => {
        if (client === this.#client) this.#unwatch()
      })
    return client
  }

  #unwatch(): void {
    clearTimeout(this.#heartbeat)
    this.#heartbeat = undefined
  }
}
