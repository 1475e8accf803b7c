import type { Binary, Document } from 'bson'
import { MongoError } from '../errors.js'
import type { Store, Transaction, WriteUnit } from '../store/types.js'
import { keptSessions } from './kept.js'

/** As `hello` tells it. */
export const SESSION_MINUTES = 30
const SESSION_MS = SESSION_MINUTES * 60_000
/** A client that never ends its sessions does not fill the memory. */
const MAX_SESSIONS = 100_000

/** A transaction that a client began. */
export interface OpenTransaction {
  readonly number: bigint
  readonly inner: Transaction
  /** Who spoke last in it: when that connection ends before the commit, nobody will end it. */
  connection: number
  /** There once the commit was asked for; asked again, it is the same. */
  committed?: Promise<void>
}

export interface Session {
  readonly key: string
  lastUse: number
  /** The highest transaction number that was seen; -1n: none. */
  number: bigint
  /** The answer to the write with this number, for a client that asks again since it did not hear it. */
  answer?: Promise<Document>
  transaction?: OpenTransaction
}

/** The sessions of all clients, by their ids and their users: who knows another's id has nothing of it. */
export class Sessions {
  readonly #sessions = new Map<string, Session>()
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
    for (const session of keptSessions(store)) this.#sessions.set(session.key, session)
  }

  get size(): number {
    return this.#sessions.size
  }

  /** @param user absent: nobody has logged in */
  static key(id: Binary, user: string | undefined): string {
    return `${id.toString('hex')} ${user ?? ''}`
  }

  /** Looks a session up, and makes it when it is not there. */
  use(key: string): Session {
    const now = Date.now()
    const found = this.#sessions.get(key)
    if (found !== undefined) {
      found.lastUse = now
      return found
    }
    if (this.#sessions.size >= MAX_SESSIONS) this.sweep(now)
    if (this.#sessions.size >= MAX_SESSIONS)
      throw new MongoError('TooManyLogicalSessions', `there are ${MAX_SESSIONS} sessions already: end some, or wait`)
    const session: Session = { key, lastUse: now, number: -1n }
    this.#sessions.set(key, session)
    return session
  }

  /** Ends it, and the transaction in it unless that is being committed. */
  end(key: string): void {
    const session = this.#sessions.get(key)
    if (session === undefined) return
    this.#sessions.delete(key)
    abandon(session)
  }

  endOf(user: string | undefined): readonly string[] {
    const keys = [...this.#sessions.keys()].filter((key) => user === undefined || key.endsWith(` ${user}`))
    for (const key of keys) this.end(key)
    return keys
  }

  /** Nobody will ask again for what was answered in sessions that have ended. */
  forget(keys: readonly string[]): void {
    if (keys.length === 0) return
    const forget = (unit: WriteUnit): void => {
      for (const key of keys) unit.setAside(key, undefined)
    }
    // A row that stays is read at the next start, and its time is over then.
    this.#store.write(forget, { durable: false }).catch(() => undefined)
  }

  /** A session's next write ends the transaction that it did not commit. */
  endTransaction(session: Session): void {
    abandon(session)
  }

  /** A connection has ended: so do the transactions in which it spoke last. */
  connectionEnded(connection: number): void {
    for (const session of this.#sessions.values()) {
      if (session.transaction?.connection === connection) abandon(session)
    }
  }

  /** Sessions that were not used for longer than their time. Returns their keys. */
  sweep(now: number): readonly string[] {
    const old = [...this.#sessions.values()].filter(({ lastUse }) => now - lastUse > SESSION_MS)
    for (const { key } of old) this.end(key)
    const keys = old.map(({ key }) => key)
    this.forget(keys)
    return keys
  }

  /** @throws MongoError TransactionTooOld, ConflictingOperationInProgress */
  begin(session: Session, number: bigint, connection: number): OpenTransaction {
    if (number < session.number) throw tooOld(session, number)
    if (number === session.number)
      throw new MongoError(
        'ConflictingOperationInProgress',
        `Cannot start transaction ${number} in session ${session.key}: it was used already`,
      )
    abandon(session)
    session.number = number
    delete session.answer
    const transaction: OpenTransaction = { number, inner: this.#store.begin(), connection }
    session.transaction = transaction
    return transaction
  }

  /** @throws MongoError NoSuchTransaction, TransactionTooOld */
  current(session: Session, number: bigint, connection: number): OpenTransaction {
    if (number < session.number) throw tooOld(session, number)
    const open = session.transaction
    if (open === undefined || open.number !== number) throw noSuch(session, number)
    open.connection = connection
    return open
  }
}

function abandon(session: Session): void {
  const open = session.transaction
  if (open !== undefined && open.committed === undefined) open.inner.abort()
  if (open?.committed === undefined) delete session.transaction
}

const tooOld = (session: Session, number: bigint): MongoError =>
  new MongoError(
    'TransactionTooOld',
    `Cannot use transaction ${number}: a newer one, ${session.number}, was begun in this session`,
  )

export const noSuch = (session: Session, number: bigint): MongoError =>
  new MongoError(
    'NoSuchTransaction',
    `Given transaction number ${number} does not match any in-progress transactions. The active transaction number is ${session.number}`,
    { labels: ['TransientTransactionError'] },
  )
