import { Binary, BSONRegExp, type Code, DBRef, type ObjectId, type Timestamp } from 'bson'
import { fourBytes, orderOfNumber } from './number-order.js'
import type { Numeric } from './numbers.js'
import { typeOf } from './types.js'

/*
 * MongoDB's order of values ("BSON Types: Comparison/Sort Order") as text: `a` comes before `b` where orderOf(a) <
 * orderOf(b), and they are equal where the texts are. Each text ends by itself (none begins another), so that texts can be
 * joined for a compound index. One character stands for one byte.
 */

const MIN_KEY = '\x01'
const NULL = '\x05'
const NUMBER = '\x0a'
const STRING = '\x0f'
const OBJECT = '\x14'
const ARRAY = '\x19'
const BINARY = '\x1e'
const OBJECT_ID = '\x23'
const BOOLEAN = '\x28'
const DATE = '\x2d'
const TIMESTAMP = '\x2f'
const REGEX = '\x32'
const CODE = '\x3c'
const CODE_WITH_SCOPE = '\x41'
const MAX_KEY = '\x7f'

/** Of a field with an empty array in it, which has no value, and is no field that is not there. */
export const NO_ELEMENT = '\x02'

export function orderOf(value: unknown): string {
  if (typeof value === 'string') return STRING + orderOfText(value)
  if (typeof value === 'number') return NUMBER + orderOfNumber(value)
  switch (typeOf(value)) {
    case 'undefined':
    case 'null':
      return NULL
    case 'int':
    case 'double':
    case 'long':
    case 'decimal':
      return NUMBER + orderOfNumber(value as Numeric)
    case 'string':
    case 'symbol':
      return STRING + orderOfText(String(value))
    case 'object':
      return OBJECT + orderOfFields(fieldsOf(value as object))
    case 'array':
      return `${ARRAY}${(value as readonly unknown[]).map(orderOf).join('')}\0`
    case 'binData':
      return value instanceof Binary
        ? BINARY + orderOfBinary(value.value(), value.sub_type)
        : BINARY + orderOfBinary(value as Uint8Array, 0)
    case 'objectId':
      return OBJECT_ID + Buffer.from((value as ObjectId).id).toString('latin1')
    case 'bool':
      return BOOLEAN + (value === true ? '\x01' : '\x00')
    case 'date':
      return DATE + orderOfDate(value as Date)
    case 'timestamp':
      return TIMESTAMP + fourBytes((value as Timestamp).t) + fourBytes((value as Timestamp).i)
    case 'regex':
      return value instanceof BSONRegExp
        ? REGEX + orderOfText(value.pattern) + orderOfText(value.options)
        : REGEX + orderOfText((value as RegExp).source) + orderOfText((value as RegExp).flags)
    case 'javascript':
      return CODE + orderOfText((value as Code).code)
    case 'javascriptWithScope':
      return CODE_WITH_SCOPE + orderOfText((value as Code).code) + orderOfFields((value as Code).scope ?? {})
    case 'minKey':
      return MIN_KEY
    case 'maxKey':
      return MAX_KEY
    default:
      throw new TypeError(`a value of type ${typeOf(value)} has no place in an index`)
  }
}

/** A DBRef is a document with a convention. */
function fieldsOf(value: object): Readonly<Record<string, unknown>> {
  if (!(value instanceof DBRef)) return value as Readonly<Record<string, unknown>>
  const { collection, oid, db, fields } = value
  return { $ref: collection, $id: oid, ...(db === undefined ? {} : { $db: db }), ...fields }
}

/** Fields in their order: by kind, then by name, then by value. */
function orderOfFields(fields: Readonly<Record<string, unknown>>): string {
  let result = ''
  for (const name of Object.keys(fields)) {
    const value = orderOf(fields[name])
    result += value[0] + orderOfText(name) + value
  }
  return `${result}\0`
}

/**
 * UTF-8, byte by byte, which is the order of code points (JavaScript's own is UTF-16's). A NUL ends it, and
 * stands nowhere else: one within is \x01\x01, and \x01 is \x01\x02.
 */
function orderOfText(text: string): string {
  if (PLAIN.test(text)) return `${text}\0`
  const bytes = Buffer.from(text, 'utf8').toString('latin1')
  return `${bytes.replaceAll('\x01', '\x01\x02').replaceAll('\0', '\x01\x01')}\0`
}

const PLAIN = /^[\x20-\x7e]*$/

function orderOfBinary(bytes: Uint8Array, subtype: number): string {
  return fourBytes(bytes.length) + String.fromCharCode(subtype) + Buffer.from(bytes).toString('latin1')
}

/** Milliseconds, 64 bits with a sign. */
function orderOfDate(value: Date): string {
  const ms = value.getTime()
  const time = Number.isNaN(ms) ? 0 : ms
  const high = Math.floor(time / 0x1_0000_0000)
  return fourBytes(high ^ 0x8000_0000) + fourBytes(time - high * 0x1_0000_0000)
}
