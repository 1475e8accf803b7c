import { Socket } from 'node:net'
import type { Evidence } from '../checks/network-code.js'

/** Memory: a message's length is the sender's to state, and pg waits for all of it. The answers to a check have a few hundred bytes. */
export const MAX_MESSAGE_BYTES = 64 * 1024

/** The first bytes came from something that is not PostgreSQL. */
export class NotPostgres extends Error {
  override readonly name = 'NotPostgres'
}

/** What a server of PostgreSQL's protocol says first: authentication, error, notice, negotiation, or yes or no to TLS. */
const FIRST = 'RENvS'

/** The socket under one of pg's connections, which remembers how far it came. */
export class DatabaseSocket extends Socket {
  #phase: Evidence['phase'] = 'name'
  #since = performance.now()
  #first = true

  constructor() {
    super()
    this.once('lookup', (error: Error | null) => {
      if (error === null) this.#phase = 'connect'
    })
    this.once('connect', () => {
      this.#phase = 'answer'
      this.#since = performance.now()
    })
  }

  evidence(): Evidence {
    return { phase: this.#phase, heard: this.bytesRead > 0, waitedMs: performance.now() - this.#since }
  }

  // Every byte that is read in the clear comes by here, before pg sees it. (TLS reads below, and has its own say.)
  override push(chunk: Buffer | null, encoding?: BufferEncoding): boolean {
    if (this.#first && chunk !== null) {
      this.#first = false
      const type = String.fromCharCode(chunk[0] ?? 0)
      const length = chunk.length >= 5 ? chunk.readUInt32BE(1) : 4
      if (!FIRST.includes(type) || length > MAX_MESSAGE_BYTES) {
        this.destroy(new NotPostgres('the first bytes are no message of PostgreSQL'))
        return false
      }
    }
    return super.push(chunk, encoding)
  }
}
