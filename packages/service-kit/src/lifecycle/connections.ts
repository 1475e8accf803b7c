import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { Server as NetServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** What is known of one client connection. */
interface Connection {
  active: number
  /** It has had no request yet. */
  fresh: boolean
  lastActive: number
  /** The response begun last: on a pipelined connection, the one that ends it. */
  last: ServerResponse | undefined
}

/** How long a connection must have been quiet before the drain closes it: a request may be on its way on it. */
export const QUIET_MS = 200
/** The same for one that has had no request yet: its client has only just connected, and on a busy machine says why late. Go waits 5 s. */
export const NEW_QUIET_MS = 2_000
const POLL_MS = 10

/** The connections of one server, and how to part with them so that no request that was taken in is lost. */
export class Connections {
  readonly #server: Server
  readonly #open = new Map<Socket, Connection>()
  #inFlight = 0
  #closing = false

  constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket: Socket) => {
      this.#open.set(socket, { active: 0, fresh: true, lastActive: performance.now(), last: undefined })
      socket.once('close', () => this.#open.delete(socket))
    })
  }

  get inFlight(): number {
    return this.#inFlight
  }

  get size(): number {
    return this.#open.size
  }

  begin(request: IncomingMessage, response: ServerResponse): void {
    this.#inFlight++
    const connection = this.#open.get(request.socket)
    if (connection === undefined) return
    connection.active++
    connection.fresh = false
    if (this.#closing) {
      // A pipelined request came in behind a response that was to be the last: now this one is.
      if (connection.last !== undefined && !connection.last.headersSent) connection.last.shouldKeepAlive = true
      response.shouldKeepAlive = false
    }
    connection.last = response
  }

  /** @param now performance.now() */
  end(request: IncomingMessage, now: number): void {
    this.#inFlight--
    const connection = this.#open.get(request.socket)
    if (connection === undefined) return
    connection.active--
    connection.lastActive = now
    if (connection.active === 0) connection.last = undefined
  }

  /** How many requests of this socket are being answered. */
  activeOn(socket: Socket): number {
    return this.#open.get(socket)?.active ?? 0
  }

  /** Whether a request before the bytes in question is yet to be answered on this socket: an answer to them would be taken for its own. */
  isAnswering(socket: Socket): boolean {
    const connection = this.#open.get(socket)
    if (connection?.last === undefined) return false
    const { active, last } = connection
    return active > 1 || last.headersSent || last.req.complete
  }

  /** From now on the last response on each connection says `Connection: close`: clients leave by themselves, at a moment when nothing is on its way. */
  askToLeave(): void {
    this.#closing = true
    for (const { last } of this.#open.values())
      if (last !== undefined && !last.headersSent) last.shouldKeepAlive = false
  }

  /**
   * Takes no new connections and waits for the open ones to end.
   * @param deadline performance.now() at which what is still there is cut
   * @returns how many requests were cut
   */
  async drain(deadline: number): Promise<number> {
    this.askToLeave()
    // Connections that wait in the listener's queue are reset when it closes. An immediate runs right after the event loop
    // has taken all of them in, which leaves the queue as short as it can be.
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
    // Not http.Server's close(): it begins by closing idle connections, and with them the requests on their way to us.
    if (this.#server.listening) NetServer.prototype.close.call(this.#server)
    const from = performance.now()
    for (;;) {
      this.#closeQuiet(from)
      if (this.#open.size === 0 || performance.now() >= deadline) break
      await sleep(POLL_MS)
      // After a turn of the event loop that took long, timers come before what has arrived meanwhile.
      await new Promise((resolve) => setImmediate(resolve))
    }
    const cut = this.#inFlight
    for (const socket of this.#open.keys()) socket.destroy()
    // Stops Node's timer that looks for timeouts; the server is closed by now, which it says with an error that is no news.
    this.#server.close(() => {})
    return cut
  }

  #closeQuiet(from: number): void {
    const now = performance.now()
    for (const [socket, connection] of this.#open) {
      const { active, fresh, lastActive } = connection
      if (active > 0 || now - Math.max(lastActive, from) < QUIET_MS) continue
      if (!fresh || now - lastActive >= NEW_QUIET_MS) socket.destroy()
    }
  }
}
