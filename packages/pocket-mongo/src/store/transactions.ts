import { MongoError } from '../errors.js'
import { holderOf } from './draft.js'
import type { Gate } from './gate.js'
import type { Change, Schema, State } from './state.js'
import type { Transaction, WriteUnit } from './types.js'
import { Unit } from './unit.js'

/** What the store does for its transactions. */
export interface Keeper {
  committed(): State
  readonly locks: Locks
  nextRecord(): number
  nextCollection(): number
  note(text: string): void
  /** Puts it into force. Resolves when it is kept. */
  bringIn(changes: readonly Change[], also?: (unit: WriteUnit) => void): Promise<void>
}

/** Who has written what and may yet take it back. */
export class Locks {
  readonly #owners = new Map<string, OpenTransaction>()
  readonly #open = new Set<OpenTransaction>()

  get open(): ReadonlySet<OpenTransaction> {
    return this.#open
  }

  ownerOf(name: string): OpenTransaction | undefined {
    return this.#owners.size === 0 ? undefined : this.#owners.get(name)
  }

  take(name: string, owner: OpenTransaction): void {
    this.#owners.set(name, owner)
  }

  add(transaction: OpenTransaction): void {
    this.#open.add(transaction)
  }

  release(transaction: OpenTransaction, names: Iterable<string>): void {
    for (const name of names) this.#owners.delete(name)
    this.#open.delete(transaction)
  }

  /** A transaction that has written to the collection. */
  writerOf(ns: string): OpenTransaction | undefined {
    for (const transaction of this.#open) if (transaction.wroteTo(ns)) return transaction
    return undefined
  }
}

export const documentLock = (schema: Schema, record: number): string => `${schema.id}:${record}`
export const keyLock = (schema: Schema, index: string, key: string): string => `${schema.id}/${index}\0${key}`
export const schemaLock = (ns: string): string => `ns ${ns}`

const again = { labels: ['TransientTransactionError'] } as const

export class OpenTransaction implements Transaction {
  readonly #keeper: Keeper
  readonly #base: State
  readonly #names = new Set<string>()
  readonly #collections = new Set<string>()
  readonly #changes: Change[] = []
  readonly #timer: NodeJS.Timeout
  readonly ended: Promise<void>
  #end: () => void = () => undefined
  #view: State
  #state: 'active' | 'committed' | 'aborted' = 'active'
  #why = 'it has been aborted'

  constructor(keeper: Keeper, lifetimeMs: number) {
    this.#keeper = keeper
    this.#base = keeper.committed()
    this.#view = this.#base
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
    this.#timer = setTimeout(() => {
      this.#why = `it was open for longer than ${lifetimeMs / 1000} s`
      this.abort()
    }, lifetimeMs)
    this.#timer.unref()
    keeper.locks.add(this)
  }

  get state(): 'active' | 'committed' | 'aborted' {
    return this.#state
  }

  wroteTo(ns: string): boolean {
    return this.#collections.has(ns)
  }

  run<T>(work: (unit: WriteUnit) => T): T {
    this.#mustBeActive()
    const unit = new Unit(this.#view, this.#gate())
    const result = work(unit)
    // A conflict ends it, whatever became of the error that told of it.
    this.#mustBeActive()
    this.#view = unit.result()
    this.#changes.push(...unit.changes)
    return result
  }

  async commit(also?: (unit: WriteUnit) => void): Promise<void> {
    this.#mustBeActive()
    this.#state = 'committed'
    let kept: Promise<void>
    try {
      kept = this.#keeper.bringIn(this.#changes, also)
    } finally {
      this.#finish()
    }
    await kept
  }

  abort(why?: string): void {
    if (this.#state !== 'active') return
    if (why !== undefined) this.#why = why
    this.#state = 'aborted'
    this.#finish()
  }

  #finish(): void {
    clearTimeout(this.#timer)
    this.#keeper.locks.release(this, this.#names)
    this.#end()
  }

  #mustBeActive(): void {
    if (this.#state === 'active') return
    const why = this.#state === 'committed' ? 'it has been committed' : this.#why
    throw new MongoError('NoSuchTransaction', `the transaction is over: ${why}`, this.#state === 'aborted' ? again : {})
  }

  #gate(): Gate {
    const { locks } = this.#keeper
    const take = (name: string): void => {
      const owner = locks.ownerOf(name)
      if (owner === this) return
      if (owner !== undefined) this.#conflict()
      locks.take(name, this)
      this.#names.add(name)
    }
    const collectionOf = (state: State, schema: Schema) => {
      const found = state.get(schema.ns)
      return found?.schema.id === schema.id ? found : undefined
    }
    return {
      collection: (schema) => {
        // Made by this transaction itself, it is on neither side.
        if (this.#base.get(schema.ns)?.schema !== this.#keeper.committed().get(schema.ns)?.schema) this.#conflict()
        this.#collections.add(schema.ns)
      },
      schema: (ns, schema) => {
        const before = this.#base.get(ns)?.schema
        if (before !== this.#keeper.committed().get(ns)?.schema) this.#conflict()
        if (before !== undefined && schema !== undefined && before.id === schema.id) {
          throw new MongoError(
            'OperationNotSupportedInTransaction',
            `${ns} was there before the transaction: it can be changed or dropped outside of one only`,
          )
        }
        take(schemaLock(ns))
        this.#collections.add(ns)
      },
      document: (schema, record) => {
        const committed = this.#keeper.committed()
        if (
          collectionOf(this.#base, schema)?.documents.get(record) !==
          collectionOf(committed, schema)?.documents.get(record)
        ) {
          this.#conflict()
        }
        take(documentLock(schema, record))
      },
      key: (schema, index, key) => {
        const holder = (state: State): number | undefined => {
          const found = collectionOf(state, schema)?.indexes.find(({ spec }) => spec.name === index)
          return found === undefined ? undefined : holderOf(found, key, undefined)
        }
        if (holder(this.#base) !== holder(this.#keeper.committed())) this.#conflict()
        take(keyLock(schema, index, key))
      },
      nextRecord: () => this.#keeper.nextRecord(),
      nextCollection: () => this.#keeper.nextCollection(),
      note: (text) => this.#keeper.note(text),
    }
  }

  #conflict(): never {
    this.abort('a write of it came upon what another had written')
    throw new MongoError(
      'WriteConflict',
      'Write conflict during the transaction: another has written to the same document, key or collection. Run the transaction again.',
      again,
    )
  }
}
