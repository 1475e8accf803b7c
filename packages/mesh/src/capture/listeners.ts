import { randomInt } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Address } from '../seams.js'
import { writePreamble } from './preload/preamble.cjs'

/** What a process listens on, and how to get there. */
export interface Listener {
  readonly port: number
  readonly scope: 'pod' | 'loopback'
  readonly path: string
  readonly token: Buffer
  readonly group?: string
  /** Makes the app read ECONNRESET on a connection that it accepted. */
  resetAccepted(conn: number): void
  /** Called with each connection made to the listener, until it closes. */
  opened(conn: number, socket: Socket): void
}

/** What Linux gives to listen(0) and to outgoing datagrams. */
const FIRST_EPHEMERAL = 32_768
const LAST_EPHEMERAL = 60_999

/** How long a full backlog is waited for, as a SYN would be sent again. */
const BACKLOG_PATIENCE_MS = 1_000
const BACKLOG_RETRY_MS = 10

/** How long an app gets to end a connection that was reset, before it is ended for it. */
export const RESET_PATIENCE_MS = 250

let nextConnection = 1

/** One pod's listening ports. A port is one process's, or one group's of cluster workers, which then take turns. */
export class Listeners {
  readonly #byPort = new Map<number, Listener[]>()

  /** False: EADDRINUSE. */
  claim(listener: Listener): boolean {
    const holders = this.#byPort.get(listener.port)
    if (holders === undefined) {
      this.#byPort.set(listener.port, [listener])
      return true
    }
    if (listener.group === undefined || holders.some(({ group }) => group !== listener.group)) return false
    holders.push(listener)
    return true
  }

  release(listener: Listener): void {
    const left = this.#byPort.get(listener.port)?.filter((holder) => holder !== listener) ?? []
    if (left.length === 0) this.#byPort.delete(listener.port)
    else this.#byPort.set(listener.port, left)
  }

  freePort(): number {
    return freePort((port) => this.#byPort.has(port))
  }

  /** Reachable from outside the pod, ascending. */
  ports(): number[] {
    return [...this.#byPort].flatMap(([port, [first]]) => (first?.scope === 'pod' ? [port] : [])).sort((a, b) => a - b)
  }

  /** Where one of the port's listeners is; whose turn it is stays as it was. */
  path(port: number): string | undefined {
    return this.#byPort.get(port)?.[0]?.path
  }

  /** The next listener's turn. Loopback reaches every listener of the pod, anyone else only those on its address. */
  pick(port: number, from: Address): Listener | undefined {
    const holders = this.#byPort.get(port)
    const first = holders?.shift()
    if (holders === undefined || first === undefined) return undefined
    holders.push(first)
    return first.scope === 'pod' || from.ip.startsWith('127.') ? first : undefined
  }
}

export function freePort(taken: (port: number) => boolean): number {
  const span = LAST_EPHEMERAL - FIRST_EPHEMERAL + 1
  const start = randomInt(span)
  for (let i = 0; i < span; i++) {
    const port = FIRST_EPHEMERAL + ((start + i) % span)
    if (!taken(port)) return port
  }
  return 0
}

/** Connects to a private socket and says who the app is to see. Rejects with code ECONNREFUSED when no one accepts there. */
export async function dialListener(listener: Listener, from: Address): Promise<Socket> {
  const until = Date.now() + BACKLOG_PATIENCE_MS
  for (;;) {
    const socket = await connectOnce(listener.path).catch((error: NodeJS.ErrnoException) => error)
    if (!(socket instanceof Error)) return introduce(socket, listener, from)
    if (socket.code !== 'EAGAIN' || Date.now() > until) throw refused(listener.port, socket.code)
    await delay(BACKLOG_RETRY_MS)
  }
}

function connectOnce(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true })
    // Stays: an error must never be nobody's.
    socket.on('error', reject)
    socket.once('connect', () => resolve(socket))
  })
}

function introduce(socket: Socket, listener: Listener, from: Address): Socket {
  endAfterNotes(socket)
  const conn = nextConnection++ >>> 0
  listener.opened(conn, socket)
  socket.write(writePreamble(listener.token, { conn, ip: from.ip, port: from.port }))
  socket.resetAndDestroy = () => resetBy(socket, () => listener.resetAccepted(conn))
  return socket
}

/**
 * A process tells of a reset before it closes, but on another socket: what looks like an end waits until what was said
 * there before it has been read too. That is so when the next turn of the event loop has looked at all sockets.
 */
export function endAfterNotes(socket: Socket): void {
  const push = socket.push.bind(socket)
  const end = () => {
    if (socket.destroyed) return
    push(null)
    // As Node does after its own: with nothing left to read, the end is told at once.
    socket.read(0)
  }
  socket.push = (chunk, encoding) => {
    if (chunk !== null) return push(chunk, encoding)
    setImmediate(() => setImmediate(end))
    return false
  }
}

/** Unix sockets have no RST: the app's own end is told to read one, and ours closes after it. */
export function resetBy(socket: Socket, tell: () => void): Socket {
  if (socket.destroyed) return socket
  let told = false
  const once = () => {
    if (!told) tell()
    told = true
  }
  // What was written before the reset reaches the kernel first, if the app reads at all.
  if (socket.writableLength > 0 && !socket.writableEnded) socket.write('', once)
  else once()
  const timer = setTimeout(() => {
    once()
    socket.destroy()
  }, RESET_PATIENCE_MS)
  timer.unref()
  socket.once('close', () => clearTimeout(timer))
  // Nobody reads on, and an unread end would never be noticed.
  socket.resume()
  return socket
}

export function refused(port: number, cause?: string): NodeJS.ErrnoException {
  const detail = cause === undefined || cause === 'ECONNREFUSED' ? '' : ` (${cause})`
  return Object.assign(new Error(`connect ECONNREFUSED: nothing listens on port ${port} of the pod${detail}`), {
    code: 'ECONNREFUSED',
    syscall: 'connect',
  })
}
