import { Decimal128, Double, Int32, Long } from 'bson'
import { orderOfNumber } from './number-order.js'

/** Numbers of every type of BSON, compared as MongoDB does: by their exact values, NaN before all others. */

export type Numeric = number | bigint | Long | Double | Int32 | Decimal128

export const isNumeric = (value: unknown): value is Numeric =>
  typeof value === 'number' ||
  typeof value === 'bigint' ||
  (value instanceof Long && value._bsontype === 'Long') ||
  value instanceof Double ||
  value instanceof Int32 ||
  value instanceof Decimal128

/** A number that JavaScript compares exactly with any other one such; undefined: only a Decimal128 says it. */
function plain(value: Numeric): number | bigint | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return value
  if (value instanceof Double || value instanceof Int32) return value.value
  if (value instanceof Decimal128) return undefined
  const number = value.toNumber()
  return Number.isSafeInteger(number) ? number : value.toBigInt()
}

export function compareNumbers(a: Numeric, b: Numeric): number {
  const x = plain(a)
  const y = plain(b)
  if (x === undefined || y === undefined) {
    const [left, right] = [orderOfNumber(a), orderOfNumber(b)]
    return left < right ? -1 : left > right ? 1 : 0
  }
  // JavaScript compares a bigint with a number by their mathematical values.
  if (x < y) return -1
  if (x > y) return 1
  if (x === y) return 0
  return Number(Number.isNaN(y)) - Number(Number.isNaN(x))
}
