import { BSONRegExp, type Document, ObjectId } from 'bson'
import { MongoError } from '../errors.js'
import { decode, encode } from '../values/decode.js'
import { typeOf } from '../values/types.js'
import type { Stored } from './types.js'

/** The largest document, in bytes (MongoDB, "Limits and Thresholds"). */
export const maxDocumentBytes = 16 * 1024 * 1024

/**
 * A document in its place. What counts is the bytes; they are read when somebody asks, so that a store that is opened does
 * not read all that it holds, and that what is read is the same before and after.
 */
export class StoredDocument implements Stored {
  readonly raw: Uint8Array
  /** Its place in the collection: it stays as long as the document does, and tells the order in which they came. */
  readonly record: number
  #doc: Document | undefined

  constructor(record: number, raw: Uint8Array) {
    this.record = record
    this.raw = raw
  }

  get doc(): Document {
    this.#doc ??= decode(this.raw)
    return this.#doc
  }
}

/**
 * The document as it will be kept: `_id` first, made where there is none.
 *
 * @throws MongoError InvalidIdField, BadValue
 */
export function withId(doc: Document): Document {
  const id: unknown = doc._id
  if (id === undefined) {
    const { _id: _, ...rest } = doc
    return { _id: new ObjectId(), ...rest }
  }
  const type = typeOf(id)
  if (type === 'array' || type === 'regex' || id instanceof BSONRegExp) {
    throw new MongoError('InvalidIdField', `the '_id' of a document cannot be of type ${type}`)
  }
  const [first] = Object.keys(doc)
  return first === '_id' ? doc : { _id: id, ...doc }
}

/** @throws MongoError BSONObjectTooLarge, BadValue (bson has no value for what is in it) */
export function bytesOf(doc: Document): Uint8Array {
  let raw: Uint8Array
  try {
    raw = encode(doc)
  } catch (error) {
    if (error instanceof MongoError) throw error
    throw new MongoError('BadValue', `a document cannot be written as BSON: ${(error as Error).message}`)
  }
  if (raw.length > maxDocumentBytes) {
    throw new MongoError(
      'BSONObjectTooLarge',
      `a document of ${raw.length} bytes is larger than ${maxDocumentBytes}, which is the most that one may have. Split it, or keep what is large elsewhere.`,
    )
  }
  return raw
}
