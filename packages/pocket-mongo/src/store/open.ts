import { MongoError } from '../errors.js'
import { Snapshot } from './reading.js'
import { type Change, emptyState, type Schema, type State } from './state.js'
import { documentLock, type Keeper, keyLock, Locks, OpenTransaction, schemaLock } from './transactions.js'
import type { ReadUnit, Store, StoreOptions, Transaction, WriteUnit } from './types.js'
import { type Gate, Unit } from './unit.js'

/** MongoDB's transactionLifetimeLimitSeconds. */
const transactionLifetimeMs = 60_000

/** Tests alone set these. */
export interface Internals {
  readonly transactionLifetimeMs?: number
}

/**
 * Opens a store; with a folder, on what was kept there.
 */
export async function openStore(options: StoreOptions = {}, internals: Internals = {}): Promise<Store> {
  return new DocumentStore(options, internals)
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

  constructor(options: StoreOptions, internals: Internals) {
    this.#options = options
    this.#internals = internals
    this.#keeper = {
      committed: () => this.#committed,
      locks: this.#locks,
      nextRecord: () => ++this.#records,
      nextCollection: () => ++this.#collections,
      note: (text) => this.#options.note?.(text),
      bringIn: (changes) => this.#bringIn(changes),
    }
  }

  read<T>(work: (unit: ReadUnit) => T): T {
    this.#mustBeOpen()
    return work(new Snapshot(this.#committed))
  }

  async write<T>(
    work: (unit: WriteUnit) => T,
    options: { readonly durable?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<T> {
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
        this.#committed = unit.result()
        const kept = this.#keep(changes)
        if (options.durable !== false) await kept
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
    for (const transaction of [...this.#locks.open]) transaction.abort('the server has been shut down')
  }

  #bringIn(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return Promise.resolve()
    const unit = new Unit(this.#committed, this.#gate({}))
    unit.apply(changes)
    this.#committed = unit.result()
    return this.#keep(changes)
  }

  #keep(_changes: readonly Change[]): Promise<void> {
    return Promise.resolve()
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
