import { Decimal128, Double, Int32, Long } from 'bson'

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
  if (x === undefined || y === undefined) return compareExact(exact(a), exact(b))
  // JavaScript compares a bigint with a number by their mathematical values.
  if (x < y) return -1
  if (x > y) return 1
  if (x === y) return 0
  return nanFirst(Number.isNaN(x), Number.isNaN(y))
}

const nanFirst = (a: boolean, b: boolean): number => (a === b ? 0 : a ? -1 : 1)

/** digits * 10^exponent, or what is no finite number. */
type Exact = { readonly digits: bigint; readonly exponent: number } | number

function exact(value: Numeric): Exact {
  if (value instanceof Decimal128) return ofDecimal(value.toString())
  const known = plain(value) ?? Number.NaN
  return typeof known === 'bigint' ? { digits: known, exponent: 0 } : ofDouble(known)
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
