import { Decimal128, Long } from 'bson'
import { type CodeName, MongoError } from '../../errors.js'
import { compare } from '../../values/compare.js'
import { isNumeric, type Numeric } from '../../values/numbers.js'
import { typeOf } from '../../values/types.js'
import { double } from '../arithmetic.js'
import { isNothing, type Operator, over, overOne } from './types.js'

/* Sums of BSON's numbers (MongoDB, "Arithmetic Expression Operators"): the wider type, and a double where a long overflows. */

export type Operation = 'add' | 'subtract' | 'multiply'

const exactly = {
  add: (a: bigint, b: bigint) => a + b,
  subtract: (a: bigint, b: bigint) => a - b,
  multiply: (a: bigint, b: bigint) => a * b,
}
const roughly = {
  add: (a: number, b: number) => a + b,
  subtract: (a: number, b: number) => a - b,
  multiply: (a: number, b: number) => a * b,
}

const isDouble = (value: Numeric): boolean => typeOf(value) === 'double'
const wholeOf = (value: Numeric): bigint => BigInt(value.toString())

/** @throws MongoError NotImplemented (Decimal128) */
export function combine(operation: Operation, a: Numeric, b: Numeric): Numeric {
  refuseDecimal(a, b)
  if (isDouble(a) || isDouble(b)) return double(roughly[operation](Number(a), Number(b)))
  const result = exactly[operation](wholeOf(a), wholeOf(b))
  if (BigInt.asIntN(64, result) !== result) return double(Number(result))
  const narrow = typeOf(a) === 'int' && typeOf(b) === 'int' && BigInt.asIntN(32, result) === result
  return narrow ? Number(result) : Long.fromBigInt(result)
}

function refuseDecimal(...values: readonly Numeric[]): void {
  if (values.some((value) => value instanceof Decimal128))
    throw new MongoError('NotImplemented', 'arithmetic with Decimal128 is not supported by this server')
}

/** A whole number as MongoDB keeps a date's ms: a fraction is rounded. @throws MongoError Overflow */
function dateAt(ms: number): Date {
  const date = new Date(Math.round(ms))
  if (Number.isNaN(date.getTime())) throw new MongoError('Overflow', 'date overflow in an expression')
  return date
}

const wrong = (code: CodeName, message: string): MongoError => new MongoError(code, message)

const onlyNumbers = (code: CodeName, name: string, value: unknown): MongoError =>
  wrong(code, `${name} only supports numeric types, not ${typeOf(value)}`)

function sum(values: readonly unknown[]): unknown {
  let total: Numeric = 0
  let date = false
  for (const value of values) {
    if (isNothing(value)) return null
    if (value instanceof Date) {
      if (date) throw wrong('Location16612', 'only one date allowed in an $add expression')
      date = true
      total = combine('add', total, Long.fromNumber(value.getTime()))
    } else if (isNumeric(value)) total = combine('add', total, value)
    else throw wrong('TypeMismatch', `$add only supports numeric or date types, not ${typeOf(value)}`)
  }
  return date ? dateAt(Number(total)) : total
}

function product(values: readonly unknown[]): unknown {
  let total: Numeric = 1
  for (const value of values) {
    if (isNothing(value)) return null
    if (!isNumeric(value)) throw onlyNumbers('TypeMismatch', '$multiply', value)
    total = combine('multiply', total, value)
  }
  return total
}

function difference([a, b]: readonly unknown[]): unknown {
  if (isNothing(a) || isNothing(b)) return null
  if (isNumeric(a) && isNumeric(b)) return combine('subtract', a, b)
  if (a instanceof Date && b instanceof Date) return Long.fromNumber(a.getTime() - b.getTime())
  if (a instanceof Date && isNumeric(b)) {
    refuseDecimal(b)
    return dateAt(a.getTime() - Math.round(Number(b)))
  }
  throw wrong('TypeMismatch', `can't $subtract ${typeOf(b)} from ${typeOf(a)}`)
}

function quotient([a, b]: readonly unknown[]): unknown {
  if (isNothing(a) || isNothing(b)) return null
  if (!isNumeric(a) || !isNumeric(b))
    throw wrong('TypeMismatch', `$divide only supports numeric types, not ${typeOf(a)} and ${typeOf(b)}`)
  refuseDecimal(a, b)
  if (Number(b) === 0) throw wrong('BadValue', "can't $divide by zero")
  return double(Number(a) / Number(b))
}

/** Of the dividend's sign. A whole double as the divisor of an int or a long counts as one. */
function remainder([a, b]: readonly unknown[]): unknown {
  if (isNothing(a) || isNothing(b)) return null
  if (!isNumeric(a) || !isNumeric(b))
    throw wrong('Location16611', `$mod only supports numeric types, not ${typeOf(a)} and ${typeOf(b)}`)
  refuseDecimal(a, b)
  if (Number(b) === 0) throw wrong('Location16610', "can't $mod by zero")
  if (isDouble(a) || (isDouble(b) && !Number.isSafeInteger(Number(b)))) return double(Number(a) % Number(b))
  const rest = wholeOf(a) % (isDouble(b) ? BigInt(Number(b)) : wholeOf(b))
  return typeOf(a) === 'long' || typeOf(b) === 'long' ? Long.fromBigInt(rest) : Number(rest)
}

const single = (of: (value: Numeric) => unknown): Operator =>
  overOne((value, _scope, name) => {
    if (!isNumeric(value)) throw onlyNumbers('Location28765', name, value)
    refuseDecimal(value)
    return of(value)
  })

const rounded = (round: (value: number) => number): Operator =>
  single((value) => (isDouble(value) ? double(round(Number(value))) : value))

function absolute(value: Numeric): unknown {
  if (isDouble(value)) return double(Math.abs(Number(value)))
  const whole = wholeOf(value)
  const result = whole < 0n ? -whole : whole
  if (BigInt.asIntN(64, result) !== result) throw wrong('Location28680', "can't take $abs of long long min")
  return typeOf(value) === 'int' && BigInt.asIntN(32, result) === result ? Number(result) : Long.fromBigInt(result)
}

const MANY = Number.POSITIVE_INFINITY

/** One operand that is an array stands for its elements. */
const listed = (values: readonly unknown[]): readonly unknown[] =>
  values.length === 1 && Array.isArray(values[0]) ? values[0] : values

const collected = (of: (values: readonly unknown[]) => unknown): Operator =>
  over(0, MANY, (values, { budget }) => {
    const items = listed(values)
    budget.tick(items.length)
    return of(items)
  })

export const total = (values: readonly unknown[]): Numeric =>
  values.filter(isNumeric).reduce<Numeric>((sum, value) => combine('add', sum, value), 0)

const extreme = (direction: 1 | -1): Operator =>
  collected((values) => {
    let best: unknown
    for (const value of values)
      if (!isNothing(value) && (best === undefined || compare(value, best) * direction > 0)) best = value
    return best ?? null
  })

export const arithmetic: Readonly<Record<string, Operator>> = {
  $add: over(0, MANY, sum),
  $multiply: over(0, MANY, product),
  $subtract: over(2, 2, difference),
  $divide: over(2, 2, quotient),
  $mod: over(2, 2, remainder),
  $abs: single(absolute),
  $ceil: rounded(Math.ceil),
  $floor: rounded(Math.floor),
  $sum: collected(total),
  $avg: collected((values) => {
    const numbers = values.filter(isNumeric)
    return numbers.length === 0 ? null : double(Number(total(numbers)) / numbers.length)
  }),
  $min: extreme(-1),
  $max: extreme(1),
}
