import type { Readable } from 'node:stream'
import { Lines } from './lines.js'

type Stream = 'stdout' | 'stderr'

export interface OutputOptions {
  readonly onLine: (line: string, stream: Stream) => void
  /** Of both streams together, in bytes. */
  readonly keepBytes: number
  /** Lines are told and not kept. */
  readonly linesOnly: boolean
  readonly onTooMuch: () => void
}

/** What a command says: each line told as it comes, and all of it kept, up to a bound. */
export class Output {
  readonly #kept: Readonly<Record<Stream, Buffer[]>> = { stdout: [], stderr: [] }
  readonly #lines: Readonly<Record<Stream, Lines>>
  readonly #options: OutputOptions
  #bytes = 0

  constructor(from: Readonly<Record<Stream, Readable>>, options: OutputOptions) {
    this.#options = options
    this.#lines = {
      stdout: new Lines((line) => options.onLine(line, 'stdout')),
      stderr: new Lines((line) => options.onLine(line, 'stderr')),
    }
    for (const stream of ['stdout', 'stderr'] as const)
      from[stream].on('data', (data: Buffer) => this.#take(stream, data))
  }

  /** The last line may have no line break. */
  end(): void {
    this.#lines.stdout.end()
    this.#lines.stderr.end()
  }

  text(stream: Stream): string {
    return Buffer.concat(this.#kept[stream]).toString()
  }

  #take(stream: Stream, data: Buffer): void {
    if (this.#bytes > this.#options.keepBytes) return
    if (!this.#options.linesOnly) this.#bytes += data.length
    if (this.#bytes > this.#options.keepBytes) {
      this.#options.onTooMuch()
      return
    }
    if (!this.#options.linesOnly) this.#kept[stream].push(data)
    this.#lines[stream].take(data)
  }
}
