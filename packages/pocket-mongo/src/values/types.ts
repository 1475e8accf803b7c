import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  DBRef,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'bson'
import { isInt32 } from './decode.js'
import { isNumeric } from './numbers.js'

/** BSON's types by the names that `$type` and `bsonType` use, with their numbers (BSON specification). */
export const typeNumbers = {
  double: 1,
  string: 2,
  object: 3,
  array: 4,
  binData: 5,
  undefined: 6,
  objectId: 7,
  bool: 8,
  date: 9,
  null: 10,
  regex: 11,
  dbPointer: 12,
  javascript: 13,
  symbol: 14,
  javascriptWithScope: 15,
  int: 16,
  timestamp: 17,
  long: 18,
  decimal: 19,
  minKey: -1,
  maxKey: 127,
} as const

export type TypeName = keyof typeof typeNumbers

const isTypeName = (name: string): name is TypeName => Object.hasOwn(typeNumbers, name)

/** The types that a name or number of `$type` stands for; undefined: it is none. */
export function typesNamed(name: unknown): readonly TypeName[] | undefined {
  if (name === 'number') return ['double', 'int', 'long', 'decimal']
  if (typeof name === 'string') return isTypeName(name) ? [name] : undefined
  if (!isNumeric(name)) return undefined
  const found = Object.entries(typeNumbers).find(([, number]) => number === Number(name))?.[0]
  return found !== undefined && isTypeName(found) ? [found] : undefined
}

export function typeOf(value: unknown): TypeName {
  switch (typeof value) {
    case 'number':
      return isInt32(value) ? 'int' : 'double'
    case 'string':
      return 'string'
    case 'boolean':
      return 'bool'
    case 'bigint':
      return 'long'
    case 'undefined':
      return 'undefined'
  }
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (value instanceof Date) return 'date'
  if (value instanceof ObjectId) return 'objectId'
  // A Timestamp is a Long to bson.
  if (value instanceof Timestamp) return 'timestamp'
  if (value instanceof Long) return 'long'
  if (value instanceof Double) return 'double'
  if (value instanceof Int32) return 'int'
  if (value instanceof Decimal128) return 'decimal'
  if (value instanceof Binary || value instanceof Uint8Array) return 'binData'
  if (value instanceof BSONRegExp || value instanceof RegExp) return 'regex'
  if (value instanceof BSONSymbol) return 'symbol'
  if (value instanceof Code) return value.scope === null ? 'javascript' : 'javascriptWithScope'
  if (value instanceof MinKey) return 'minKey'
  if (value instanceof MaxKey) return 'maxKey'
  if (value instanceof DBRef) return 'object'
  return 'object'
}
