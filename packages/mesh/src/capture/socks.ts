import { createServer, type Server, type Socket } from 'node:net'
import type { DialAnswer, Dialer } from '../seams.js'
import type { MeshLog } from '../types.js'
import { type Grant, type Grants, track } from './grants.js'
import { spell } from './names.js'
import { takeHead } from './preload/head.cjs'
import { REPLY, type Read, type Reply, readCredentials, readGreeting, readRequest, writeReply } from './socks-wire.js'
import { MAX_HOST } from './up.js'

/** A client that has not asked for anything by then never will. */
const HANDSHAKE_DEADLINE_MS = 10_000
/** Connections at once; a connection that is carried counts too. */
const MAX_CLIENTS = 512
/** What a client may send before it has its answer: the longest handshake has 773 bytes, and some send a request along. */
const MAX_EARLY_BYTES = 64 * 1024

/** Who speaks first has done so by then; who waits for a greeting is reset then. */
const FIRST_BYTE_MS = 100

/** When whoever is dropped learns that nobody answers: Linux retries a SYN for some 127 s, and waits are a tenth as long here. */
const GIVE_UP_MS = 12_700

const REPLY_OF: Readonly<Record<string, Reply>> = {
  ECONNREFUSED: REPLY.refused,
  ENOTFOUND: REPLY.hostUnreachable,
  EAI_AGAIN: REPLY.hostUnreachable,
  EHOSTUNREACH: REPLY.hostUnreachable,
}

/** The door for programs that are not Node's. Its user and password are one grant's; what is asked goes the way of every connect. */
export class Socks {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  /** @param giveUpMs how long a connect that the network drops stays unanswered */
  constructor(grants: Grants, dialer: Dialer, log?: MeshLog, giveUpMs: number = GIVE_UP_MS) {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
      socket.on('error', () => {})
      socket.setNoDelay(true)
      new Client(socket, grants, dialer, log, giveUpMs)
    })
    this.#server.maxConnections = MAX_CLIENTS
    this.#server.on('error', (error) => log?.error({ err: error }, 'the SOCKS door cannot accept'))
  }

  /** On loopback, at any port; answers which. */
  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(0, '127.0.0.1', () => {
        this.#server.off('error', reject)
        const address = this.#server.address()
        resolve(typeof address === 'object' && address !== null ? address.port : 0)
      })
    })
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}

/** One client, from its greeting until its connection is carried. */
class Client {
  readonly #socket: Socket
  readonly #grants: Grants
  readonly #dialer: Dialer
  readonly #log: MeshLog | undefined
  readonly #giveBack: (rest: Buffer) => void
  readonly #giveUpMs: number
  #deadline: NodeJS.Timeout
  #bytes: Buffer = Buffer.alloc(0)
  #step: () => boolean = () => this.#greeting()
  #grant: Grant | undefined

  constructor(socket: Socket, grants: Grants, dialer: Dialer, log: MeshLog | undefined, giveUpMs: number) {
    this.#socket = socket
    this.#giveUpMs = giveUpMs
    this.#grants = grants
    this.#dialer = dialer
    this.#log = log
    this.#deadline = setTimeout(() => socket.destroy(), HANDSHAKE_DEADLINE_MS)
    this.#deadline.unref()
    socket.once('close', () => clearTimeout(this.#deadline))
    this.#giveBack = takeHead(socket, (chunk) => this.#take(chunk))
  }

  #take(chunk: Buffer | null): void {
    // Half a connection cannot be asked for: an end before the answer is a client that gave up.
    if (chunk === null || this.#bytes.length + chunk.length > MAX_EARLY_BYTES) return void this.#socket.destroy()
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
    while (!this.#socket.destroyed && this.#step());
  }

  /** The next message; undefined while it is incomplete, and for good once it is no SOCKS. */
  #next<T>(read: Read<T>): T | undefined {
    if (read.kind === 'bad') this.#socket.destroy()
    if (read.kind !== 'ok') return undefined
    this.#bytes = this.#bytes.subarray(read.length)
    return read.value
  }

  #greeting(): boolean {
    const greeting = this.#next(readGreeting(this.#bytes))
    if (greeting === undefined) return false
    if (!greeting.password) return this.#end(Buffer.from([5, 0xff]))
    this.#socket.write(Buffer.from([5, 2]))
    this.#step = () => this.#credentials()
    return true
  }

  #credentials(): boolean {
    const credentials = this.#next(readCredentials(this.#bytes))
    if (credentials === undefined) return false
    const grant = this.#grants.find(credentials.password)
    if (grant === undefined || grant.id !== credentials.user) return this.#end(Buffer.from([1, 1]))
    this.#grant = grant
    track(grant, this.#socket)
    this.#socket.write(Buffer.from([1, 0]))
    this.#step = () => this.#request(grant)
    return true
  }

  #request(grant: Grant): boolean {
    const request = this.#next(readRequest(this.#bytes))
    if (request === undefined) return false
    clearTimeout(this.#deadline)
    this.#step = () => false
    const { command, host, port } = request
    if (command !== 1) return this.#end(writeReply(REPLY.commandNotSupported))
    const spelled = host === undefined || host.length > MAX_HOST ? undefined : spell(host, grant.pod)
    if (spelled === undefined) return this.#end(writeReply(REPLY.addressNotSupported))
    if (port === 0) return this.#end(writeReply(REPLY.refused))
    void this.#dial(grant, spelled, port)
    return false
  }

  async #dial({ pod, run }: Grant, host: string, port: number): Promise<void> {
    const request = { pod: pod.key, host, port, ...(run === undefined ? {} : { run }) }
    let answer: DialAnswer
    try {
      answer = await this.#dialer.dial(request)
    } catch (error) {
      this.#log?.error({ ...request, err: error }, 'the data plane failed to answer a connect')
      return void this.#end(writeReply(REPLY.failure))
    }
    if (this.#socket.destroyed) {
      if (answer.kind === 'accept') answer.abandon()
    } else if (answer.kind === 'error') {
      this.#end(writeReply(REPLY_OF[answer.code] ?? REPLY.failure))
    } else if (answer.kind === 'accept') {
      // Success is told before anything is judged, as a mesh pod's connect succeeds: what follows is the app's to see.
      this.#socket.write(writeReply(REPLY.succeeded, answer.local))
      this.#giveBack(this.#bytes)
      this.#carry(answer)
    } else {
      // As a kernel does whose SYNs are dropped; many clients have no time limit of their own.
      this.#deadline = setTimeout(() => this.#end(writeReply(REPLY.ttlExpired)), this.#giveUpMs).unref()
    }
  }

  #carry(answer: Extract<DialAnswer, { kind: 'accept' }>): void {
    const socket = this.#socket
    const handshake = socket.bytesRead - this.#bytes.length
    const reset = () => resetOnceSpoken(socket, handshake)
    try {
      answer.carry({ stream: socket, reset })
    } catch (error) {
      this.#log?.error({ pod: this.#grant?.pod.key, err: error }, 'the data plane failed to carry a connection')
      reset()
    }
  }

  #end(last: Buffer): false {
    clearTimeout(this.#deadline)
    this.#step = () => false
    this.#socket.end(last, () => this.#socket.destroy())
    return false
  }
}

/**
 * On a cluster the connection is there before the refusal is, and a client has sent its request when the reset comes
 * (curl: 56). Here the reset could come first, and the client fail while it sends (55), so it waits for the first byte.
 */
function resetOnceSpoken(socket: Socket, handshake: number): void {
  if (socket.destroyed) return
  const now = () => resetNow(socket)
  if (socket.bytesRead > handshake) {
    now()
    return
  }
  const timer = setTimeout(now, FIRST_BYTE_MS)
  socket.once('close', () => clearTimeout(timer))
  socket.once('data', now).resume()
}

/**
 * While its end is on its way libuv cannot reset a socket, and Node would leave it open for good: there the end is all
 * that the client can be told.
 */
function resetNow(socket: Socket): void {
  if (socket.destroyed) return
  if (socket.writableEnded && !socket.writableFinished) socket.destroy()
  else socket.resetAndDestroy()
}
