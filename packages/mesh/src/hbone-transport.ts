import { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'

/**
 * The connection under one end of a session. An HTTP/2 session of Node's does not read while a write of its own is under
 * way, so two of them that both have much to say wait for each other for ever, and every stream of theirs with them. Here
 * a write is over at once, so this end always reads, and its peer's writes end. What waits meanwhile is no more than the
 * peer's window lets out.
 */
export class SessionTransport extends Duplex {
  readonly #socket: TLSSocket

  constructor(socket: TLSSocket) {
    super({ allowHalfOpen: false })
    this.#socket = socket
    socket
      .on('data', (chunk: Buffer) => {
        if (!this.push(chunk)) socket.pause()
      })
      .once('end', () => this.push(null))
      .on('error', (error) => this.destroy(error))
      .once('close', () => this.destroy())
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#socket.write(chunk)
    done()
  }

  override _writev(chunks: readonly { chunk: Buffer }[], done: () => void): void {
    const socket = this.#socket
    socket.cork()
    for (const { chunk } of chunks) socket.write(chunk)
    socket.uncork()
    done()
  }

  override _final(done: () => void): void {
    this.#socket.end(done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy()
    done(error)
  }
}
