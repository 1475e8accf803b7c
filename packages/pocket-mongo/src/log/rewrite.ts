import type { State } from '../store/state.js'
import { wholeCollection, writtenChanges } from './changes.js'
import type { Files, LogFile } from './files.js'
import { frameOf, title } from './frames.js'

/** So many bytes go out at once; writers have their turn in between. */
const bytesPerStep = 1024 * 1024

/** A log that is written anew, from a state, beside the one that is in use. */
export class Rewrite {
  readonly #files: Files
  readonly #path: string
  readonly #from: State
  readonly #tail: Buffer[] = []
  #file: LogFile | undefined
  #length = 0
  #cancelled = false
  #filled = false

  constructor(files: Files, path: string, from: State) {
    this.#files = files
    this.#path = path
    this.#from = from
  }

  /** It lacks nothing but what `follow` was told. */
  get filled(): boolean {
    return this.#filled
  }

  get cancelled(): boolean {
    return this.#cancelled
  }

  /** What is kept in the log that is in use, after the state. */
  follow(bytes: Buffer): void {
    this.#tail.push(bytes)
  }

  /** @throws when the disk is full, and when it was cancelled */
  async fill(): Promise<void> {
    this.#file = await this.#files.open(newPath(this.#path), { fresh: true })
    for (const bytes of together(framesOf(this.#from))) {
      if (this.#cancelled) throw new Error('it was given up')
      await this.#write(this.#file, bytes)
    }
    // The bulk of it before it holds anybody up.
    await this.#file.sync()
    this.#filled = true
  }

  /** Puts it in the place of the log. Its name is not on disk yet. */
  async install(): Promise<{ readonly file: LogFile; readonly length: number }> {
    const file = this.#file
    if (file === undefined || !this.#filled) throw new Error('a log that is not whole cannot take the place of another')
    if (this.#tail.length > 0) {
      await this.#write(file, Buffer.concat(this.#tail))
      await file.sync()
    }
    await this.#files.rename(newPath(this.#path), this.#path)
    return { file, length: this.#length }
  }

  cancel(): void {
    this.#cancelled = true
  }

  /** Takes away what there is of it. */
  async discard(): Promise<void> {
    await this.#file?.close().catch(() => undefined)
    await this.#files.remove(newPath(this.#path)).catch(() => undefined)
  }

  async #write(file: LogFile, bytes: Buffer): Promise<void> {
    await file.write(bytes, this.#length)
    this.#length += bytes.length
  }
}

/** What was never renamed is worth nothing. */
export const newPath = (path: string): string => `${path}.new`

/** A whole log with nothing in it but what is there now. */
export function* framesOf(state: State): IterableIterator<Buffer> {
  yield title
  for (const collection of state.values()) {
    for (const changes of wholeCollection(collection)) yield frameOf(writtenChanges(changes))
  }
}

function* together(frames: Iterable<Buffer>): IterableIterator<Buffer> {
  let parts: Buffer[] = []
  let bytes = 0
  for (const frame of frames) {
    parts.push(frame)
    bytes += frame.length
    if (bytes < bytesPerStep) continue
    yield Buffer.concat(parts)
    parts = []
    bytes = 0
  }
  if (parts.length > 0) yield Buffer.concat(parts)
}
