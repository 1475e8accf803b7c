import { rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import type { Address, Dialer } from '../seams.js'
import type { MeshLog } from '../types.js'
import { connectionReset, Dials } from './dials.js'
import { type Grant, track, type UdpBinding } from './grants.js'
import { freePort, type Listener } from './listeners.js'
import { scopeOf, spell } from './names.js'
import { MAX_HOST } from './up.js'
import type { Down, Up } from './wire.js'

/** Datagrams of one process on their way at once, and bytes waiting for it; more are lost, as in a full socket buffer. */
const MAX_DATAGRAMS = 1_024
const MAX_QUEUED_BYTES = 8 * 1024 * 1024
/** Listeners and UDP ports of one process. */
const MAX_PORTS = 1_024

export interface ProcessContext {
  readonly dialer: Dialer
  readonly log?: MeshLog
  /** Where private sockets are. */
  readonly sockets: string
}

type Of<K extends Up['op']> = Extract<Up, { op: K }>

/** One captured process (or worker thread) whose secret was right: what it asked for, and what it holds while its connection lasts. */
export class CapturedProcess {
  readonly #grant: Grant
  readonly #socket: Socket
  readonly #context: ProcessContext
  readonly #dials: Dials
  readonly #listeners = new Map<number, Listener>()
  readonly #udp = new Map<number, UdpBinding>()
  readonly #accepted = new Map<number, Socket>()
  #datagrams = 0

  constructor(grant: Grant, socket: Socket, context: ProcessContext) {
    this.#grant = grant
    this.#socket = socket
    this.#context = context
    this.#dials = new Dials(grant, context.dialer, context.log, context.sockets, (message) => this.#send(message))
    track(grant, socket)
    socket.once('close', () => this.#close())
  }

  receive(up: Up): void {
    switch (up.op) {
      case 'dial':
        void this.#dials.dial(up.id, up.host, up.port)
        break
      case 'open':
        this.#dials.open(up.id)
        break
      case 'gone':
        this.#dials.gone(up.id)
        break
      case 'reset':
        this.#dials.reset(up.id)
        break
      case 'reset-accepted':
        this.#accepted.get(up.conn)?.destroy(connectionReset())
        break
      case 'listen':
        this.#listen(up)
        break
      case 'unlisten':
        this.#unlisten(up.id)
        break
      case 'resolve':
        void this.#resolve(up)
        break
      case 'bind':
        this.#bind(up)
        break
      case 'unbind':
        this.#unbind(up.id)
        break
      case 'send':
        void this.#datagram(up)
        break
      case 'hello':
        this.#socket.destroy()
    }
  }

  #listen({ id, host, port, socket, token, group }: Of<'listen'>) {
    const { pod } = this.#grant
    const fail = (error: string, message: string) => this.#send({ id, error, message })
    const scope = scopeOf(host, pod)
    if (scope === undefined) return fail('EADDRNOTAVAIL', `${JSON.stringify(host)} is not an address of pod ${pod.key}`)
    // The first one would be nobody's any more, and hold its port for good.
    if (this.#listeners.has(id)) return fail('EINVAL', `listener ${id} is there already`)
    if (this.#listeners.size >= MAX_PORTS) return fail('EMFILE', `a process may listen on ${MAX_PORTS} ports`)
    const listener: Listener = {
      port: port === 0 ? pod.listeners.freePort() : port,
      scope: port === 0 ? 'loopback' : scope,
      path: join(this.#context.sockets, socket),
      token: Buffer.from(token, 'hex'),
      ...(group === undefined ? {} : { group }),
      resetAccepted: (conn) => this.#send({ op: 'reset-accepted', conn }),
      opened: (conn, opened) => {
        this.#accepted.set(conn, opened)
        opened.once('close', () => this.#accepted.delete(conn))
        track(this.#grant, opened)
      },
    }
    if (!pod.listeners.claim(listener)) return fail('EADDRINUSE', `pod ${pod.key} already listens on port ${port}`)
    this.#listeners.set(id, listener)
    this.#send({ id, port: listener.port })
  }

  #unlisten(id: number) {
    const listener = this.#listeners.get(id)
    if (listener === undefined) return
    this.#listeners.delete(id)
    this.#grant.pod.listeners.release(listener)
  }

  async #resolve({ id, name }: Of<'resolve'>): Promise<void> {
    const { pod, run } = this.#grant
    const fail = (error: string, message: string) => this.#send({ id, error, message })
    const spelled = name.length > MAX_HOST || name === '' ? undefined : spell(name, pod)
    if (spelled === undefined) return fail('ENOTFOUND', `${JSON.stringify(name.slice(0, MAX_HOST))} is no name`)
    if (spelled === 'localhost') return this.#send({ id, addresses: ['127.0.0.1'] })
    try {
      const answer = await this.#context.dialer.resolve(pod.key, spelled, run)
      if ('code' in answer) this.#send({ id, error: answer.code })
      else this.#send({ id, addresses: answer.addresses })
    } catch (error) {
      this.#context.log?.error({ pod: pod.key, name, err: error }, 'the data plane failed to answer a name')
      fail('EAI_AGAIN', `the local data plane failed: ${(error as Error)?.message}`)
    }
  }

  #bind({ id, host, port }: Of<'bind'>) {
    const { pod } = this.#grant
    const fail = (error: string, message: string) => this.#send({ id, error, message })
    const scope = scopeOf(host, pod)
    if (scope === undefined) return fail('EADDRNOTAVAIL', `${JSON.stringify(host)} is not an address of pod ${pod.key}`)
    if (this.#udp.has(id)) return fail('EINVAL', `UDP socket ${id} is bound already`)
    if (this.#udp.size >= MAX_PORTS) return fail('EMFILE', `a process may bind ${MAX_PORTS} UDP ports`)
    const given = port === 0 ? freePort((candidate) => pod.udp.has(candidate)) : port
    if (pod.udp.has(given)) return fail('EADDRINUSE', `UDP port ${given} of pod ${pod.key} is already bound`)
    const binding: UdpBinding = { process: this, id, port: given, scope }
    pod.udp.set(given, binding)
    this.#udp.set(id, binding)
    const shown = scope === 'loopback' ? '127.0.0.1' : host === pod.ip ? pod.ip : '0.0.0.0'
    this.#send({ id, ip: shown, port: given })
  }

  #unbind(id: number): void {
    const binding = this.#udp.get(id)
    if (binding === undefined) return
    this.#udp.delete(id)
    const { pod } = this.#grant
    pod.udp.delete(binding.port)
    this.#context.dialer.unbound(pod.key, binding.port)
  }

  async #datagram({ id, host, port, data }: Of<'send'>): Promise<void> {
    const { pod, run } = this.#grant
    const from = this.#udp.get(id)?.port
    const spelled = spell(host.slice(0, MAX_HOST), pod)
    if (from === undefined || spelled === undefined || port === 0 || this.#datagrams >= MAX_DATAGRAMS) return
    this.#datagrams++
    try {
      await this.#context.dialer.datagram(pod.key, run, { host: spelled, port }, from, Buffer.from(data, 'base64'))
    } catch (error) {
      this.#context.log?.error({ pod: pod.key, host, port, err: error }, 'the data plane failed to take a datagram')
    } finally {
      this.#datagrams--
    }
  }

  /** A datagram for one of its ports. */
  deliver(id: number, from: Address, data: Uint8Array): void {
    if (this.#socket.writableLength > MAX_QUEUED_BYTES) return
    this.#send({ op: 'datagram', id, from: [from.ip, from.port], data: Buffer.from(data).toString('base64') })
  }

  #send(message: Down): void {
    if (!this.#socket.writable) return
    this.#socket.write(`${JSON.stringify(message)}\n`)
    // It asks and asks and never reads: what it is not reading would be kept for it without end.
    if (this.#socket.writableLength > 2 * MAX_QUEUED_BYTES) this.#socket.destroy()
  }

  #close(): void {
    this.#dials.close()
    for (const [id, { path }] of [...this.#listeners]) {
      this.#unlisten(id)
      // A killed process leaves its socket's file behind. What else may be there is its own affair.
      try {
        rmSync(path, { force: true })
      } catch (error) {
        this.#context.log?.warn({ pod: this.#grant.pod.key, path, err: error }, 'a private socket could not be removed')
      }
    }
    for (const id of [...this.#udp.keys()]) this.#unbind(id)
  }
}
