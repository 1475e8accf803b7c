import fs from 'node:fs'
import net, { type Socket } from 'node:net'
import path from 'node:path'
import type { Answer, CaptureConfig } from '../wire.js'
import { sortArguments } from './arguments.cjs'
import type { Channel } from './channel.cjs'
import { type Ends, onceClosed } from './ends.cjs'
import { addressError, nameError, portOf } from './errors.cjs'
import { CAPTURED } from './tls.cjs'

/** What of a socket is Node's own business and not in its types. */
interface Inner {
  _handle: unknown
  _host: string | null
  connecting: boolean
  ssl?: unknown
  _unrefTimer?(): void
  _undestroy?(): void
}

/**
 * `net.Socket.prototype.connect`, which fetch, http, pg and the rest all end in: each connect is asked anew. On success
 * the very same socket is connected to the slot that the agent named, so that to the app nothing is different.
 */
export function installConnect(config: CaptureConfig, channel: Channel, ends: Ends, connect: Socket['connect']): void {
  const proto = net.Socket.prototype
  const replaceHandle = findHandleReplacer()
  const pending = new WeakMap<object, { held: boolean }>()

  proto.connect = function (this: Socket, ...args: unknown[]): Socket {
    const { options, callback } = sortArguments(args)
    const captured = options[CAPTURED] === true
    if (options.path && !captured) return connectUnix.call(this, String(options.path), args)
    if (options.port === undefined) return Reflect.apply(connect, this, args)
    const port = portOf(options.port, 'options.port')
    const host = typeof options.host === 'string' && options.host !== '' ? options.host : 'localhost'
    if (callback !== undefined) this.once('connect', callback)
    begin(this, captured)
    if (net.isIP(host) === 0) (this as unknown as Inner)._host = host
    ask(this, host, port)
    return this
  } as Socket['connect']

  /** The socket is now as Node leaves one whose name is being looked up: `connecting`, with a handle that is not connected. */
  function begin(socket: Socket, captured: boolean): void {
    const inner = socket as unknown as Inner
    // A TLS socket that tls.connect made already stands on a unix-socket handle.
    if (!captured || inner._handle == null) {
      const pipe = replaceHandle === undefined ? undefined : channel.newPipe(socket)
      if (replaceHandle !== undefined && pipe !== undefined) {
        replaceHandle.call(socket, pipe)
      } else if (inner.ssl === undefined) {
        inner._handle = null
        if (socket.destroyed) inner._undestroy?.()
      } else if (replaceHandle === undefined) {
        throw new Error('this version of Node cannot capture a TLSSocket of its own making; use tls.connect')
      }
    }
    inner._unrefTimer?.()
    inner.connecting = true
  }

  function ask(socket: Socket, host: string, port: number): void {
    // The channel holds the process while it waits; a socket that was unref'd has given that up already.
    const settleHold = () => {
      if (pending.get(socket)?.held === false) channel.hold()
      pending.delete(socket)
    }
    const id = channel.ask({ op: 'dial', host, port }, (answer) => {
      settleHold()
      stop()
      settle(socket, host, port, answer)
    })
    const stop = onceClosed(socket, () => {
      settleHold()
      ends.asking.delete(socket)
      channel.forget(id)
      channel.tell({ op: 'gone', id })
    })
    pending.set(socket, { held: true })
    ends.asking.add(socket)
  }

  function settle(socket: Socket, host: string, port: number, answer: Answer): void {
    const { id, error, slot, remote, local } = answer
    const named = net.isIP(host) === 0
    if (socket.destroyed) {
      if (slot !== undefined) channel.tell({ op: 'gone', id })
      return
    }
    if (error !== undefined || slot === undefined || remote === undefined || local === undefined) {
      const code = error ?? 'ECONNREFUSED'
      const isName = code === 'ENOTFOUND' || code === 'EAI_AGAIN'
      const failure = isName
        ? nameError('getaddrinfo', code, host, answer.message)
        : addressError('connect', code, remote?.[0] ?? host, port, answer.message)
      ends.asking.delete(socket)
      if (isName) socket.emit('lookup', failure, undefined, undefined, host)
      socket.destroy(failure)
      return
    }
    if (named) socket.emit('lookup', null, remote[0], 4, host)
    // A listener of `lookup` may have ended it.
    if (socket.destroyed) {
      channel.tell({ op: 'gone', id })
      return
    }
    ends.add(socket, { remote, local, id: { dial: id } })
    Reflect.apply(connect, socket, [{ path: slot }])
    // A unix connect() is done when the call returns, so this cannot overtake it.
    channel.tell({ op: 'open', id })
  }

  /** Another pod's sockets are not there; any other path is the host's, and left alone. */
  function connectUnix(this: Socket, wanted: string, args: readonly unknown[]): Socket {
    if (!wanted.startsWith('\0') && isInside(config.runDir, wanted)) {
      const { callback } = sortArguments(args)
      if (callback !== undefined) this.once('connect', callback)
      process.nextTick(() => this.destroy(addressError('connect', 'ENOENT', wanted, undefined)))
      return this
    }
    return Reflect.apply(connect, this, args)
  }

  // A socket that is unref'd while it waits must not keep the process alive either.
  for (const [method, held] of [
    ['ref', true],
    ['unref', false],
  ] as const) {
    const original = proto[method]
    proto[method] = function (this: Socket) {
      const waiting = pending.get(this)
      if (waiting !== undefined && waiting.held !== held) {
        waiting.held = held
        if (held) channel.hold()
        else channel.release()
      }
      return original.call(this)
    }
  }
}

/** Node's own way to give a socket another handle, as it does between two address attempts. Absent: plain sockets wait without one. */
function findHandleReplacer(): ((this: Socket, handle: object) => void) | undefined {
  const proto = net.Socket.prototype
  const symbol = Object.getOwnPropertySymbols(proto).find((s) => s.description === 'kReinitializeHandle')
  if (symbol === undefined) return undefined
  return function (handle) {
    ;(this as unknown as Record<symbol, (handle: object) => void>)[symbol]?.(handle)
  }
}

function isInside(folder: string, wanted: string): boolean {
  let real = path.resolve(wanted)
  try {
    real = fs.realpathSync(real)
  } catch {
    // Nothing there, or not for us to see: the spelled path is what can be judged.
  }
  return real === folder || real.startsWith(folder + path.sep)
}
