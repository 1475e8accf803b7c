import type { Document } from 'bson'
import { duplicateKey } from '../indexes/describe.js'
import { type Keys, keysOf, shapeOf } from '../indexes/shape.js'
import { matcherOf } from '../validation/matcher.js'
import { after, type CollectionState, type IndexState, recordKey, type Schema } from './state.js'
import type { StoredDocument } from './stored.js'
import { type Edit, Tree } from './tree.js'
import type { IndexSpec } from './types.js'

type Mutable<T> = { -readonly [name in keyof T]: T[name] }

/** Where a document stands, or would, in one index. */
export interface Placement {
  readonly index: Mutable<IndexState>
  readonly keys: Keys
}

/** A collection while it is written to. `freeze` answers what it has become. */
export class Draft {
  #schema: Schema
  #documents: Tree<number, StoredDocument>
  #indexes: Mutable<IndexState>[]
  #bytes: number

  constructor(from: CollectionState) {
    this.#schema = from.schema
    this.#documents = from.documents
    this.#indexes = from.indexes.map((index) => ({ ...index }))
    this.#bytes = from.bytes
  }

  static of(schema: Schema): Draft {
    const indexes = schema.indexes.map(emptyIndex)
    return new Draft({ schema, documents: Tree.empty(), indexes, bytes: 0 })
  }

  /** For a log that is read: indexes are made at the end. */
  static unindexed(schema: Schema): Draft {
    return new Draft({ schema, documents: Tree.empty(), indexes: [], bytes: 0 })
  }

  get schema(): Schema {
    return this.#schema
  }

  get documents(): Tree<number, StoredDocument> {
    return this.#documents
  }

  freeze(): CollectionState {
    return {
      schema: this.#schema,
      documents: this.#documents,
      indexes: this.#indexes.map((index) => ({ ...index })),
      bytes: this.#bytes,
    }
  }

  /** @throws MongoError CannotIndexParallelArrays */
  placements(doc: Document): Placement[] {
    return this.#indexes.map((index) => ({ index, keys: keysIn(index, doc) }))
  }

  /**
   * Puts a document into its record. Nothing is checked.
   *
   * @param before where the one stood that was there
   */
  put(
    document: StoredDocument,
    places: readonly Placement[],
    before: readonly Placement[] | undefined,
    edit: Edit,
  ): void {
    const old = this.#documents.get(document.record)
    const suffix = recordKey(document.record)
    for (const [at, { index, keys }] of places.entries()) {
      const held = before?.[at]?.keys.keys ?? []
      for (const key of held) {
        if (!keys.keys.includes(key)) index.tree = index.tree.delete(key + suffix, edit)
      }
      for (const key of keys.keys) {
        if (!held.includes(key)) index.tree = index.tree.set(key + suffix, document.record, edit)
      }
      if (keys.multikey) index.multikey = true
    }
    this.#documents = this.#documents.set(document.record, document, edit)
    this.#bytes += document.raw.length - (old?.raw.length ?? 0)
  }

  remove(record: number, edit: Edit): void {
    const old = this.#documents.get(record)
    if (old === undefined) return
    const suffix = recordKey(record)
    for (const index of this.#indexes) {
      for (const key of keysIn(index, old.doc).keys) index.tree = index.tree.delete(key + suffix, edit)
    }
    this.#documents = this.#documents.delete(record, edit)
    this.#bytes -= old.raw.length
  }

  /** Only what is in memory of a document: for a log that is read, where indexes are made afterwards. */
  putWithoutIndexes(document: StoredDocument, edit: Edit): void {
    this.#bytes += document.raw.length - (this.#documents.get(document.record)?.raw.length ?? 0)
    this.#documents = this.#documents.set(document.record, document, edit)
  }

  removeWithoutIndexes(record: number, edit: Edit): void {
    this.#bytes -= this.#documents.get(record)?.raw.length ?? 0
    this.#documents = this.#documents.delete(record, edit)
  }

  /**
   * Takes another schema, and makes the indexes that are new in it.
   *
   * @throws MongoError DuplicateKey, CannotIndexParallelArrays; nothing has changed then
   */
  change(schema: Schema): void {
    const indexes = schema.indexes.map((spec) => {
      const same = this.#indexes.find((index) => index.spec === spec || index.spec.name === spec.name)
      if (same === undefined) return filled(schema.ns, spec, this.#documents)
      // What may be changed of an index (how long its documents live) is nothing that its tree knows of.
      return { ...same, spec }
    })
    this.#schema = schema
    this.#indexes = indexes
  }

  /** Takes another schema while a log is read. */
  rename(schema: Schema): void {
    this.#schema = schema
  }

  /**
   * All indexes anew, for a log that has been read. One that cannot be made is left out, loudly: a server that does not
   * start helps nobody.
   */
  rebuild(note: (text: string) => void): void {
    const { ns } = this.#schema
    this.#indexes = this.#schema.indexes.flatMap((spec) => {
      try {
        return [filled(ns, spec, this.#documents)]
      } catch (error) {
        note(
          `the index ${JSON.stringify(spec.name)} of ${ns} cannot be made again and is gone: ${(error as Error).message}`,
        )
        return []
      }
    })
    this.#schema = { ...this.#schema, indexes: this.#indexes.map(({ spec }) => spec) }
  }

  get indexes(): readonly IndexState[] {
    return this.#indexes
  }
}

const none: Keys = { keys: [], multikey: false }

export function keysIn(index: Pick<IndexState, 'shape' | 'covers'>, doc: Document): Keys {
  return index.covers !== undefined && !index.covers(doc) ? none : keysOf(index.shape, doc)
}

/** The record of another document that has this key already. */
export function holderOf(index: Pick<IndexState, 'tree'>, key: string, record: number | undefined): number | undefined {
  for (const found of index.tree.values({ from: key, to: after(key) })) if (found !== record) return found
  return undefined
}

function emptyIndex(spec: IndexSpec): Mutable<IndexState> {
  const partial = spec.partialFilterExpression
  const covers = partial === undefined ? undefined : matcherOf(partial)
  return { spec, shape: shapeOf(spec), covers, multikey: false, tree: Tree.empty() }
}

function filled(ns: string, spec: IndexSpec, documents: Tree<number, StoredDocument>): Mutable<IndexState> {
  const index = emptyIndex(spec)
  const edit: Edit = {}
  const entries: { readonly key: string; readonly record: number }[] = []
  for (const document of documents.values()) {
    const { keys, multikey } = keysIn(index, document.doc)
    if (multikey) index.multikey = true
    const suffix = recordKey(document.record)
    for (const key of keys) entries.push({ key: key + suffix, record: document.record })
  }
  // In order, nodes are filled one after the other.
  entries.sort((a, b) => (a.key < b.key ? -1 : 1))
  let before: string | undefined
  for (const { key, record } of entries) {
    const value = key.slice(0, -7)
    if (index.shape.unique && value === before) throw duplicateKey(ns, spec, documents.get(record)?.doc ?? {})
    before = value
    index.tree = index.tree.set(key, record, edit)
  }
  return index
}
