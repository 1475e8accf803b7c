import { randomBytes } from 'node:crypto'
import { Long } from 'bson'
import { MongoError } from '../errors.js'
import { RawDocuments } from '../wire/reply.js'

/** MongoDB's own default. */
const IDLE_MS = 10 * 60_000
/** An answer holds this many bytes of documents, and one document more when that is how they fall. */
const BATCH_BYTES = 16 * 1024 * 1024
const FIRST_BATCH = 101
const MAX_CURSORS = 10_000

/** What is left of an answer. The documents are those of the time of the query: nobody changes them. */
export interface Cursor {
  readonly id: bigint
  readonly ns: string
  readonly user: string | undefined
  readonly session: string | undefined
  /** The transaction that it reads in: it ends with it. */
  readonly transaction: bigint | undefined
  readonly documents: readonly Uint8Array[]
  at: number
  lastUse: number
}

export interface CursorOwner {
  readonly user: string | undefined
  readonly session: string | undefined
  readonly transaction: bigint | undefined
}

export class Cursors {
  readonly #cursors = new Map<bigint, Cursor>()

  get size(): number {
    return this.#cursors.size
  }

  /** The first batch, and a cursor for the rest when there is one. @param size absent: 101 documents */
  open(
    ns: string,
    documents: readonly Uint8Array[],
    owner: CursorOwner,
    options: { readonly size?: number | undefined; readonly single?: boolean | undefined },
  ): { readonly id: Long; readonly ns: string; readonly firstBatch: RawDocuments } {
    const count = fitting(documents, 0, options.size ?? FIRST_BATCH)
    const firstBatch = new RawDocuments(count === documents.length ? documents : documents.slice(0, count))
    if (count === documents.length || options.single === true) return { id: Long.ZERO, ns, firstBatch }
    if (this.#cursors.size >= MAX_CURSORS) this.sweep(Date.now())
    if (this.#cursors.size >= MAX_CURSORS)
      throw new MongoError('QueryPlanKilled', `there are ${MAX_CURSORS} open cursors already: read some to their end`)
    const cursor: Cursor = { id: this.#freshId(), ns, ...owner, documents, at: count, lastUse: Date.now() }
    this.#cursors.set(cursor.id, cursor)
    return { id: Long.fromBigInt(cursor.id), ns, firstBatch }
  }

  /** @throws MongoError CursorNotFound, Unauthorized (another user's, or of another session) */
  more(
    id: bigint,
    ns: string,
    owner: CursorOwner,
    size: number | undefined,
  ): { readonly id: Long; readonly ns: string; readonly nextBatch: RawDocuments } {
    const cursor = this.#cursors.get(id)
    if (cursor === undefined) throw new MongoError('CursorNotFound', `cursor id ${id} not found`)
    if (cursor.user !== owner.user)
      throw new MongoError('Unauthorized', `cursor id ${id} was not created by the authenticated user`)
    if (cursor.ns !== ns)
      throw new MongoError(
        'Unauthorized',
        `Requested getMore on namespace '${ns}', but cursor belongs to a different namespace`,
      )
    if (cursor.session !== owner.session || cursor.transaction !== owner.transaction)
      throw new MongoError(
        'Location50738',
        `Cannot run getMore on cursor ${id}, which was created in another session or transaction`,
      )
    const count = fitting(cursor.documents, cursor.at, size ?? Number.POSITIVE_INFINITY)
    const nextBatch = new RawDocuments(cursor.documents.slice(cursor.at, cursor.at + count))
    cursor.at += count
    cursor.lastUse = Date.now()
    const over = cursor.at >= cursor.documents.length
    if (over) this.#cursors.delete(id)
    return { id: over ? Long.ZERO : Long.fromBigInt(id), ns, nextBatch }
  }

  /** False: there is no such cursor of this user's. */
  kill(id: bigint, ns: string, user: string | undefined): boolean {
    const cursor = this.#cursors.get(id)
    if (cursor === undefined || cursor.user !== user || cursor.ns !== ns) return false
    return this.#cursors.delete(id)
  }

  /** Those of a session that has ended, or of a transaction in it. */
  endOf(session: string, transaction?: bigint): void {
    for (const cursor of this.#cursors.values()) {
      const ends = cursor.session === session && (transaction === undefined || cursor.transaction === transaction)
      if (ends) this.#cursors.delete(cursor.id)
    }
  }

  endIn(ns: (ns: string) => boolean): void {
    for (const cursor of this.#cursors.values()) if (ns(cursor.ns)) this.#cursors.delete(cursor.id)
  }

  sweep(now: number): void {
    for (const { id, lastUse } of this.#cursors.values()) if (now - lastUse > IDLE_MS) this.#cursors.delete(id)
  }

  /** Not to be guessed, and positive in 64 bits. */
  #freshId(): bigint {
    for (;;) {
      const id = randomBytes(8).readBigUInt64LE() >> 1n
      if (id !== 0n && !this.#cursors.has(id)) return id
    }
  }
}

function fitting(documents: readonly Uint8Array[], from: number, size: number): number {
  let bytes = 0
  let at = from
  for (; at < documents.length && at - from < size; at++) {
    bytes += documents[at]?.length ?? 0
    if (bytes > BATCH_BYTES && at > from) break
  }
  return at - from
}
