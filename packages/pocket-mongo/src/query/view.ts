import { Decimal128, Double, Long } from 'bson'
import { MongoError } from '../errors.js'
import { isInt32, isPlain } from '../values/decode.js'
import { typeOf } from '../values/types.js'

/*
 * mingo knows JavaScript's numbers alone, and changes what it is given. So it gets a copy in which every number is one,
 * and where a number cannot be one exactly, it is refused rather than reckoned wrong.
 */

/** @throws MongoError NotImplemented (a Decimal128, a long beyond 2^53) */
export function viewOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Double) return value.value
  if (value instanceof Decimal128)
    throw new MongoError(
      'NotImplemented',
      'a computed expression or stage over a Decimal128 is not supported by this server',
    )
  if (typeOf(value) === 'long' && value instanceof Long) {
    const number = value.toNumber()
    if (Number.isSafeInteger(number)) return number
    throw new MongoError(
      'NotImplemented',
      'a computed expression or stage over a long beyond 2^53 is not supported by this server',
    )
  }
  if (Array.isArray(value)) return value.map(viewOf)
  return isPlain(value) ? mapped(value, viewOf) : value
}

/** What mingo made, as documents hold it: whole numbers that are no int are longs. */
export function fromView(value: unknown): unknown {
  if (typeof value === 'number')
    return Number.isSafeInteger(value) && !isInt32(value) && value !== 0 ? Long.fromNumber(value) : value
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item: unknown) => (item === undefined ? null : fromView(item)))
  return isPlain(value) ? mapped(value, fromView) : value
}

function mapped(document: object, map: (value: unknown) => unknown): object {
  const copy = { ...document } as Record<string, unknown>
  for (const key of Object.keys(copy)) {
    const value = copy[key]
    if (value === undefined) delete copy[key]
    else copy[key] = map(value)
  }
  return copy
}
