import pg from 'pg'
import type { Check, Outcome } from '../checks/check.js'
import { deadlineCode } from '../checks/network-code.js'
import { databaseCode } from './code.js'
import type { DatabaseConfig } from './config.js'
import { DatabaseSocket } from './socket.js'

/** A page view and a probe wait for this, at the worst: connect and query together. */
export const DATABASE_TIMEOUT_MS = 2_000
/** PostgreSQL has 100 connections for everyone by default, and each is a process there. */
export const MAX_CONNECTIONS = 5
/** Kept connections answer the next probe without a handshake; longer than probes are apart, shorter than proxies forget. */
const IDLE_MS = 30_000

const QUERY = "SELECT 'Hello from PostgreSQL' AS message"
const GREETING = 'Hello from PostgreSQL'

export interface DatabaseOptions {
  readonly timeoutMs?: number
  /** Told when a kept connection ends by itself: Postgres was restarted, or a policy closed it. */
  readonly onLost?: (cause: Error) => void
}

/** The database: a pool, and the question whether it works. */
export class Database implements Check {
  readonly id = 'postgres'
  readonly name = 'PostgreSQL Database'
  readonly target = 'PostgreSQL'
  readonly kind = 'database'
  readonly #pool: pg.Pool
  readonly #timeoutMs: number
  #running: Promise<Outcome> | undefined
  /** The socket of the running check: the one that it opened, or a kept one. */
  #socket: DatabaseSocket | undefined
  readonly #kept = new WeakMap<pg.PoolClient, DatabaseSocket>()

  constructor(config: DatabaseConfig, { timeoutMs = DATABASE_TIMEOUT_MS, onLost }: DatabaseOptions = {}) {
    const { host, port, user, password, database, sslmode, ca } = config
    this.#timeoutMs = timeoutMs
    this.#pool = new pg.Pool({
      host,
      port,
      user,
      password,
      database,
      ssl: sslmode === 'disable' ? false : { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) },
      application_name: 'hello-app',
      max: MAX_CONNECTIONS,
      idleTimeoutMillis: IDLE_MS,
      connectionTimeoutMillis: timeoutMs,
      // What this side gives up, the server should not go on with.
      statement_timeout: timeoutMs,
      keepAlive: true,
      stream: () => {
        this.#socket = new DatabaseSocket(sslmode !== 'disable')
        return this.#socket
      },
    })
    this.#pool.on('connect', (client) => {
      // The pool listens for errors of clients that are idle. One that fails while it is asked, or after, must not end the process.
      client.on('error', () => {})
      if (this.#socket !== undefined) this.#kept.set(client, this.#socket)
    })
    // Without a listener, a kept connection that breaks would end the process.
    this.#pool.on('error', (error) => {
      // The pool hangs the client on its error, and the client has the key that cancels queries: nothing for a log.
      Reflect.deleteProperty(error, 'client')
      onLost?.(error)
    })
  }

  /** One check at a time: the page's and the probe's are the same. */
  run(): Promise<Outcome> {
    this.#running ??= this.#ask().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  /** For readiness. Rejects with the reason. */
  async ready(): Promise<void> {
    const { code, cause } = await this.run()
    if (code !== 'connected') throw new Error(`the database: ${code}`, { cause })
  }

  close(): Promise<void> {
    return this.#pool.end()
  }

  async #ask(): Promise<Outcome> {
    this.#socket = undefined
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), this.#timeoutMs)
    })
    const connecting = this.#pool.connect()
    let client: pg.PoolClient | undefined
    let healthy = false
    try {
      const connected = await Promise.race([connecting, late])
      if (connected === 'late') return { code: this.#deadline() }
      client = connected
      const socket = this.#kept.get(client)
      // A new one is still in the evidence of its own opening.
      if (socket !== this.#socket) socket?.renew()
      this.#socket = socket
      const asked = client.query<{ message: string }>(QUERY)
      asked.catch(() => {})
      const answer = await Promise.race([asked, late])
      if (answer === 'late') return { code: this.#deadline() }
      healthy = answer.rows[0]?.message === GREETING
      return { code: healthy ? 'connected' : 'protocol-error' }
    } catch (cause) {
      if (/timeout/i.test(String(cause)) && (cause as { code?: unknown }).code === undefined)
        return { code: this.#deadline(), cause }
      return { code: databaseCode(cause, this.#evidence()), cause }
    } finally {
      clearTimeout(timer)
      // A connection that did not do what it should is not kept: the next check finds out anew.
      if (client !== undefined) client.release(!healthy)
      else {
        connecting.then((tooLate) => tooLate.release(true)).catch(() => {})
        // pg leaves the connection open where it fails on its own side, and PostgreSQL then waits a minute for the password.
        this.#socket?.destroy()
      }
    }
  }

  #deadline(): Outcome['code'] {
    return deadlineCode(this.#evidence())
  }

  #evidence() {
    return this.#socket?.evidence() ?? { phase: 'answer' as const, heard: false, waitedMs: 0 }
  }
}
