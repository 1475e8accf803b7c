import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { MAX_DISCARDED_BYTES } from './limits.js'

/**
 * A request's body on its way on, with backpressure. Not the message itself: the client library destroys what it is given,
 * and the connection of the message is still to be answered on.
 */
export class Body extends Readable {
  readonly #message: IncomingMessage
  bytes = 0

  constructor(message: IncomingMessage) {
    super()
    this.#message = message
    message
      .on('data', (chunk: Buffer) => {
        if (this.destroyed) return
        this.bytes += chunk.length
        if (!this.push(chunk)) message.pause()
      })
      .once('end', () => void (this.destroyed || this.push(null)))
      .once('error', (error) => this.destroy(error))
    message.pause()
    // Its error is the request's, and told there.
    this.on('error', () => {})
  }

  override _read(): void {
    this.#message.resume()
  }
}

/** Lets the rest of a body go by, since its request is answered; more of it than is worth it gives up the connection. */
export function discard(message: IncomingMessage, tooMuch: () => void): void {
  let left = MAX_DISCARDED_BYTES
  message.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) tooMuch()
  })
  message.resume()
}
