import { Decimal128, Double, Long, ObjectId } from 'bson'
import { MongoError } from '../../errors.js'
import { isInt32, isPlain } from '../../values/decode.js'
import { isNumeric } from '../../values/numbers.js'
import { show } from '../../values/show.js'
import { typeOf } from '../../values/types.js'
import { double } from '../arithmetic.js'
import { isTrue, type Operator, over, overOne } from './types.js'

/* Types, and values of one as another (MongoDB, "Type Expression Operators"). */

const impossible = (value: unknown, to: string): MongoError =>
  new MongoError(
    'ConversionFailure',
    `Unsupported conversion from ${typeOf(value)} to ${to} in $convert with no onError value`,
  )

const unreadable = (text: string, to: string): MongoError =>
  new MongoError(
    'ConversionFailure',
    `Failed to parse number '${show(text)}' in $convert with no onError value (to ${to})`,
  )

const outside = (value: unknown): MongoError =>
  new MongoError(
    'ConversionFailure',
    `Conversion would overflow target type in $convert with no onError value: ${show(value)}`,
  )

const notHere = (what: string): MongoError =>
  new MongoError('NotImplemented', `${what} is not supported by this server`)

/** A whole number, cut off at its fraction. */
function wholeOf(value: unknown, to: 'int' | 'long'): bigint {
  if (typeof value === 'boolean') return value ? 1n : 0n
  if (value instanceof Decimal128) throw notHere('a conversion of a Decimal128')
  if (isNumeric(value)) {
    if (typeOf(value) !== 'double') return BigInt(value.toString())
    const number = Math.trunc(Number(value))
    if (!Number.isFinite(number)) throw outside(value)
    return BigInt(number)
  }
  if (typeof value === 'string') {
    if (/^[+-]?\d{1,30}$/.test(value)) return BigInt(value.replace('+', ''))
    throw unreadable(value, to)
  }
  if (value instanceof Date && to === 'long') return BigInt(value.getTime())
  throw impossible(value, to)
}

function toInt(value: unknown): unknown {
  const whole = wholeOf(value, 'int')
  if (BigInt.asIntN(32, whole) !== whole) throw outside(value)
  return Number(whole)
}

function toLong(value: unknown): unknown {
  const whole = wholeOf(value, 'long')
  if (BigInt.asIntN(64, whole) !== whole) throw outside(value)
  return Long.fromBigInt(whole)
}

function toDouble(value: unknown): unknown {
  if (typeof value === 'boolean') return new Double(value ? 1 : 0)
  if (value instanceof Decimal128) throw notHere('a conversion of a Decimal128')
  if (isNumeric(value)) return double(Number(value))
  if (value instanceof Date) return double(value.getTime())
  if (typeof value !== 'string') throw impossible(value, 'double')
  if (/^[+-]?(inf|infinity|nan)$/i.test(value)) throw notHere(`a double out of '${value}'`)
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value)) throw unreadable(value, 'double')
  const number = Number(value)
  if (!Number.isFinite(number)) throw outside(value)
  return double(number)
}

function toText(value: unknown): unknown {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  if (value instanceof ObjectId) return value.toHexString()
  if (value instanceof Date) {
    if (value.getTime() < 0 || value.getUTCFullYear() > 9999)
      throw notHere('a date before 1970 or after 9999 as a string')
    return value.toISOString()
  }
  if (isNumeric(value) && (typeOf(value) === 'int' || typeOf(value) === 'long')) return value.toString()
  if (isNumeric(value)) throw notHere(`a ${typeOf(value)} as a string`)
  if (Array.isArray(value) || isPlain(value)) throw impossible(value, 'string')
  throw notHere(`a value of type ${typeOf(value)} as a string`)
}

function toObjectId(value: unknown): unknown {
  if (value instanceof ObjectId) return value
  if (typeof value !== 'string') throw impossible(value, 'objectId')
  if (!/^[0-9a-f]{24}$/i.test(value))
    throw new MongoError(
      'ConversionFailure',
      `Failed to parse objectId '${show(value)}' in $convert with no onError value`,
    )
  return new ObjectId(value)
}

function toDate(value: unknown): unknown {
  if (value instanceof Date) return value
  if (value instanceof ObjectId) return value.getTimestamp()
  if (value instanceof Decimal128) throw notHere('a conversion of a Decimal128')
  if (typeof value === 'string') throw notHere('a date out of a string')
  // A date is a long; MongoDB takes no int for one.
  if (!isNumeric(value) || (isInt32(Number(value)) && typeOf(value) === 'int')) throw impossible(value, 'date')
  const date = new Date(Math.trunc(Number(value)))
  if (Number.isNaN(date.getTime())) throw outside(value)
  return date
}

export const conversions: Readonly<Record<string, Operator>> = {
  $type: over(1, 1, ([value]) => (value === undefined ? 'missing' : typeOf(value))),
  $isNumber: over(1, 1, ([value]) => isNumeric(value)),
  $toInt: overOne(toInt),
  $toLong: overOne(toLong),
  $toDouble: overOne(toDouble),
  $toString: overOne(toText),
  $toObjectId: overOne(toObjectId),
  $toDate: overOne(toDate),
  // All that is neither a number nor a truth is there, and so true.
  $toBool: overOne(isTrue),
}
