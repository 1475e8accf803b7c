import { Agent, type Dispatcher, Pool } from 'undici'
import { connector } from './connector.js'
import { type Call, Exchange, type UpstreamRequest } from './exchange.js'
import type { HeaderList } from './propagation.js'

/** Descriptors, and the upstream's own limit: above this, calls wait for a free connection. */
export const MAX_CONNECTIONS = 256
/** Below the 30 s for which our servers keep a quiet connection, so that it is the client that closes. */
const KEEP_ALIVE_MS = 20_000

export interface UpstreamClientOptions {
  readonly keepAlive: boolean
  /** For the whole call, redirects and body included. */
  readonly timeoutMs: number
}

/** The connections to all upstreams. Plain undici pools on plain sockets, so that what redirects a process's connections redirects these. */
export class UpstreamClient {
  readonly #options: UpstreamClientOptions
  readonly #pools = new Map<string, Pool>()
  readonly #poolOptions: Pool.Options
  #elsewhere: Agent | undefined

  constructor(origins: readonly string[], options: UpstreamClientOptions) {
    this.#options = options
    this.#poolOptions = {
      connections: MAX_CONNECTIONS,
      pipelining: options.keepAlive ? 1 : 0, // 0 is undici's way to say "Connection: close"
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      // One clock for the whole call, below: three that start anew would add up.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: connector(options.timeoutMs),
    }
    for (const origin of origins) this.#pools.set(origin, new Pool(origin, this.#poolOptions))
  }

  get(origin: string, path: string, url: string, headers: HeaderList): Call {
    const exchange = new Exchange(this.#options.timeoutMs, (handler, to) => this.#dispatch(handler, to))
    exchange.start({ origin, path, url, headers })
    return exchange
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values(), this.#elsewhere].map((pool) => pool?.destroy()))
  }

  #dispatch(handler: Dispatcher.DispatchHandler, { origin, path, headers }: UpstreamRequest): void {
    const pool = this.#pools.get(origin)
    if (pool !== undefined) pool.dispatch({ method: 'GET', path, headers }, handler)
    else {
      // Only a redirect leads to an origin that nobody configured.
      this.#elsewhere ??= new Agent({ ...this.#poolOptions, connections: 4 })
      this.#elsewhere.dispatch({ origin, method: 'GET', path, headers }, handler)
    }
  }
}
