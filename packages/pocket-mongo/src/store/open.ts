import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { MongoError } from '../errors.js'
import { checkSize } from '../log/changes.js'
import { type Files, realFiles } from '../log/files.js'
import { Log } from '../log/log.js'
import { takeFolder } from '../log/owner.js'
import { recover } from '../log/recover.js'
import { expiries, sweep, sweepEveryMs } from './expire.js'
import type { Gate } from './gate.js'
import { Snapshot } from './reading.js'
import { type Change, emptyState, type Schema, type State } from './state.js'
import { documentLock, type Keeper, keyLock, Locks, OpenTransaction, schemaLock } from './transactions.js'
import type { ReadUnit, Store, StoreOptions, Transaction, WriteOptions, WriteUnit } from './types.js'
import { Unit } from './unit.js'

/** MongoDB's transactionLifetimeLimitSeconds. */
const transactionLifetimeMs = 60_000

/** Tests alone set these. */
export interface Internals {
  readonly transactionLifetimeMs?: number
  readonly files?: Files
  readonly sweepEveryMs?: number
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

const logName = 'store.log'

/**
 * Opens a store; with a folder, on what was kept there.
 */
export async function openStore(options: StoreOptions = {}, internals: Internals = {}): Promise<Store> {
  const store = new DocumentStore(options, internals)
  if (options.dataDir !== undefined) await store.load(options.dataDir)
  store.startSweeping()
  return store
}

/** What a write waits for. */
class Blocked extends Error {
  readonly by: OpenTransaction

  constructor(by: OpenTransaction) {
    super('another has written here and may yet take it back')
    this.by = by
  }
}

class DocumentStore implements Store {
  readonly #options: StoreOptions
  readonly #internals: Internals
  readonly #locks = new Locks()
  readonly #keeper: Keeper
  #committed: State = emptyState()
  #records = 0
  #collections = 0
  #closed = false
  #log: Log | undefined
  #giveBack = (): void => undefined
  #sweeper: NodeJS.Timeout | undefined
  readonly #ended = new AbortController()

  constructor(options: StoreOptions, internals: Internals) {
    this.#options = options
    this.#internals = internals
    this.#keeper = {
      committed: () => this.#committed,
      locks: this.#locks,
      nextRecord: () => ++this.#records,
      nextCollection: () => ++this.#collections,
      note: (text) => this.#options.note?.(text),
      bringIn: (changes, also) => this.#bringIn(changes, also),
    }
  }

  /** What was kept in the folder. @throws when another has it, or it cannot be read */
  async load(dataDir: string): Promise<void> {
    const { sync = true, compactRatio = 3, compactAboveBytes = 8 * 1024 * 1024 } = this.#options
    const note = this.#keeper.note
    const files = this.#internals.files ?? realFiles
    const path = join(dataDir, logName)
    await mkdir(dataDir, { recursive: true, mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      throw new Error(
        `the data folder "${dataDir}" cannot be made (${error.code}). Make it, or name one that this user may write to.`,
        { cause: error },
      )
    })
    this.#giveBack = takeFolder(dataDir)
    try {
      const { file, length, state, records, collections, untitled } = await recover(path, files, note)
      this.#committed = state
      this.#records = records
      this.#collections = collections
      const undo = (kept: State): void => this.#undo(kept)
      this.#log = new Log({ path, files, sync, compactRatio, compactAboveBytes, note, undo }, file, length, state)
      if (untitled) await this.#log.compact()
    } catch (error) {
      this.#giveBack()
      throw error
    }
  }

  async compact(): Promise<void> {
    await this.#log?.compact()
  }

  read<T>(work: (unit: ReadUnit) => T): T {
    this.#mustBeOpen()
    return work(new Snapshot(this.#committed))
  }

  async write<T>(work: (unit: WriteUnit) => T, options: WriteOptions<T> = {}): Promise<T> {
    for (;;) {
      options.signal?.throwIfAborted()
      this.#mustBeOpen()
      const blocked: { by?: OpenTransaction } = {}
      const unit = new Unit(this.#committed, this.#gate(blocked))
      let outcome: { readonly result: T } | { readonly error: unknown }
      try {
        outcome = { result: work(unit) }
      } catch (error) {
        outcome = { error }
      }
      // Whatever `work` made of it: what it met was not the last word.
      if (blocked.by !== undefined) {
        await over(blocked.by, options.signal)
        continue
      }
      if ('error' in outcome) throw outcome.error
      const { changes } = unit
      if (changes.length > 0) {
        options.also?.(unit, outcome.result)
        checkSize(changes)
        this.#committed = unit.result()
        const kept = this.#keep(changes)
        if (options.durable !== false) await kept
        // Nobody waits for it, and what becomes of it is in the notes.
        else kept.catch(() => undefined)
      }
      return outcome.result
    }
  }

  begin(): Transaction {
    this.#mustBeOpen()
    return new OpenTransaction(this.#keeper, this.#internals.transactionLifetimeMs ?? transactionLifetimeMs)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#sweeper)
    this.#ended.abort(new MongoError('InterruptedAtShutdown', 'the store has been closed'))
    for (const transaction of [...this.#locks.open]) transaction.abort('the server has been shut down')
    await this.#log?.close()
    this.#giveBack()
  }

  /** Documents whose time is over are removed now and then, as in MongoDB: they may be seen for a minute longer. */
  startSweeping(): void {
    this.#sweeper = setInterval(() => void this.#sweep(), this.#internals.sweepEveryMs ?? sweepEveryMs)
    this.#sweeper.unref()
  }

  async #sweep(): Promise<void> {
    const now = (this.#internals.now ?? Date.now)()
    try {
      for (const expiry of expiries(this.#committed)) {
        while (await this.write((unit) => sweep(unit, expiry, now), { signal: this.#ended.signal }));
      }
    } catch (error) {
      if (!this.#closed)
        this.#keeper.note(`documents whose time is over could not be removed: ${(error as Error).message}`)
    }
  }

  #bringIn(changes: readonly Change[], also?: (unit: WriteUnit) => void): Promise<void> {
    if (changes.length === 0) return Promise.resolve()
    const unit = new Unit(this.#committed, this.#gate({}))
    unit.apply(changes)
    also?.(unit)
    checkSize(unit.changes)
    this.#committed = unit.result()
    return this.#keep(unit.changes)
  }

  /** Resolves when it is kept, with all that came into force before it. */
  #keep(changes: readonly Change[]): Promise<void> {
    return this.#log?.append(changes, this.#committed) ?? Promise.resolve()
  }

  /** What could not be kept is no longer in force, nor is what was built upon it. */
  #undo(kept: State): void {
    this.#committed = kept
    for (const transaction of [...this.#locks.open]) transaction.abort('what it has read could not be kept')
  }

  #gate(blocked: { by?: OpenTransaction }): Gate {
    const waitFor = (owner: OpenTransaction | undefined): void => {
      if (blocked.by === undefined && owner === undefined) return
      blocked.by ??= owner as OpenTransaction
      throw new Blocked(blocked.by)
    }
    return {
      collection: (schema: Schema) => waitFor(this.#locks.ownerOf(schemaLock(schema.ns))),
      schema: (ns) => waitFor(this.#locks.writerOf(ns)),
      document: (schema, record) => waitFor(this.#locks.ownerOf(documentLock(schema, record))),
      key: (schema, index, key) => waitFor(this.#locks.ownerOf(keyLock(schema, index, key))),
      nextRecord: this.#keeper.nextRecord,
      nextCollection: this.#keeper.nextCollection,
      note: this.#keeper.note,
    }
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new MongoError('InterruptedAtShutdown', 'the store has been closed')
  }
}

/** Resolves when the transaction has ended. @throws the signal's reason */
async function over(transaction: OpenTransaction, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) {
    await transaction.ended
    return
  }
  let stop = (): void => undefined
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    await Promise.race([transaction.ended, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
