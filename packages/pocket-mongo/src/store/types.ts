import type { Document } from 'bson'

/*
 * The seam between the two halves of the server. Commands (commands/, query/) read what a client asks, filter, update and
 * project; the store (store/, log/) holds documents, indexes and transactions, and loses nothing that it acknowledged.
 */

/** A document as it is kept. Nobody changes `doc`: an update makes another one. */
export interface Stored {
  /** As `decode` of values/decode.ts reads it: types that JavaScript has no number for are bson's classes. */
  readonly doc: Document
  /** The same as it came, so that a reply need not write it again. */
  readonly raw: Uint8Array
}

export interface IndexSpec {
  readonly name: string
  /** Field paths to 1 or -1, in order. */
  readonly key: Readonly<Record<string, 1 | -1>>
  readonly unique?: boolean
  readonly sparse?: boolean
  readonly partialFilterExpression?: Document
  readonly expireAfterSeconds?: number
}

export interface CollectionOptions {
  readonly validator?: Document
  readonly validationLevel?: 'off' | 'strict' | 'moderate'
  readonly validationAction?: 'error' | 'warn'
}

export interface CollectionInfo {
  /** `database.collection` */
  readonly ns: string
  /** 16 bytes, as listCollections tells it. */
  readonly uuid: Uint8Array
  readonly options: CollectionOptions
}

/** A row that the server keeps for itself, by a name. */
export type Aside = Readonly<Record<string, unknown>>

/** What a statement may read: one state of the data, whole. */
export interface ReadUnit {
  databases(): readonly { readonly name: string; readonly sizeOnDisk: number }[]
  /** Sorted by name. */
  collections(db: string): readonly CollectionInfo[]
  collection(ns: string): CollectionInfo | undefined
  /** The `_id_` index first. Empty: there is no such collection. */
  indexes(ns: string): readonly IndexSpec[]
  count(ns: string): number
  /** Rows of the server's own, each with its name in `_id`. */
  aside(): Iterable<Document>
  /**
   * Documents among which all that match the filter are, by the best index that there is; the caller filters. `sort`: they
   * come in this order when `sorted` says so.
   */
  candidates(
    ns: string,
    filter: Document,
    sort?: Readonly<Record<string, 1 | -1>>,
  ): { readonly documents: Iterable<Stored>; readonly sorted: boolean; readonly index?: string }
}

/** What a statement may do. Each call is whole or throws; what came before it in the same unit stands. */
export interface WriteUnit extends ReadUnit {
  /** Makes the collection when there is none. @throws MongoError DuplicateKey, DocumentValidationFailure, BSONObjectTooLarge */
  insert(ns: string, doc: Document): void
  /** `_id` stays. @throws as insert, and ImmutableField */
  replace(ns: string, old: Stored, next: Document): void
  remove(ns: string, old: Stored): void
  /** @throws MongoError NamespaceExists (with other options), InvalidNamespace */
  createCollection(ns: string, options: CollectionOptions): void
  /** @throws MongoError NamespaceNotFound */
  collMod(ns: string, options: CollectionOptions): void
  /** False: there was none. */
  drop(ns: string): boolean
  dropDatabase(db: string): void
  /** @throws MongoError CannotCreateIndex, IndexOptionsConflict, IndexKeySpecsConflict, DuplicateKey */
  createIndexes(ns: string, specs: readonly IndexSpec[]): { readonly before: number; readonly after: number }
  /** @throws MongoError NamespaceNotFound, IndexNotFound */
  dropIndex(ns: string, name: string): void
  /**
   * Keeps a row of the server's own, in the place of the one of that name; undefined: takes it away. No command reaches it
   * by any namespace, and no transaction's write is in its way.
   */
  setAside(name: string, row: Aside | undefined): void
}

/**
 * Several statements that are in force together or not at all: they see the data of the transaction's beginning and their
 * own writes, and nobody else sees these before the commit. A write to what another has written since fails with
 * WriteConflict and the label TransientTransactionError, and ends it.
 */
export interface Transaction {
  readonly state: 'active' | 'committed' | 'aborted'
  run<T>(work: (unit: WriteUnit) => T): T
  /**
   * Resolves when it is kept. `also`: what else comes into force with it, if it has written anything.
   *
   * @throws MongoError NoSuchTransaction when it was ended meanwhile (too old, shutdown)
   */
  commit(also?: (unit: WriteUnit) => void): Promise<void>
  abort(): void
}

export interface WriteOptions<T> {
  readonly durable?: boolean
  readonly signal?: AbortSignal
  readonly also?: ((unit: WriteUnit, result: T) => void) | undefined
}

export interface Store {
  /** The committed state. */
  read<T>(work: (unit: ReadUnit) => T): T
  /**
   * One command's writes, as one unit: `work` runs at once, or, where it meets an open transaction's write, again when
   * that one is over. Resolves when what it wrote is kept (`durable: false`: when it is in force). When `work` throws,
   * nothing of it stands. `also`: what else comes into force with it, if it has written anything.
   */
  write<T>(work: (unit: WriteUnit) => T, options?: WriteOptions<T>): Promise<T>
  begin(): Transaction
  /** Writes the log anew, with nothing in it but what is there. It happens by itself where it is worth it. */
  compact(): Promise<void>
  /** Writes what is left to write, gives the folder back. */
  close(): Promise<void>
}

export interface StoreOptions {
  /** Absent: nothing is kept beyond this process. */
  readonly dataDir?: string
  /** Default true: what is acknowledged has been synced. False: the operating system has it, and syncs when it likes. */
  readonly sync?: boolean
  /** The log is written anew when it holds this many times the live data, and at least `compactAboveBytes`. Defaults 3, 8 MiB. */
  readonly compactRatio?: number
  readonly compactAboveBytes?: number
  /** For people: a torn tail that was cut, a compaction. */
  readonly note?: (text: string) => void
}
