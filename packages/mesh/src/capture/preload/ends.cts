import net, { type Socket } from 'node:net'
import type { Endpoint, Note } from '../wire.js'
import type { Channel } from './channel.cjs'
import { readReset } from './errors.cjs'

/** What a captured socket tells of itself, and the number under which the agent knows it. */
interface End {
  readonly remote: Endpoint
  readonly local: Endpoint
  readonly id: { readonly dial: number } | { readonly conn: number }
}

interface Inner {
  _handle?: unknown
  /** A TLS socket's transport. */
  _parent?: Inner | null
  /** That transport's stream, where it is not Node's own. */
  stream?: Inner
  connecting?: boolean
}

interface Named {
  _getpeername(): object
  _getsockname(): object
  resetAndDestroy(): Socket
}

/**
 * How long a reset waits for an app that has not written yet. Node 20's fetch, the first time, listens to its socket only
 * when its parser is compiled, some milliseconds after connect; a reset in between is lost on it, and it hangs for good.
 */
const SILENT_RESET_MS = 50

const MAX_EARLY = 1_000

function reset(socket: Socket | undefined): void {
  if (socket === undefined) return
  const destroy = () => socket.destroy(readReset())
  const now = () => (socket.bytesWritten > 0 ? setImmediate(destroy) : setTimeout(destroy, SILENT_RESET_MS))
  if (socket.connecting) socket.once('connect', now)
  else now()
}

/** The captured sockets of this process: their addresses, and resets in both directions, for which unix sockets have no word. */
export class Ends {
  readonly #ends = new WeakMap<object, End>()
  readonly #dialled = new Map<number, Socket>()
  readonly #accepted = new Map<number, Socket>()
  /** Sockets whose connect the agent has not answered yet. */
  readonly asking = new WeakSet<object>()
  /** Accepted connections whose reset was heard before their first bytes. */
  readonly #early = new Set<number>()

  add(socket: Socket, end: End): void {
    this.#ends.set(socket, end)
    this.asking.delete(socket)
    const [table, number] = 'dial' in end.id ? [this.#dialled, end.id.dial] : [this.#accepted, end.id.conn]
    table.set(number, socket)
    onceClosed(socket, () => table.delete(number))
    if ('conn' in end.id && this.#early.delete(end.id.conn)) reset(socket)
  }

  /** The far side reset it: what has arrived is read first, as the kernel does, then the app reads ECONNRESET. */
  reset(note: Extract<Note, { op: 'reset' | 'reset-accepted' }>) {
    const socket = note.op === 'reset' ? this.#dialled.get(note.id) : this.#accepted.get(note.conn)
    if (note.op === 'reset' || socket !== undefined) return reset(socket)
    // Not accepted yet, or over already.
    this.#early.add(note.conn)
    const [oldest] = this.#early
    if (this.#early.size > MAX_EARLY && oldest !== undefined) this.#early.delete(oldest)
  }

  of(socket: object): End | undefined {
    for (let inner: Inner | null | undefined = socket; inner; inner = inner._parent ?? inner.stream) {
      const end = this.#ends.get(inner)
      if (end !== undefined) return end
    }
    return undefined
  }

  install(channel: Channel): void {
    const proto = net.Socket.prototype as unknown as Named
    const { _getpeername, _getsockname, resetAndDestroy } = proto
    const ends = this
    const named = ([address, port]: Endpoint) => ({ address, port, family: 'IPv4' })
    proto._getpeername = function (this: Inner) {
      const end = ends.of(this)
      return end === undefined || this.connecting ? _getpeername.call(this) : named(end.remote)
    }
    proto._getsockname = function (this: Inner) {
      const end = ends.of(this)
      return end === undefined || this.connecting || !this._handle ? _getsockname.call(this) : named(end.local)
    }
    proto.resetAndDestroy = function (this: Socket) {
      const end = ends.#ends.get(this)
      // What is only being connected is reset as soon as it is.
      if (this.connecting && (end !== undefined || ends.asking.has(this)))
        return this.once('connect', () => this.resetAndDestroy())
      if (end === undefined) return resetAndDestroy.call(this)
      if ('dial' in end.id) channel.tell({ op: 'reset', id: end.id.dial })
      else channel.tell({ op: 'reset-accepted', conn: end.id.conn })
      return this.destroy()
    }
  }
}

/**
 * Calls back when this life of the socket is over. A socket that is connected again at once still hears `close` of its
 * life before; the callback returned stops listening.
 */
export function onceClosed(socket: Socket, over: () => void): () => void {
  const closed = () => {
    if (!socket.destroyed) return
    socket.off('close', closed)
    over()
  }
  socket.on('close', closed)
  return () => void socket.off('close', closed)
}
