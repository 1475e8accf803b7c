import { DBRef, type Document, Double, deserialize, Int32, serialize } from 'bson'
import { MongoError } from '../errors.js'

/*
 * A document in memory, so that it is written again exactly as it came. bson writes a JavaScript number as an int32 where
 * it is one, and else as a double: those two are plain numbers here. A double that happens to be whole (`5.0`), a Long and
 * a Decimal128 stay bson's classes, and so does a regular expression (BSONRegExp).
 */

/**
 * Reads one document. Own property names are whatever the sender chose, `__proto__` among them: copy with spread, never by
 * assignment to a fresh object.
 *
 * @param depth how deep it may be nested; what is kept was looked at when it came
 * @throws BSONError, MongoError Overflow, RangeError (nested so deep that it cannot be said how deep)
 */
export function decode(raw: Uint8Array, depth = Number.POSITIVE_INFINITY): Document {
  return numbers(deserialize(raw, { promoteValues: false, bsonRegExp: true }), depth) as Document
}

/** @throws MongoError BSONObjectTooLarge (beyond what bson has room for, which is over 16 MiB), BSONError */
export function encode(doc: Document): Uint8Array {
  try {
    return serialize(doc)
  } catch (error) {
    if (error instanceof RangeError && 'code' in error && error.code === 'ERR_OUT_OF_RANGE')
      throw new MongoError('BSONObjectTooLarge', 'BSONObj size is invalid: the document has more than 16777216 bytes')
    throw error
  }
}

/** True: bson writes this number as an int32. */
export const isInt32 = (value: number): boolean => (value | 0) === value && !Object.is(value, -0)

/** Changes what `deserialize` has just made, in place. */
function numbers(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Int32) return value.value
  if (value instanceof Double) return isInt32(value.value) ? value : value.value
  if (depth < 0) throw new MongoError('Overflow', 'exceeded maximum nested object depth')
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i]
      if (typeof item === 'object') value[i] = numbers(item, depth - 1)
    }
    return value
  }
  // bson makes an object of every document that looks like a reference; it is a document like others.
  if (value instanceof DBRef) return numbers(value.toJSON(), depth)
  if (isPlain(value)) {
    for (const key of Object.keys(value)) {
      const item = value[key]
      if (typeof item === 'object') value[key] = numbers(item, depth - 1)
    }
  }
  return value
}

/** Makes a field, whatever its name: assigning to `__proto__` would not. */
export function put(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
}

/** An embedded document, and not one of bson's classes, an array, a Date or null. */
export function isPlain(value: unknown): value is Document {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
