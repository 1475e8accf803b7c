import { MongoError } from '../errors.js'
import type { Change, State } from '../store/state.js'
import { writtenChanges } from './changes.js'
import type { Files, LogFile } from './files.js'
import { frameOf } from './frames.js'
import { messageOf, refusal } from './refusal.js'
import { Rewrite } from './rewrite.js'

export interface LogOptions {
  readonly path: string
  readonly files: Files
  /** False: what is written is the operating system's to keep. */
  readonly sync: boolean
  readonly compactRatio: number
  readonly compactAboveBytes: number
  readonly note: (text: string) => void
  /**
   * What was written last cannot be kept: everything since this state is void, and those who wait for it have been told.
   */
  readonly undo: (kept: State) => void
}

interface Entry {
  readonly frame: Buffer
  /** With this entry in force. */
  readonly state: State
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** One write takes no more than this. */
const mostBytesAtOnce = 16 * 1024 * 1024

/**
 * The log as it is written. Whatever comes while a write is under way goes out together in the next one (group commit), and
 * each `append` resolves when its bytes are kept.
 */
export class Log {
  readonly #options: LogOptions
  #file: LogFile
  /** Up to here it is known to be kept. */
  #length: number
  #kept: State
  readonly #queue: Entry[] = []
  #running: Promise<void> | undefined
  #rewrite: Rewrite | undefined
  #filling: Promise<void> | undefined
  #notBefore = 0
  /** Bytes after `#length` may stand in the file. */
  #tornTail = false
  /** A sync has failed: nobody knows what of the file is on the disk, and asking again would not tell. */
  #distrusted = false
  #folderUnsynced = false
  #closed = false

  constructor(options: LogOptions, file: LogFile, length: number, kept: State) {
    this.#options = options
    this.#file = file
    this.#length = length
    this.#kept = kept
  }

  /** Bytes of the file. */
  get length(): number {
    return this.#length
  }

  append(changes: readonly Change[], state: State): Promise<void> {
    if (this.#closed) return Promise.reject(new MongoError('InterruptedAtShutdown', 'the store has been closed'))
    return new Promise((resolve, reject) => {
      this.#queue.push({ frame: frameOf(writtenChanges(changes)), state, resolve, reject })
      this.#wake()
    })
  }

  /** Writes the log anew, from what is kept. Resolves when that is over; a note tells when it could not be done. */
  async compact(): Promise<void> {
    this.#startRewrite()
    while (this.#rewrite !== undefined) {
      await this.#filling
      await this.#running
    }
  }

  /** Resolves when all that was appended is kept or refused, and the file is closed. */
  async close(): Promise<void> {
    this.#closed = true
    while (this.#running !== undefined) await this.#running
    await this.#giveUpRewrite()
    await this.#file.close()
  }

  #wake(): void {
    if (this.#running !== undefined) return
    this.#running = this.#run().finally(() => {
      this.#running = undefined
      if (this.#queue.length > 0 || this.#rewrite?.filled === true) this.#wake()
    })
  }

  async #run(): Promise<void> {
    // What is appended in this turn of the event loop goes out together.
    await Promise.resolve()
    for (;;) {
      if (this.#rewrite?.filled === true) await this.#swap(this.#rewrite)
      if (this.#queue.length === 0) return
      await this.#writeNext()
      if (this.#isDue()) this.#startRewrite()
    }
  }

  async #writeNext(): Promise<void> {
    const batch = this.#nextBatch()
    const bytes = batch.length === 1 ? (batch[0] as Entry).frame : Buffer.concat(batch.map(({ frame }) => frame))
    try {
      await this.#mend()
      this.#tornTail = true
      await this.#file.write(bytes, this.#length)
      if (this.#options.sync) {
        await this.#file.sync().catch((error: unknown) => {
          this.#distrusted = true
          throw error
        })
      }
    } catch (error) {
      this.#fail(batch, error)
      return
    }
    this.#tornTail = false
    this.#length += bytes.length
    this.#kept = (batch.at(-1) as Entry).state
    this.#rewrite?.follow(bytes)
    for (const entry of batch) entry.resolve()
  }

  #nextBatch(): readonly Entry[] {
    let count = 0
    let bytes = 0
    for (const { frame } of this.#queue) {
      if (count > 0 && bytes + frame.length > mostBytesAtOnce) break
      count += 1
      bytes += frame.length
    }
    return this.#queue.splice(0, count)
  }

  /** All that is not kept is void, and what was queued stands upon it. */
  #fail(batch: readonly Entry[], cause: unknown): void {
    const voided = [...batch, ...this.#queue.splice(0)]
    const error = refusal(this.#options.path, cause)
    this.#options.note(error.message)
    this.#options.undo(this.#kept)
    for (const entry of voided) entry.reject(error)
  }

  /** Makes the file fit to be written to, after a write that failed. @throws when it cannot be done (yet) */
  async #mend(): Promise<void> {
    if (this.#distrusted) await this.#writeAnew()
    if (this.#tornTail) {
      await this.#file.truncate(this.#length)
      this.#tornTail = false
    }
    if (this.#folderUnsynced) {
      await this.#options.files.syncFolderOf(this.#options.path)
      this.#folderUnsynced = false
    }
  }

  async #writeAnew(): Promise<void> {
    await this.#giveUpRewrite()
    const rewrite = new Rewrite(this.#options.files, this.#options.path, this.#kept)
    try {
      await rewrite.fill()
      await this.#takePlace(rewrite)
    } catch (error) {
      await rewrite.discard()
      throw error
    }
  }

  #isDue(): boolean {
    const { compactRatio, compactAboveBytes } = this.#options
    if (this.#rewrite !== undefined || this.#closed || this.#length < compactAboveBytes) return false
    if (this.#length < this.#notBefore) return false
    let live = 0
    for (const { bytes } of this.#kept.values()) live += bytes
    return this.#length >= live * compactRatio
  }

  #startRewrite(): void {
    if (this.#rewrite !== undefined || this.#closed) return
    const rewrite = new Rewrite(this.#options.files, this.#options.path, this.#kept)
    this.#rewrite = rewrite
    this.#filling = rewrite.fill().then(
      () => this.#wake(),
      async (error: unknown) => {
        await rewrite.discard()
        this.#rewrite = undefined
        if (!rewrite.cancelled) this.#notRewritten(error)
      },
    )
  }

  async #giveUpRewrite(): Promise<void> {
    this.#rewrite?.cancel()
    await this.#filling
    // It was whole already.
    await this.#rewrite?.discard()
    this.#rewrite = undefined
  }

  async #swap(rewrite: Rewrite): Promise<void> {
    const before = this.#length
    try {
      await this.#takePlace(rewrite)
      this.#options.note(`the log was written anew: ${before} bytes have become ${this.#length}`)
    } catch (error) {
      await rewrite.discard()
      this.#notRewritten(error)
    }
    this.#rewrite = undefined
  }

  /** A log that cannot be written anew is a long one, and no more. */
  #notRewritten(error: unknown): void {
    this.#notBefore = this.#length * 1.5
    this.#options.note(`the log "${this.#options.path}" could not be written anew: ${messageOf(error)}`)
  }

  /** From here on the new one is the log. @throws when it is not */
  async #takePlace(rewrite: Rewrite): Promise<void> {
    const { file, length } = await rewrite.install()
    const old = this.#file
    this.#file = file
    this.#length = length
    this.#tornTail = false
    this.#distrusted = false
    // Until its name is on disk a loss of power would bring the old one back: the next write sees to it first.
    this.#folderUnsynced = true
    await old.close().catch(() => undefined)
  }
}
