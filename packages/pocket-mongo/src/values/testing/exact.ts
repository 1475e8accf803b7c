import { Decimal128, Long } from 'bson'
import type { Numeric } from '../numbers.js'

/** Two numbers by their exact values, NaN before all others, as one would do it by hand: what tests hold the rest against. */
export const compareExactly = (a: Numeric, b: Numeric): number => compareExact(exact(a), exact(b))

const nanFirst = (a: boolean, b: boolean): number => (a === b ? 0 : a ? -1 : 1)

/** digits * 10^exponent, or what is no finite number. */
type Exact = { readonly digits: bigint; readonly exponent: number } | number

function exact(value: Numeric): Exact {
  if (value instanceof Decimal128) return ofDecimal(value.toString())
  if (value instanceof Long || typeof value === 'bigint') return { digits: BigInt(value.toString()), exponent: 0 }
  return ofDouble(Number(value))
}

function ofDecimal(text: string): Exact {
  const read = /^(-?)(\d+)(?:\.(\d*))?(?:E([+-]?\d+))?$/.exec(text)
  if (read === null) return text === 'Infinity' ? Infinity : text === '-Infinity' ? -Infinity : Number.NaN
  const [, sign = '', whole = '', fraction = '', power = '0'] = read
  return { digits: BigInt(`${sign}${whole}${fraction}`), exponent: Number(power) - fraction.length }
}

/** A double is a whole number times a power of two; a half is five tenths, so it is exact in decimal too. */
function ofDouble(value: number): Exact {
  if (!Number.isFinite(value)) return value
  if (Number.isInteger(value)) return { digits: BigInt(value), exponent: 0 }
  const bits = new DataView(new ArrayBuffer(8))
  bits.setFloat64(0, value)
  const high = bits.getUint32(0)
  const power = (high >>> 20) & 0x7ff
  const mantissa = (BigInt(high & 0xfffff) << 32n) | BigInt(bits.getUint32(4))
  const whole = power === 0 ? mantissa : mantissa | (1n << 52n)
  const exponent = Math.max(power, 1) - 1075
  const digits = whole * 5n ** BigInt(-exponent)
  return { digits: value < 0 ? -digits : digits, exponent }
}

function compareExact(a: Exact, b: Exact): number {
  if (typeof a === 'number' || typeof b === 'number') {
    if (Number.isNaN(a) || Number.isNaN(b)) return nanFirst(Number.isNaN(a), Number.isNaN(b))
    const [x, y] = [typeof a === 'number' ? a : 0, typeof b === 'number' ? b : 0]
    return x < y ? -1 : x > y ? 1 : 0
  }
  const [x, y] = [sign(a.digits), sign(b.digits)]
  if (x !== y || x === 0) return x - y
  // Sizes first: what differs by thousands of powers of ten need not be written out.
  const [m, n] = [magnitude(a), magnitude(b)]
  if (m !== n) return m < n ? -x : x
  const low = Math.min(a.exponent, b.exponent)
  const [p, q] = [a.digits * 10n ** BigInt(a.exponent - low), b.digits * 10n ** BigInt(b.exponent - low)]
  return p < q ? -1 : p > q ? 1 : 0
}

const sign = (value: bigint): number => (value < 0n ? -1 : value > 0n ? 1 : 0)

const magnitude = ({ digits, exponent }: { readonly digits: bigint; readonly exponent: number }): number =>
  (digits < 0n ? -digits : digits).toString().length + exponent
