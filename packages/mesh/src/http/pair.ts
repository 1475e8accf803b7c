import { Duplex } from 'node:stream'

/** One end of a connection within this process. */
class PairEnd extends Duplex {
  other: PairEnd | undefined
  #take: (() => void) | undefined

  override _read(): void {
    const take = this.#take
    this.#take = undefined
    take?.()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.other?.give(chunk, done)
  }

  override _final(done: () => void): void {
    this.other?.give(null, done)
  }

  /** `done` waits until there is room again. */
  give(chunk: Buffer | null, done: () => void): void {
    if (this.destroyed || this.push(chunk) || chunk === null) done()
    else this.#take = done
  }

  /** What node:http asks of a socket whose last answer has been written. */
  destroySoon(): void {
    if (this.writableFinished) this.destroy()
    else this.end(() => this.destroy())
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { other } = this
    this._read()
    // What ended in order needs nothing more; all else is cut.
    if (other !== undefined && !other.destroyed && !(this.writableFinished && error === null))
      process.nextTick(() => other.destroy(error ?? undefined))
    done(error)
  }
}

/** Both ends of a connection that needs no socket: what is written to one is read from the other. */
export function pair(): readonly [Duplex, Duplex] {
  const ends = [new PairEnd({ allowHalfOpen: true }), new PairEnd({ allowHalfOpen: true })] as const
  ends[0].other = ends[1]
  ends[1].other = ends[0]
  return ends
}
