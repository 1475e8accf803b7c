import type { Socket } from 'node:net'
import type { Document } from 'bson'
import type { Conversation } from '../auth/scram.js'
import { MongoError } from '../errors.js'
import type { Instance } from '../server/instance.js'
import { BrokenStream, Frames } from '../wire/frames.js'
import { MAX_BYTES_BEFORE_LOGIN, MAX_MESSAGE_BYTES, MESSAGE_DEADLINE_MS } from '../wire/limits.js'
import { BadMessage, type Message, readMessage } from '../wire/message.js'
import { type Reply, requestIdOf, writeReply } from '../wire/reply.js'

/** What waits here while a command runs; then the client has to wait too. */
const MAX_WAITING_BYTES = 1024 * 1024
const KEEP_ALIVE_MS = 120_000

export type Handler = (message: Message, connection: Connection) => Promise<Reply>

let lastId = 0

/** One client's connection: its messages one after the other, each answered before the next is read. */
export class Connection {
  readonly id = ++lastId
  readonly #socket: Socket
  readonly #instance: Instance
  readonly #handler: Handler
  readonly #frames = new Frames()
  readonly #ended = new AbortController()
  #busy = false
  #closing = false
  /** Since when there is a message that has not ended. */
  #begunAt: number | undefined
  /** Who has logged in: `database.name`. */
  #user: string | undefined
  /** A login under way. */
  conversation:
    | {
        readonly id: number
        readonly steps: Conversation
        readonly db: string
        readonly short: boolean
        proved: boolean
      }
    | undefined

  constructor(socket: Socket, instance: Instance, handler: Handler) {
    this.#socket = socket
    this.#instance = instance
    this.#handler = handler
    this.#frames.limit = instance.auth ? MAX_BYTES_BEFORE_LOGIN : MAX_MESSAGE_BYTES
    socket.setNoDelay(true)
    // A client whose machine is gone says nothing of it.
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    socket.on('data', (chunk: Buffer) => this.#received(chunk))
    // What went wrong with a client's connection is the client's to see; 'close' follows.
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#ended.abort())
  }

  get user(): string | undefined {
    return this.#user
  }

  /** Aborted when it ends or is about to: whatever only waits on its behalf is over then. */
  get ended(): AbortSignal {
    return this.#ended.signal
  }

  get busy(): boolean {
    return this.#busy
  }

  /** There is a message that has not ended. */
  get waiting(): boolean {
    return this.#begunAt !== undefined
  }

  /** The address of this server that the client dialled. */
  get dialled(): string {
    const { localAddress = '127.0.0.1', localPort = 27017 } = this.#socket
    const plain = localAddress.replace(/^::ffff:/, '')
    return plain.includes(':') ? `[${plain}]:${localPort}` : `${plain}:${localPort}`
  }

  loggedIn(user: string): void {
    this.#user = user
    this.#frames.limit = MAX_MESSAGE_BYTES
  }

  loggedOut(): void {
    this.#user = undefined
    if (this.#instance.auth) this.#frames.limit = MAX_BYTES_BEFORE_LOGIN
  }

  /** Ends it, after the command that runs has been answered. */
  close(): void {
    this.#closing = true
    this.#ended.abort()
    if (!this.#busy) this.#socket.destroy()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** Called now and then. */
  sweep(now: number): void {
    if (this.#begunAt !== undefined && now - this.#begunAt > MESSAGE_DEADLINE_MS) {
      this.#warn('a message was not ended in time')
      this.#socket.destroy()
    }
  }

  #received(chunk: Buffer): void {
    this.#frames.push(chunk)
    if (!this.#busy) void this.#work()
    else if (this.#frames.held > MAX_WAITING_BYTES) this.#socket.pause()
  }

  async #work(): Promise<void> {
    this.#busy = true
    try {
      for (;;) {
        const frame = this.#frames.next()
        if (frame === undefined || this.#socket.destroyed) break
        this.#begunAt = undefined
        await this.#answer(frame)
        if (this.#closing) this.#socket.destroy()
      }
    } catch (error) {
      if (!(error instanceof BrokenStream))
        this.#instance.log({ level: 'error', message: 'a connection failed', fields: { error: String(error) } })
      else this.#warn(error.message)
      this.#socket.destroy()
    } finally {
      this.#busy = false
      this.#begunAt = this.#frames.held > 0 ? Date.now() : undefined
      if (this.#socket.isPaused()) this.#socket.resume()
    }
  }

  async #answer(frame: Buffer): Promise<void> {
    let message: Message
    try {
      message = readMessage(frame)
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error
      this.#warn(error.message)
      // What comes behind it may be anything: answered, and over.
      this.#closing = true
      return this.#send(writeReply(errorReply(error.answer), error.requestId, error.opcode))
    }
    for (let asked: Message | undefined = message; asked !== undefined; ) {
      const reply: Reply = await this.#handler(asked, this)
      if (asked.silent) return
      const next: Document | undefined = this.#closing ? undefined : following(asked, reply)
      const bytes = replyOrWhyNot(reply, asked, next !== undefined)
      await this.#send(bytes)
      if (next === undefined || this.#closing || this.#socket.destroyed) return
      asked = { ...asked, body: next, requestId: requestIdOf(bytes) }
    }
  }

  /** A client that does not read has no further command run. */
  async #send(bytes: Buffer): Promise<void> {
    if (this.#socket.destroyed || this.#socket.write(bytes)) return
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#socket.off('drain', done).off('close', done)
        resolve()
      }
      this.#socket.on('drain', done).on('close', done)
    })
  }

  #warn(message: string): void {
    this.#instance.log({ level: 'warn', message: `a client's connection: ${message}`, fields: { connection: this.id } })
  }
}

/**
 * What a client would ask next that takes several answers: a hello that waits is asked again, with what it was told. Any
 * other command has one answer; a server may always leave it at that.
 */
function following({ body, exhaust }: Message, { ok, topologyVersion }: Reply): Document | undefined {
  if (!exhaust || ok !== 1 || topologyVersion === undefined || body.topologyVersion === undefined) return undefined
  return { ...body, topologyVersion }
}

/** An answer that grew too large is a failure of its command. */
function replyOrWhyNot(reply: Reply, { requestId, opcode }: Message, moreToCome: boolean): Buffer {
  try {
    return writeReply(reply, requestId, opcode, moreToCome)
  } catch (error) {
    if (!(error instanceof MongoError)) throw error
    return writeReply(errorReply(error), requestId, opcode)
  }
}

/** A failure as it goes over the wire. */
export function errorReply(error: MongoError): Document {
  return {
    ok: 0,
    errmsg: error.message,
    code: error.code,
    codeName: error.codeName,
    ...error.extra,
    ...(error.labels.length > 0 ? { errorLabels: [...error.labels] } : {}),
  }
}
