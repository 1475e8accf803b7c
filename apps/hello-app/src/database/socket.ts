import { Socket } from 'node:net'
import type { Evidence } from '../checks/network-code.js'

/**
 * Memory, and time: a message's length is the sender's to state, and pg waits for all of it; notices may go on for ever. The
 * answers to one check, the greeting of a new connection with them, have under a thousand bytes.
 */
export const MAX_ANSWER_BYTES = 64 * 1024

/** What came is not what PostgreSQL answers to a check. */
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
  /** Bytes read since {@link renew}. */
  #read = 0
  #before = 0

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

  /** Begins anew: a connection that was kept is asked another time. */
  renew(): void {
    this.#read = 0
    this.#before = this.bytesRead
    this.#phase = 'answer'
    this.#since = performance.now()
  }

  evidence(): Evidence {
    return { phase: this.#phase, heard: this.bytesRead > this.#before, waitedMs: performance.now() - this.#since }
  }

  // Every byte that is read in the clear comes by here, before pg sees it. (TLS reads below, from a peer that was verified.)
  override push(chunk: Buffer | null, encoding?: BufferEncoding): boolean {
    if (chunk === null) return super.push(chunk, encoding)
    this.#read += chunk.length
    if (this.#read > MAX_ANSWER_BYTES || (this.#first && !isGreeting(chunk))) {
      this.destroy(new NotPostgres('these bytes are no answer of PostgreSQL'))
      return false
    }
    this.#first = false
    return super.push(chunk, encoding)
  }
}

function isGreeting(chunk: Buffer): boolean {
  const type = String.fromCharCode(chunk[0] ?? 0)
  return FIRST.includes(type) && (chunk.length < 5 || chunk.readUInt32BE(1) <= MAX_ANSWER_BYTES)
}
