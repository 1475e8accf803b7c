import type { Schema } from './state.js'

/** Who may write what, while others have begun to. Each call throws where it is not to be done (now). */
export interface Gate {
  /** Something will be written to the collection. */
  collection(schema: Schema): void
  /** The collection itself is made, changed or dropped. */
  schema(ns: string, schema: Schema | undefined): void
  document(schema: Schema, record: number): void
  /** A key of a unique index is taken or given back. */
  key(schema: Schema, index: string, key: string): void
  nextRecord(): number
  nextCollection(): number
  /** For people. */
  note(text: string): void
}
