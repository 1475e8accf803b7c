import { Binary, BSONRegExp, type Document, type ObjectId, type Timestamp } from 'bson'
import { compareNumbers, type Numeric } from './numbers.js'
import { type TypeName, typeOf } from './types.js'

/** The order of BSON's types among each other (MongoDB, "Comparison/Sort Order"). A field that is not there sorts as null. */
const order: Readonly<Record<TypeName, number>> = {
  minKey: 0,
  undefined: 1,
  null: 1,
  double: 2,
  int: 2,
  long: 2,
  decimal: 2,
  symbol: 3,
  string: 3,
  object: 4,
  array: 5,
  binData: 6,
  objectId: 7,
  bool: 8,
  date: 9,
  timestamp: 10,
  regex: 11,
  dbPointer: 12,
  javascript: 13,
  javascriptWithScope: 14,
  maxKey: 15,
}

/** What `$lt` and its like keep to: values of one bracket are compared, others do not match. */
export const bracketOf = (value: unknown): number => order[typeOf(value)]

/** Negative, 0 or positive: two values in MongoDB's order. Fields of documents count in the order that they stand in. */
export function compare(a: unknown, b: unknown): number {
  if (a === b) return 0
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b)
  const bracket = bracketOf(a)
  const difference = bracket - bracketOf(b)
  return difference !== 0 ? difference : compareWithin(bracket, a, b)
}

function compareWithin(bracket: number, a: unknown, b: unknown): number {
  switch (bracket) {
    case order.int:
      return compareNumbers(a as Numeric, b as Numeric)
    case order.string:
      return compareStrings(String(a), String(b))
    case order.object:
      return compareObjects(a as Document, b as Document)
    case order.array:
      return compareArrays(a as unknown[], b as unknown[])
    case order.binData:
      return compareBinary(a as Binary | Uint8Array, b as Binary | Uint8Array)
    case order.objectId:
      return Buffer.compare((a as ObjectId).id, (b as ObjectId).id)
    case order.bool:
      return Number(a) - Number(b)
    case order.date:
      return (a as Date).getTime() - (b as Date).getTime()
    case order.timestamp:
      return (a as Timestamp).compare(b as Timestamp)
    case order.regex: {
      const [x, y] = [regexParts(a), regexParts(b)]
      return compareStrings(x[0], y[0]) || compareStrings(x[1], y[1])
    }
    case order.javascript:
    case order.javascriptWithScope:
      return compareStrings(JSON.stringify(a), JSON.stringify(b))
    default:
      return 0
  }
}

export const equal = (a: unknown, b: unknown): boolean => compare(a, b) === 0

/** By their bytes in UTF-8, which is by their code points; JavaScript's own order is another one above U+FFFF. */
export function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    // Surrogates (U+D800 to U+DFFF) stand for code points above all other units.
    if (x !== y) return fixed(x) - fixed(y)
  }
  return a.length - b.length
}

const fixed = (unit: number): number => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800)

function compareObjects(a: Document, b: Document): number {
  const [keys, others] = [Object.keys(a), Object.keys(b)]
  for (let i = 0; i < keys.length && i < others.length; i++) {
    const [key, other] = [keys[i] ?? '', others[i] ?? '']
    const [x, y] = [a[key], b[other]] as [unknown, unknown]
    const found = bracketOf(x) - bracketOf(y) || compareStrings(key, other) || compare(x, y)
    if (found !== 0) return found
  }
  return keys.length - others.length
}

function compareArrays(a: readonly unknown[], b: readonly unknown[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const found = compare(a[i], b[i])
    if (found !== 0) return found
  }
  return a.length - b.length
}

function compareBinary(a: Binary | Uint8Array, b: Binary | Uint8Array): number {
  const [x, y] = [bytesOf(a), bytesOf(b)]
  return x.length - y.length || subTypeOf(a) - subTypeOf(b) || Buffer.compare(x, y)
}

const bytesOf = (value: Binary | Uint8Array): Uint8Array => (value instanceof Binary ? value.value() : value)
const subTypeOf = (value: Binary | Uint8Array): number => (value instanceof Binary ? value.sub_type : 0)

const regexParts = (value: unknown): readonly [string, string] =>
  value instanceof BSONRegExp
    ? [value.pattern, value.options]
    : value instanceof RegExp
      ? [value.source, value.flags]
      : ['', '']
