import { Duplex } from 'node:stream'
import { ConnectionReset } from '../splice.js'

/** How long the far side may take to end what we have ended. */
const LINGER_MS = 5_000

interface Chunk {
  readonly chunk: Buffer | string
  readonly encoding: BufferEncoding
}

/** What an HTTP/2 stream has been told of its end; other streams have none. */
const resetOf = (stream: Duplex): boolean => 'rstCode' in stream && Boolean(stream.rstCode)

/**
 * A connection as an HTTP client wants its socket. A tunnel's stream, or an end of a pair, will not do itself: what a client
 * does to a connection that it needs no more (`destroy`) would be a reset to the app, where a socket's close is an orderly
 * end.
 */
export class ClientSocket extends Duplex {
  readonly #stream: Duplex
  bytesWritten = 0
  bytesRead = 0

  constructor(stream: Duplex) {
    super({ decodeStrings: false, allowHalfOpen: true })
    this.#stream = stream
    stream
      .on('data', (chunk: Buffer) => {
        this.bytesRead += chunk.length
        if (!this.push(chunk)) stream.pause()
      })
      // Node says `end` of a stream that its peer resets, too.
      .on('end', () => void (resetOf(stream) || this.push(null)))
      .on('error', (error) => this.destroy(error))
      .once('close', () => this.destroy(resetOf(stream) ? new ConnectionReset() : undefined))
  }

  override _read(): void {
    this.#stream.resume()
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.bytesWritten += chunk.length
    this.#stream.write(chunk, encoding, done)
  }

  /** What was written in one go (headers, and the body behind them) leaves as one: a frame, a TLS record, a look of the far side. */
  override _writev(chunks: readonly Chunk[], done: (error?: Error | null) => void): void {
    const whole = Buffer.concat(
      chunks.map(({ chunk, encoding }) => (typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk)),
    )
    this.bytesWritten += whole.length
    this.#stream.write(whole, done)
  }

  override _final(done: () => void): void {
    this.#stream.end(done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const stream = this.#stream
    if (!stream.destroyed) {
      if (error === null || ('code' in error && error.code === 'UND_ERR_INFO')) {
        stream.removeAllListeners('data').resume().end()
        const timer = setTimeout(() => stream.destroy(), LINGER_MS).unref()
        stream.once('close', () => clearTimeout(timer))
      } else stream.destroy(new ConnectionReset())
    }
    done(error)
  }
}
