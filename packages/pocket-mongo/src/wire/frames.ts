import { MAX_MESSAGE_BYTES } from './limits.js'

const HEADER = 16

/** What cannot be read on from: where the next message begins is not known any more. */
export class BrokenStream extends Error {
  override readonly name = 'BrokenStream'
}

/** Cuts a stream of bytes into messages (MongoDB wire protocol: each begins with its length). */
export class Frames {
  #chunks: Buffer[] = []
  #held = 0
  #need = 4
  /** How many bytes a message may have; grows with the login. */
  limit = MAX_MESSAGE_BYTES

  /** Bytes of messages that were begun or not yet taken. */
  get held(): number {
    return this.#held
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#held += chunk.length
  }

  /**
   * The next whole message, with its header.
   *
   * @throws BrokenStream a length that no message can have
   */
  next(): Buffer | undefined {
    if (this.#held < this.#need) return undefined
    if (this.#need === 4) {
      const length = this.#joined(4).readInt32LE(0)
      if (length < HEADER || length > this.limit)
        throw new BrokenStream(`a message of ${length} bytes: this connection takes from ${HEADER} to ${this.limit}`)
      this.#need = length
      if (this.#held < length) return undefined
    }
    const all = this.#joined(this.#need)
    const message = all.subarray(0, this.#need)
    const rest = all.subarray(this.#need)
    this.#chunks = rest.length === 0 ? this.#chunks.slice(1) : [rest, ...this.#chunks.slice(1)]
    this.#held -= this.#need
    this.#need = 4
    return message
  }

  /** The first chunk, made at least this long. */
  #joined(bytes: number): Buffer {
    const [first = Buffer.alloc(0)] = this.#chunks
    if (first.length >= bytes) return first
    const all = Buffer.concat(this.#chunks)
    this.#chunks = [all]
    return all
  }
}
