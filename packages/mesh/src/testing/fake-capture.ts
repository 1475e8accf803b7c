import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Address, Capture, DialAnswer, Dialer } from '../seams.js'
import type { Grant } from '../types.js'

type Accepted = Extract<DialAnswer, { kind: 'accept' }>
type App = (socket: Socket, from: Address) => void

/** A connect that failed, as an app would see it. */
export class ConnectFailed extends Error {
  readonly code: string
  constructor(code: string) {
    super(code)
    this.code = code
  }
}

/**
 * libuv cannot reset a TCP socket while its end is on the way (uv_tcp_close_reset), and Node then leaves the handle
 * open for good: there the end is all that its peer can be told.
 */
function resetSafely(socket: Socket): Socket {
  const { resetAndDestroy } = socket
  socket.resetAndDestroy = () =>
    socket.writableEnded && !socket.writableFinished ? socket.destroy() : resetAndDestroy.call(socket)
  return socket
}

/** More than any queue here holds back. */
const STRANGER_MS = 500
/** All of a flood's connections at once: one for which there is no room would be accepted seconds later. */
const BACKLOG = 4_096

/** Brings the two ends of a loopback connection together by the client's port, whichever is told of first. */
class Meeting<T> {
  readonly #sockets = new Map<number, Socket>()
  readonly #takers = new Map<number, T>()
  readonly #met: (socket: Socket, taker: T) => void
  readonly #missed: (taker: T) => void

  constructor(met: (socket: Socket, taker: T) => void, missed: (taker: T) => void = () => {}) {
    this.#met = met
    this.#missed = missed
  }

  arrived(socket: Socket): void {
    const port = socket.remotePort
    if (port === undefined) {
      socket.destroy()
      return
    }
    const taker = this.#takers.get(port)
    this.#takers.delete(port)
    if (taker !== undefined) return void this.#met(socket, taker)
    // Of an earlier connection, or the port would not have been given again.
    this.#sockets.get(port)?.destroy()
    this.#sockets.set(port, socket)
    // Its client's own event comes in the same turn or in the next ones; where it does not, the client had gone before.
    const stranger = () => {
      if (this.#sockets.get(port) !== socket) return
      this.#sockets.delete(port)
      socket.destroy()
    }
    setTimeout(() => soon(stranger), STRANGER_MS).unref()
  }

  /** For a client that has just connected. */
  expect(client: Socket, port: number, taker: T): void {
    const socket = this.#sockets.get(port)
    this.#sockets.delete(port)
    if (socket !== undefined) return void this.#met(socket, taker)
    this.#takers.set(port, taker)
    const gone = () => {
      if (this.#takers.get(port) !== taker) return
      this.#takers.delete(port)
      this.#missed(taker)
    }
    if (client.destroyed) soon(gone)
    else client.once('close', () => soon(gone))
  }
}

/** When the event loop has looked at all sockets again: what was connected has been accepted, or was reset before. */
const soon = (then: () => void): unknown => setImmediate(() => setImmediate(then))

/** Connects, and tells its port while it has one. */
function connected(socket: Socket): Promise<number> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket.localPort ?? 0)
    })
  })
}

/**
 * Capture without processes: "apps" are functions, and a pod's connect is a call. Connections are real TCP ones over
 * loopback, so that a reset is a reset and backpressure is the kernel's.
 */
export class FakeCapture implements Capture {
  readonly dialer: Dialer
  readonly #apps = new Map<string, { readonly server: Server; readonly app: App }>()
  readonly #bound = new Map<string, (from: Address, data: Uint8Array) => void>()
  readonly #sockets = new Set<Socket>()
  readonly #front: Server
  readonly #clients = new Meeting<Accepted>(
    (stream, { carry }) => carry({ stream, reset: () => void stream.resetAndDestroy() }),
    ({ abandon }) => abandon(),
  )
  readonly #callers = new Meeting<{ app: App; from: Address }>((socket, { app, from }) => app(socket, from))
  readonly pods = new Set<string>()

  private constructor(dialer: Dialer) {
    this.dialer = dialer
    this.#front = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      this.#keep(socket)
      this.#clients.arrived(socket)
    })
  }

  static async start(dialer: Dialer): Promise<FakeCapture> {
    const capture = new FakeCapture(dialer)
    capture.#front.listen(0, '127.0.0.1', BACKLOG)
    await once(capture.#front, 'listening')
    return capture
  }

  /** Has a pod's "process" listen. */
  async app(key: string, port: number, app: App): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#keep(socket)
      this.#callers.arrived(socket)
    })
    server.listen(0, '127.0.0.1', BACKLOG)
    await once(server, 'listening')
    this.#apps.get(`${key}:${port}`)?.server.close()
    this.#apps.set(`${key}:${port}`, { server, app })
  }

  bind(key: string, port: number, take: (from: Address, data: Uint8Array) => void): void {
    this.#bound.set(`${key}:${port}`, take)
  }

  ask(pod: string, host: string, port: number, run?: string): Promise<DialAnswer> {
    return this.dialer.dial({ pod, host, port, ...(run !== undefined && { run }) })
  }

  /** What `net.connect` in that pod gives. Rejects with ConnectFailed; a drop is code ETIMEDOUT, at once. */
  async connect(pod: string, host: string, port: number, run?: string): Promise<Socket> {
    const answer = await this.ask(pod, host, port, run)
    if (answer.kind === 'error') throw new ConnectFailed(answer.code)
    if (answer.kind === 'drop') throw new ConnectFailed('ETIMEDOUT')
    return this.come(answer)
  }

  /** The client's coming for a connect that was answered. */
  async come(answer: Accepted): Promise<Socket> {
    const address = this.#front.address()
    const socket = connect({
      port: typeof address === 'object' && address ? address.port : 0,
      host: '127.0.0.1',
      allowHalfOpen: true,
    })
    this.#keep(socket)
    this.#clients.expect(socket, await connected(socket), answer)
    return socket
  }

  async addPod({ key }: { readonly key: string }): Promise<void> {
    this.pods.add(key)
  }

  async removePod(key: string): Promise<void> {
    this.pods.delete(key)
    for (const [name, { server }] of this.#apps) {
      if (!name.startsWith(`${key}:`)) continue
      server.close()
      this.#apps.delete(name)
    }
  }

  grant(key: string): Grant {
    return { id: key, env: {}, mark: () => {}, end: () => {}, revoke: () => {} }
  }

  /** Its apps have none. */
  privateSocket(): undefined {}

  listening(key: string): readonly number[] {
    return [...this.#apps.keys()]
      .filter((name) => name.startsWith(`${key}:`))
      .map((name) => Number(name.slice(key.length + 1)))
      .sort((a, b) => a - b)
  }

  async dialApp(key: string, port: number, from: Address): Promise<Duplex> {
    const entry = this.#apps.get(`${key}:${port}`)
    if (entry === undefined) throw new ConnectFailed('ECONNREFUSED')
    const address = entry.server.address()
    const socket = connect({
      port: typeof address === 'object' && address ? address.port : 0,
      host: '127.0.0.1',
      allowHalfOpen: true,
    })
    this.#keep(socket)
    this.#callers.expect(socket, await connected(socket), { app: entry.app, from })
    return socket
  }

  deliver(key: string, port: number, from: Address, data: Uint8Array): boolean {
    const take = this.#bound.get(`${key}:${port}`)
    take?.(from, data)
    return take !== undefined
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    for (const { server } of this.#apps.values()) server.close()
    this.#front.close()
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    resetSafely(socket)
      .on('error', () => {})
      .once('close', () => this.#sockets.delete(socket))
  }
}
