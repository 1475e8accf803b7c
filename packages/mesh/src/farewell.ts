import type { Duplex } from 'node:stream'
import { look, QUIET_LOOKS } from './looks.js'

const answer = /^HTTP\/1\.1 (?!1)\d{3} [^\r\n]*\r\n/

/**
 * The last words on a connection that may not stay: what HTTP/1.1 answers next says that it is the last on it, so that its
 * client comes anew, and one that nobody uses ends. Other protocols say nothing: theirs end when they are quiet.
 */
export class Farewell {
  readonly #client: Duplex
  readonly #app: Duplex
  /** Something was sent that is not answered yet. */
  #asked = false
  /** Something has gone by since the last look. */
  #moved = false
  #begun = false

  constructor(client: Duplex, app: Duplex) {
    this.#client = client
    this.#app = app
  }

  /** To be called with all bytes, before they are passed on. */
  heard(sent: number, received: number): void {
    this.#moved = true
    if (sent > 0) this.#asked = true
    else if (received > 0 && !this.#begun) this.#asked = false
  }

  begin(): void {
    if (this.#begun) return
    this.#begun = true
    const write = this.#client.write.bind(this.#client) as (chunk: unknown, ...rest: unknown[]) => boolean
    // What pipe() calls, so that backpressure and the end stay as they are.
    this.#client.write = (chunk: unknown, ...rest: unknown[]): boolean => write(this.#lastOne(chunk), ...rest)
    let quiet = 0
    const stop = look(() => {
      quiet = this.#asked || this.#moved ? 0 : quiet + 1
      this.#moved = false
      if (quiet < QUIET_LOOKS) return false
      // The client ends it in its turn, and so the app hears of it.
      this.#client.end()
      return true
    })
    for (const end of [this.#client, this.#app]) end.once('close', stop)
  }

  #lastOne(chunk: unknown): unknown {
    if (!this.#asked || !Buffer.isBuffer(chunk)) return chunk
    const [line] = answer.exec(chunk.toString('latin1', 0, 512)) ?? []
    if (line === undefined) {
      if (!chunk.toString('latin1', 0, 10).startsWith('HTTP/1.1 1')) this.#asked = false
      return chunk
    }
    this.#asked = false
    return Buffer.concat([
      chunk.subarray(0, line.length),
      Buffer.from('connection: close\r\n'),
      chunk.subarray(line.length),
    ])
  }
}
