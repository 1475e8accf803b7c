import { Socket } from 'node:net'
import type { Evidence } from '../checks/network-code.js'
import { MessageScan, NotPostgres } from './messages.js'

/** The socket under one of pg's connections: it remembers how far it came, and lets pass what PostgreSQL would say. */
export class DatabaseSocket extends Socket {
  readonly #scan = new MessageScan()
  #phase: Evidence['phase'] = 'name'
  #since = performance.now()
  /** Bytes read before the running check. */
  #before = 0
  #expectsTlsAnswer: boolean

  /** @param tls whether pg will ask for TLS before anything else */
  constructor(tls: boolean) {
    super()
    this.#expectsTlsAnswer = tls
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
    this.#scan.renew()
    this.#before = this.bytesRead
    this.#phase = 'answer'
    this.#since = performance.now()
  }

  evidence(): Evidence {
    return {
      phase: this.#phase,
      heard: this.bytesRead > this.#before,
      waitedMs: performance.now() - this.#since,
    }
  }

  // Every byte that is read in the clear comes by here, before pg sees it. TLS reads below this, from a peer that was verified.
  override push(chunk: Buffer | null, encoding?: BufferEncoding): boolean {
    if (chunk === null) return super.push(chunk, encoding)
    try {
      const passed = this.#expectsTlsAnswer ? this.#tlsAnswer(chunk) : this.#scan.take(chunk)
      return passed.length === 0 || super.push(passed, encoding)
    } catch (error) {
      this.destroy(error as Error)
      return false
    }
  }

  /** Yes or no to TLS is one byte. What came with it was not sent by the peer that will be verified. */
  #tlsAnswer(chunk: Buffer): Buffer {
    this.#expectsTlsAnswer = false
    const [answer] = chunk
    if (chunk.length === 1 && (answer === 0x53 || answer === 0x4e)) return chunk
    throw new NotPostgres('neither yes nor no to TLS')
  }
}
