import { Decimal128, Long } from 'bson'
import type { Numeric } from './numbers.js'

/*
 * Numbers of every kind in one order (int, long, double and decimal compare by their value), as text that sorts so: the
 * nearest double in eight bytes, then whether the number is that double, below it or above it, and then, where it is not,
 * its digits. Rounding to the nearest never swaps two numbers, so the double decides unless it is the same.
 */

const view = new DataView(new ArrayBuffer(8))

const BELOW = '\x01'
const EXACT = '\x02'
const ABOVE = '\x03'

export function orderOfNumber(value: Numeric): string {
  if (value instanceof Decimal128) return orderOfDecimal(value)
  if (value instanceof Long) return orderOfLong(value)
  return typeof value === 'bigint' ? orderOfLong(Long.fromBigInt(value)) : orderOfDouble(Number(value))
}

function orderOfDouble(value: number): string {
  return sortableDouble(value) + EXACT
}

function orderOfLong(value: Long): string {
  const near = value.toNumber()
  if (Number.isSafeInteger(near)) return orderOfDouble(near)
  const exact = value.toBigInt()
  const rounded = BigInt(near)
  if (exact === rounded) return orderOfDouble(near)
  return sortableDouble(near) + inexact(exact < rounded, exact < 0n, digitsOf(exact < 0n ? -exact : exact, 0))
}

function orderOfDecimal(value: Decimal128): string {
  const text = value.toString()
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:E([+-]\d+))?$/.exec(text)
  if (match === null) return orderOfDouble(Number(text)) // NaN and the infinities
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
  const near = Number(text)
  const scale = Number(exponent) - fraction.length
  const magnitude = BigInt(whole + fraction)
  if (magnitude === 0n) return orderOfDouble(0)
  const order = compareToDouble(magnitude, scale, Math.abs(near))
  if (order === 0) return orderOfDouble(near)
  const negative = sign === '-'
  return sortableDouble(near) + inexact(negative ? order > 0 : order < 0, negative, digitsOf(magnitude, scale))
}

function sortableDouble(value: number): string {
  // Below everything, and one value whatever its bits; minus zero is zero.
  if (Number.isNaN(value)) return '\0\0\0\0\0\0\0\0'
  view.setFloat64(0, value === 0 ? 0 : value)
  const high = view.getUint32(0)
  const low = view.getUint32(4)
  return value < 0 ? fourBytes(~high) + fourBytes(~low) : fourBytes(high ^ 0x80000000) + fourBytes(low)
}

export function fourBytes(word: number): string {
  return String.fromCharCode((word >>> 24) & 255, (word >>> 16) & 255, (word >>> 8) & 255, word & 255)
}

function inexact(below: boolean, negative: boolean, digits: string): string {
  return (below ? BELOW : ABOVE) + (negative ? inverted(digits) : digits)
}

/** 0.DIGITS times ten to the power of the first two bytes. */
function digitsOf(magnitude: bigint, scale: number): string {
  const all = magnitude.toString()
  const exponent = all.length + scale + 10_000
  return `${String.fromCharCode(exponent >>> 8, exponent & 255)}${all.replace(/0+$/, '')}\0`
}

/** Turns an order round. What is turned must end by itself: no text of it begins another. */
export function inverted(text: string): string {
  let result = ''
  for (let at = 0; at < text.length; at++) result += String.fromCharCode(255 - text.charCodeAt(at))
  return result
}

/** magnitude * 10^scale against a double that is not negative, exactly. */
function compareToDouble(magnitude: bigint, scale: number, double: number): number {
  if (double === Number.POSITIVE_INFINITY) return -1
  view.setFloat64(0, double)
  const bits = view.getBigUint64(0)
  const biased = Number(bits >> 52n)
  const fraction = bits & 0xfffffffffffffn
  const mantissa = biased === 0 ? fraction : fraction | 0x10000000000000n
  const power = (biased === 0 ? 1 : biased) - 1075
  let left = magnitude
  let right = mantissa
  if (scale >= 0) left *= 10n ** BigInt(scale)
  else right *= 10n ** BigInt(-scale)
  if (power >= 0) right <<= BigInt(power)
  else left <<= BigInt(-power)
  return left < right ? -1 : left > right ? 1 : 0
}
