import type { Document } from 'bson'
import type { Shape } from '../indexes/shape.js'
import type { StoredDocument } from './stored.js'
import { Tree } from './tree.js'
import type { CollectionOptions, IndexSpec } from './types.js'

/** What a collection is apart from its documents. Another one takes its place when anything of it changes. */
export interface Schema {
  /** Never given twice: a collection that is made anew under its name is another one. */
  readonly id: number
  readonly ns: string
  readonly uuid: Uint8Array
  readonly options: CollectionOptions
  /** `_id_` first. */
  readonly indexes: readonly IndexSpec[]
}

export interface IndexState {
  readonly spec: IndexSpec
  readonly shape: Shape
  /** What belongs into it; absent: every document. */
  readonly covers: ((doc: Document) => boolean) | undefined
  /** Some document had an array on the way: a key says nothing about all elements at once. */
  readonly multikey: boolean
  /** A key of the document, and after it the record's, to the record. */
  readonly tree: Tree<string, number>
}

export interface CollectionState {
  readonly schema: Schema
  readonly documents: Tree<number, StoredDocument>
  readonly indexes: readonly IndexState[]
  /** Of its documents. */
  readonly bytes: number
}

/** All collections by namespace, at one moment. */
export type State = Tree<string, CollectionState>

export const emptyState = (): State => Tree.empty<string, CollectionState>()

/** What was done, as the log keeps it and as a transaction is brought into force. */
export type Change =
  | { readonly kind: 'put'; readonly ns: string; readonly id: number; readonly document: StoredDocument }
  | { readonly kind: 'remove'; readonly ns: string; readonly id: number; readonly record: number }
  | { readonly kind: 'schema'; readonly schema: Schema }
  | { readonly kind: 'drop'; readonly ns: string; readonly id: number }

export const databaseOf = (ns: string): string => ns.slice(0, ns.indexOf('.'))

/** The namespaces of a database lie between these. */
export const namespacesOf = (db: string): { readonly from: string; readonly to: string } => ({
  from: `${db}.`,
  to: `${db}/`,
})

/** As text that sorts as the numbers do, always of the same length. */
export function recordKey(record: number): string {
  const high = Math.floor(record / 0x1_0000_0000)
  return String.fromCharCode(
    (high >>> 16) & 255,
    (high >>> 8) & 255,
    high & 255,
    (record >>> 24) & 255,
    (record >>> 16) & 255,
    (record >>> 8) & 255,
    record & 255,
  )
}

/** After every text that begins with `prefix`, whose characters are bytes. */
export const after = (prefix: string): string => `${prefix}\uffff`
