import type Cluster from 'node:cluster'
import type Crypto from 'node:crypto'
import net, { type Server, type Socket } from 'node:net'
import path from 'node:path'
import type { CaptureConfig, Endpoint } from '../wire.js'
import { admit } from './admit.cjs'
import { sortArguments } from './arguments.cjs'
import type { Channel } from './channel.cjs'
import type { Ends } from './ends.cjs'
import { addressError, GONE, portOf } from './errors.cjs'
import { TOKEN_BYTES } from './preamble.cjs'

interface Inner {
  _handle: { close(): void } | null
  _server?: unknown
}

interface Listening {
  id: number
  port: number
  /** As the app gave it. */
  readonly host: string
  readonly token: Buffer
  /** The agent knows of it, so `listening` may be told. */
  acknowledged: boolean
}

/** What listen(0) answers from, as Linux does. */
const FIRST_EPHEMERAL = 32_768
const LAST_EPHEMERAL = 60_999

/**
 * `net.Server.prototype.listen` on a port: a private unix socket listens in its place, at once, as Node's own does; the
 * agent is told the port, and only when it has agreed is `listening` emitted.
 */
export function installListen(config: CaptureConfig, channel: Channel, ends: Ends): void {
  const proto = net.Server.prototype
  const { listen, close, address } = proto
  const listening = new WeakMap<Server, Listening>()
  const guarded = new WeakSet<Server>()

  proto.listen = function (this: Server, ...args: unknown[]): Server {
    const { options, callback } = sortArguments(args)
    const wanted = portAsked(args, options)
    if (wanted === undefined || (this as unknown as Inner)._handle) return Reflect.apply(listen, this, args)
    const port = portOf(wanted, 'options.port')
    if (callback !== undefined) this.once('listening', callback)
    const host = typeof options.host === 'string' ? options.host : ''
    const { randomBytes } = require('node:crypto') as typeof Crypto
    const state: Listening = {
      id: 0,
      port: port === 0 ? randomPort() : port,
      host,
      token: randomBytes(TOKEN_BYTES),
      acknowledged: false,
    }
    listening.set(this, state)
    guard(this)
    const socket = `l${randomBytes(9).toString('base64url')}`
    const backlog = options.backlog ?? args.find((value, i) => i > 0 && typeof value === 'number')
    // `exclusive`: a cluster's primary must not make this socket in its worker's place.
    const real = { path: path.join(config.sockets, socket), backlog, exclusive: true, signal: options.signal }
    listen.call(this, real as Parameters<Server['listen']>[0])
    // Without a handle, its error is on the way.
    if ((this as unknown as Inner)._handle) claim(this, state, socket, port)
    return this
  } as Server['listen']

  function claim(server: Server, state: Listening, socket: string, port: number): void {
    const { isWorker } = require('node:cluster') as typeof Cluster
    const group = isWorker ? { group: String(process.ppid) } : {}
    const question = {
      op: 'listen',
      host: state.host,
      port: state.port,
      socket,
      token: state.token.toString('hex'),
    } as const
    const loopback = port === 0 ? { host: 'localhost' } : {}
    state.id = channel.ask({ ...question, ...loopback, ...group }, (answer) => {
      if (listening.get(server) !== state) return
      // Someone in the pod has the very port that listen(0) picked: another one, as the kernel would have.
      if (answer.error === 'EADDRINUSE' && port === 0) {
        state.port = randomPort()
        claim(server, state, socket, port)
        return
      }
      if (answer.error === undefined) {
        state.acknowledged = true
        server.emit('listening')
        return
      }
      listening.delete(server)
      const inner = server as unknown as Inner
      inner._handle?.close()
      inner._handle = null
      const shown = state.host === '' ? '0.0.0.0' : state.host
      server.emit('error', addressError('listen', answer.error, shown, state.port, answer.message))
    })
  }

  /** Holds `listening` until the port is ours, and each connection until it has shown the token. */
  function guard(server: Server): void {
    if (guarded.has(server)) return
    guarded.add(server)
    const emit = server.emit
    const pass = (...args: unknown[]): boolean => Reflect.apply(emit, server, args)
    const value = (...args: unknown[]): boolean => {
      const state = listening.get(server)
      if (state === undefined) return pass(...args)
      if (args[0] === 'listening' && !state.acknowledged) return false
      if (args[0] === 'error' && state.id === 0) return pass('error', failed(server, state, args[1]))
      const socket = args[1]
      if (args[0] !== 'connection' || !isAccepted(server, socket)) return pass(...args)
      admit(socket, state.token, ({ conn, ip, port }) => {
        // Closed meanwhile: nobody waits for it any more, as for what is in a backlog that goes.
        if (listening.get(server) !== state) return void socket.destroy()
        const remote: Endpoint = [ip, port]
        const local: Endpoint = [ip.startsWith('127.') ? '127.0.0.1' : config.pod.ip, state.port]
        ends.add(socket, { remote, local, id: { conn } })
        pass('connection', socket)
      })
      return true
    }
    Object.defineProperty(server, 'emit', { value, writable: true, configurable: true, enumerable: false })
  }

  /** The private socket could not be made: told as the port's error, since that is what the app asked for. */
  function failed(server: Server, { host, port }: Listening, cause: unknown): Error {
    listening.delete(server)
    const { code = 'EADDRNOTAVAIL', message } = cause as NodeJS.ErrnoException
    // The folder goes with the agent.
    const gone = code === 'ENOENT' || code === 'EACCES'
    return addressError('listen', gone ? 'ECONNREFUSED' : code, host || '0.0.0.0', port, gone ? GONE : message)
  }

  proto.close = function (this: Server, ...args: unknown[]): Server {
    const state = listening.get(this)
    if (state !== undefined) {
      listening.delete(this)
      channel.forget(state.id)
      channel.tell({ op: 'unlisten', id: state.id })
    }
    return Reflect.apply(close, this, args)
  } as Server['close']

  proto.address = function (this: Server) {
    const state = listening.get(this)
    const open = Boolean((this as unknown as Inner)._handle)
    // Node would still tell the path of the private socket.
    if (!open && guarded.has(this)) return null
    if (!open || state === undefined) return address.call(this)
    const shown = shownAddress(state.host, config)
    return { address: shown, family: shown.includes(':') ? 'IPv6' : 'IPv4', port: state.port }
  }
}

/** The port that Node would listen on; undefined when it is not a port that is asked for (a path, a handle, a mistake). */
function portAsked(args: readonly unknown[], options: Readonly<Record<string, unknown>>): unknown {
  const handle = options._handle ?? options.handle ?? options
  if (handle !== options || typeof options.fd === 'number') return undefined
  if (args.length === 0 || typeof args[0] === 'function' || args[0] == null) return 0
  if ('port' in options && options.port == null) return 0
  return typeof options.port === 'number' || typeof options.port === 'string' ? options.port : undefined
}

function isAccepted(server: Server, value: unknown): value is Socket {
  return value instanceof net.Socket && (value as unknown as Inner)._server === server
}

function shownAddress(host: string, config: CaptureConfig): string {
  if (net.isIP(host) !== 0) return host
  if (host === '') return '0.0.0.0'
  return host.toLowerCase() === 'localhost' ? '127.0.0.1' : config.pod.ip
}

function randomPort(): number {
  const { randomInt } = require('node:crypto') as typeof Crypto
  return randomInt(FIRST_EPHEMERAL, LAST_EPHEMERAL + 1)
}
