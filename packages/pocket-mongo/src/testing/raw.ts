import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type Document, deserialize, serialize } from 'bson'
import { Frames } from '../wire/frames.js'
import { OP_MSG } from '../wire/message.js'

export interface RawReply {
  readonly requestId: number
  readonly responseTo: number
  readonly flags: number
  readonly body: Document
}

/** A client of bytes, for tests of what no driver would send. */
export class RawClient {
  readonly socket: Socket
  readonly #frames = new Frames()
  #closed = false
  #wake = () => {}

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#frames.push(chunk)
      this.#wake()
    })
    // A reset is one of the ways in which a server may end a connection.
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#closed = true
      this.#wake()
    })
  }

  static async to(port: number): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1' })
    const client = new RawClient(socket)
    await once(socket, 'connect')
    return client
  }

  get closed(): boolean {
    return this.#closed
  }

  send(bytes: Uint8Array): void {
    if (!this.#closed) this.socket.write(bytes)
  }

  /** The next answer; undefined: the server has ended the connection. @throws Error after the deadline */
  async answer(deadlineMs = 10_000): Promise<Document | undefined> {
    return (await this.reply(deadlineMs))?.body
  }

  /** The next answer, with what stands before it. */
  async reply(deadlineMs = 10_000): Promise<RawReply | undefined> {
    const until = Date.now() + deadlineMs
    for (;;) {
      const frame = this.#frames.next()
      if (frame !== undefined)
        return {
          requestId: frame.readInt32LE(4),
          responseTo: frame.readInt32LE(8),
          flags: frame.readUInt32LE(16),
          body: deserialize(frame.subarray(frame.readInt32LE(12) === OP_MSG ? 21 : 36), { promoteValues: false }),
        }
      if (this.#closed) return undefined
      const left = until - Date.now()
      if (left <= 0) throw new Error(`no answer within ${deadlineMs} ms`)
      await this.#woken(left)
    }
  }

  async ask(body: Document, db = 'test'): Promise<Document> {
    this.send(messageOf({ ...body, $db: db }))
    const answer = await this.answer()
    if (answer === undefined) throw new Error('the server has ended the connection')
    return answer
  }

  /** Ends it, and waits until the server has too. */
  async end(): Promise<void> {
    this.socket.end()
    const until = Date.now() + 10_000
    while (!this.#closed) {
      if (Date.now() > until) throw new Error('the server did not end the connection')
      await this.#woken(until - Date.now())
    }
  }

  #woken(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

/** An OP_MSG of one document. */
export function messageOf(body: Document, flags = 0): Buffer {
  return framed(Buffer.concat([Buffer.from([0]), serialize(body)]), flags)
}

/** An OP_MSG of sections that are there in bytes. */
export function framed(sections: Uint8Array, flags = 0): Buffer {
  const head = Buffer.alloc(20)
  head.writeInt32LE(20 + sections.length, 0)
  head.writeInt32LE(1, 4)
  head.writeInt32LE(OP_MSG, 12)
  head.writeUInt32LE(flags, 16)
  return Buffer.concat([head, sections])
}
