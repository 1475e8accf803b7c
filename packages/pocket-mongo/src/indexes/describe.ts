import { Binary, type Decimal128, type Document, Double, type Long, type ObjectId, type Timestamp } from 'bson'
import { MongoError } from '../errors.js'
import type { IndexSpec } from '../store/types.js'
import { isPlain } from '../values/decode.js'
import { typeOf } from '../values/types.js'

/** A second document with the same values in a unique index, told as drivers read it: `keyPattern` and `keyValue`. */
export function duplicateKey(ns: string, spec: IndexSpec, doc: Document): MongoError {
  const keyValue = Object.fromEntries(
    Object.keys(spec.key).map((path) => [path, valueAt(doc, path.split('.')) ?? null]),
  )
  const shown = Object.entries(keyValue).map(([path, value]) => `${path}: ${shell(value)}`)
  return new MongoError(
    'DuplicateKey',
    `E11000 duplicate key error collection: ${ns} index: ${spec.name} dup key: { ${shown.join(', ')} }`,
    { extra: { keyPattern: spec.key, keyValue } },
  )
}

function valueAt(value: unknown, parts: readonly string[]): unknown {
  const [name, ...rest] = parts
  if (name === undefined) return value
  if (Array.isArray(value)) {
    const [first] = value.map((item: unknown) => valueAt(item, parts)).filter((found) => found !== undefined)
    return first
  }
  return isPlain(value) && Object.hasOwn(value, name) ? valueAt(value[name], rest) : undefined
}

/** A value as MongoDB's shell writes it. */
export function shell(value: unknown): string {
  switch (typeOf(value)) {
    case 'undefined':
      return 'undefined'
    case 'string':
    case 'symbol':
      return `"${String(value)}"`
    case 'double':
      return value instanceof Double ? doubleText(value.value) : doubleText(value as number)
    case 'long':
      return (value as Long).toString()
    case 'decimal':
      return (value as Decimal128).toString()
    case 'objectId':
      return `ObjectId('${(value as ObjectId).toHexString()}')`
    case 'date':
      return `new Date(${(value as Date).getTime()})`
    case 'timestamp':
      return `Timestamp(${(value as Timestamp).t}, ${(value as Timestamp).i})`
    case 'binData':
      return binary(value as Binary | Uint8Array)
    case 'array':
      return list('[', (value as readonly unknown[]).map(shell), ']')
    case 'object':
      return list(
        '{',
        Object.entries(value as object).map(([name, inner]) => `${name}: ${shell(inner)}`),
        '}',
      )
    default:
      return String(value)
  }
}

const list = (open: string, items: readonly string[], close: string): string =>
  items.length === 0 ? `${open}${close}` : `${open} ${items.join(', ')} ${close}`

const doubleText = (value: number): string => (Number.isInteger(value) ? value.toFixed(1) : String(value))

function binary(value: Binary | Uint8Array): string {
  if (!(value instanceof Binary)) return `BinData(0, ${Buffer.from(value).toString('hex').toUpperCase()})`
  if (value.sub_type === Binary.SUBTYPE_UUID && value.length() === 16) return `UUID("${value.toUUID().toString()}")`
  return `BinData(${value.sub_type}, ${Buffer.from(value.value()).toString('hex').toUpperCase()})`
}
