import dgram, { type Socket } from 'node:dgram'
import net from 'node:net'
import type { CaptureConfig, Endpoint, Note } from '../wire.js'
import type { Channel } from './channel.cjs'
import { addressError, portOf } from './errors.cjs'

interface State {
  handle: object | null
}

type Lookup = (address: string, callback: (error: Error | null, ip?: string) => void) => void

/**
 * UDP. Node's dgram keeps its own bookkeeping and argument checks; only the handle under it, where the kernel would be,
 * is ours. It never has a port on the machine: what is sent goes to the agent, what arrives comes from it.
 */
export class Datagrams {
  readonly #config: CaptureConfig
  readonly #channel: Channel
  readonly #bound = new Map<number, Socket>()
  readonly #handles = new WeakMap<Socket, Handle>()

  constructor(config: CaptureConfig, channel: Channel) {
    this.#config = config
    this.#channel = channel
  }

  install(): void {
    const proto = dgram.Socket.prototype
    const { bind, connect, send } = proto
    const datagrams = this
    proto.bind = function (this: Socket, ...args: unknown[]) {
      return datagrams.#bind(this, bind, args)
    } as Socket['bind']
    proto.connect = function (this: Socket, ...args: unknown[]) {
      datagrams.#handle(this)
      return Reflect.apply(connect, this, args)
    } as Socket['connect']
    proto.send = function (this: Socket, ...args: unknown[]) {
      datagrams.#handle(this)
      return Reflect.apply(send, this, args)
    } as Socket['send']
  }

  deliver(note: Extract<Note, { op: 'datagram' }>): void {
    const socket = this.#bound.get(note.id)
    if (socket === undefined) return
    const message = Buffer.from(note.data, 'base64')
    const [address, port] = note.from
    const peer = this.#handles.get(socket)?.peer
    // A connected socket hears its peer only.
    if (peer !== undefined && (peer[0] !== address || peer[1] !== port)) return
    socket.emit('message', message, { address, port, family: 'IPv4', size: message.length })
  }

  /** The port must be the agent's to give before Node says `listening`, and Node binds as soon as the address is looked up. */
  #bind(socket: Socket, bind: (...args: never[]) => unknown, args: readonly unknown[]): Socket {
    const handle = this.#handle(socket)
    const first = args[0]
    const last = args.at(-1)
    const callback = typeof last === 'function' ? [last] : []
    const options =
      typeof first === 'object' && first !== null
        ? (first as { port?: unknown; address?: unknown })
        : { port: first, address: args[1] }
    const wanted = typeof options.port === 'function' || options.port == null ? 0 : portOf(options.port, 'options.port')
    const host = typeof options.address === 'string' ? options.address : ''
    if (handle === undefined) return Reflect.apply(bind, socket, args) as Socket
    handle.wanted = { host, port: wanted }
    try {
      return Reflect.apply(bind, socket, [{ port: wanted, address: host, exclusive: true }, ...callback]) as Socket
    } finally {
      // Used by now, unless bind threw.
      handle.wanted = undefined
    }
  }

  #handle(socket: Socket): Handle | undefined {
    const known = this.#handles.get(socket)
    if (known !== undefined) return known
    const symbol = Object.getOwnPropertySymbols(socket).find((s) => s.description === 'state symbol')
    const state = symbol === undefined ? undefined : (socket as unknown as Record<symbol, State>)[symbol]
    if (state === undefined)
      throw new Error('this version of Node keeps UDP where capture cannot take it over; UDP is closed')
    if (state.handle === null) return undefined
    const handle = new Handle(socket, state.handle, this.#config, this.#channel, this.#bound)
    this.#handles.set(socket, handle)
    state.handle = handle
    return handle
  }
}

/** Stands where Node's UDP handle stands; its methods are the ones that dgram calls. Errors are libuv's negative numbers. */
class Handle {
  wanted: { host: string; port: number } | undefined
  peer: Endpoint | undefined
  readonly #channel: Channel
  readonly #bound: Map<number, Socket>
  readonly #socket: Socket
  readonly #resolve: Lookup
  #id: number | undefined
  #local: Endpoint | undefined
  #referenced: boolean
  #holding = false
  #closed = false

  constructor(socket: Socket, real: object, config: CaptureConfig, channel: Channel, bound: Map<number, Socket>) {
    const { lookup, hasRef, close } = real as { lookup: Lookup; hasRef(): boolean; close(): void }
    this.#socket = socket
    this.#channel = channel
    this.#bound = bound
    this.#referenced = hasRef.call(real)
    this.#resolve = (address, callback) => {
      if (net.isIP(address) !== 0) process.nextTick(callback, null, address)
      else if (address === config.pod.name) process.nextTick(callback, null, config.pod.ip)
      else lookup.call(real, address, callback)
    }
    close.call(real)
  }

  /** dgram's first step of bind, connect and send alike; for bind, the port is claimed here. */
  lookup(address: string, callback: (error: Error | null, ip?: string) => void): void {
    const wanted = this.wanted
    if (wanted === undefined) {
      this.#resolve(address || '127.0.0.1', callback)
      return
    }
    this.wanted = undefined
    const id = this.#channel.ask({ op: 'bind', ...wanted }, (answer) => {
      const { error, ip = '0.0.0.0', port = 0, message } = answer
      if (this.#closed) return
      if (error !== undefined) {
        callback(addressError('bind', error, wanted.host || '0.0.0.0', wanted.port, message))
        return
      }
      this.#local = [ip, port]
      this.#bound.set(id, this.#socket)
      callback(null, ip)
    })
    this.#id = id
  }

  bind(): number {
    this.#hold()
    return 0
  }

  connect(ip: string, port: number): number {
    this.peer = [ip, port]
    return 0
  }

  disconnect(): number {
    this.peer = undefined
    return 0
  }

  /** Like the kernel: what is lost on the way is nobody's error. Answers the size plus one, dgram's sign of "done at once". */
  send(_request: object, list: readonly Uint8Array[], _length: number, ...to: unknown[]): number {
    const data = Buffer.concat(list)
    const target = typeof to[0] === 'number' ? ([String(to[1]), to[0]] as const) : this.peer
    if (data.length > 65_507) return -90
    if (this.#id !== undefined && target !== undefined) {
      const [host, port] = target
      this.#channel.tell({ op: 'send', id: this.#id, host, port, data: data.toString('base64') })
    }
    return data.length + 1
  }

  getsockname(out: { address?: string; port?: number; family?: string }): number {
    if (this.#local === undefined) return -9
    const [address, port] = this.#local
    Object.assign(out, { address, port, family: 'IPv4' })
    return 0
  }

  getpeername(out: { address?: string; port?: number; family?: string }): number {
    if (this.peer === undefined) return -107
    const [address, port] = this.peer
    Object.assign(out, { address, port, family: 'IPv4' })
    return 0
  }

  close(): void {
    this.#closed = true
    if (this.#holding) this.#channel.release()
    this.#holding = false
    if (this.#id === undefined) return
    this.#channel.forget(this.#id)
    this.#channel.tell({ op: 'unbind', id: this.#id })
    this.#bound.delete(this.#id)
  }

  ref(): void {
    this.#referenced = true
    if (this.#local !== undefined) this.#hold()
  }

  unref(): void {
    this.#referenced = false
    if (this.#holding) this.#channel.release()
    this.#holding = false
  }

  hasRef(): boolean {
    return this.#referenced
  }

  #hold(): void {
    if (!this.#referenced || this.#holding || this.#closed) return
    this.#holding = true
    this.#channel.hold()
  }

  // What a pod's network gives no meaning to is accepted and does nothing.
  recvStart(): number {
    return 0
  }
  recvStop(): number {
    return 0
  }
  bufferSize(size: number): number {
    return size || 212_992
  }
  getAsyncId(): number {
    return -1
  }
  getSendQueueSize(): number {
    return 0
  }
  getSendQueueCount(): number {
    return 0
  }
  setBroadcast(): number {
    return 0
  }
  setTTL(): number {
    return 0
  }
  setMulticastTTL(): number {
    return 0
  }
  setMulticastLoopback(): number {
    return 0
  }
  setMulticastInterface(): number {
    return 0
  }
  addMembership(): number {
    return 0
  }
  dropMembership(): number {
    return 0
  }
  addSourceSpecificMembership(): number {
    return 0
  }
  dropSourceSpecificMembership(): number {
    return 0
  }
}
