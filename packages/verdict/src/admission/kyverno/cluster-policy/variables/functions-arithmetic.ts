import { formatDuration, NANOSECONDS_PER_SECOND, parseDuration } from '../values/duration.js'
import { goNumber } from '../values/go.js'
import { formatQuantity, parseQuantity, type Quantity } from '../values/quantity.js'
import { complain, list, number } from './arguments.js'
import type { FunctionTable } from './functions.js'

/*
 * Sums of numbers, quantities and durations. The two sides have to be alike; only a number multiplies and divides others.
 */

type Operand =
  | { readonly type: 'number'; readonly value: number }
  | { readonly type: 'quantity'; readonly value: Quantity }
  | { readonly type: 'duration'; readonly value: bigint }

const NANO = NANOSECONDS_PER_SECOND

export const arithmetic: FunctionTable = {
  add: [2, (given) => sum('add', given[0], given[1])],
  sum: [
    1,
    (given) => {
      const items = list('sum', given, 0)
      if (items.length === 0) return complain('sum', 'at least one element in the array is required')
      return items.slice(1).reduce((total, item) => sum('sum', total, item), items[0])
    },
  ],
  subtract: [
    2,
    (given) =>
      alike(
        'subtract',
        given[0],
        given[1],
        (a, b) => a - b,
        (a, b) => a - b,
      ),
  ],
  multiply: [2, (given) => product(given[0], given[1])],
  divide: [2, (given) => quotient(given[0], given[1])],
  modulo: [
    2,
    (given) => {
      const [left, right] = [operand('modulo', given[0]), operand('modulo', given[1])]
      for (const { type, value } of [left, right]) {
        const whole = type === 'duration' || (type === 'number' ? Number.isInteger(value) : value.nano % NANO === 0n)
        if (!whole) complain('modulo', 'Non-integer argument(s) passed for modulo')
      }
      if (isZero(right)) return complain('modulo', 'Zero divisor passed')
      return alike(
        'modulo',
        given[0],
        given[1],
        (a, b) => a % b,
        (a, b) => a % b,
      )
    },
  ],
  round: [
    2,
    (given) => {
      const [value, digits] = [number('round', given, 0), number('round', given, 1)]
      if (!Number.isInteger(digits)) return complain('round', 'Non-integer argument(s) passed for round off')
      if (digits < 0) return complain('round', 'argument is out of bounds')
      const shift = 10 ** digits
      const moved = value * shift
      return Number.isFinite(moved) ? (Math.sign(moved) * Math.round(Math.abs(moved))) / shift : value
    },
  ],
}

function operand(name: string, value: unknown): Operand {
  if (typeof value === 'number') return { type: 'number', value }
  if (typeof value === 'string') {
    const quantity = parseQuantity(value)
    if (quantity !== undefined) return { type: 'quantity', value: quantity }
    const duration = parseDuration(value)
    if (duration !== undefined) return { type: 'duration', value: duration }
  }
  return complain(name, 'invalid operand')
}

function sum(name: string, one: unknown, other: unknown): unknown {
  return alike(
    name,
    one,
    other,
    (a, b) => a + b,
    (a, b) => a + b,
  )
}

function alike(
  name: string,
  one: unknown,
  other: unknown,
  numbers: (a: number, b: number) => number,
  exact: (a: bigint, b: bigint) => bigint,
): unknown {
  const [left, right] = [operand(name, one), operand(name, other)]
  if (left.type === 'number' && right.type === 'number') return numbers(left.value, right.value)
  if (left.type === 'quantity' && right.type === 'quantity')
    return formatQuantity({ nano: exact(left.value.nano, right.value.nano), format: left.value.format })
  if (left.type === 'duration' && right.type === 'duration') return formatDuration(exact(left.value, right.value))
  return complain(name, 'Types mismatch')
}

function isZero({ type, value }: Operand): boolean {
  return type === 'number' ? value === 0 : type === 'duration' ? value === 0n : value.nano === 0n
}

function product(one: unknown, other: unknown): unknown {
  const [left, right] = [operand('multiply', one), operand('multiply', other)]
  if (left.type === 'number' && right.type === 'number') return left.value * right.value
  const [factor, value] = left.type === 'number' ? [left, right] : [right, left]
  if (factor.type !== 'number') return complain('multiply', 'Types mismatch')
  if (value.type === 'quantity') {
    const nano = (value.value.nano * billionths('multiply', factor.value)) / NANO
    return formatQuantity({ nano, format: value.value.format })
  }
  if (value.type === 'duration') return formatDuration(ofSeconds(seconds(value.value) * factor.value))
  return complain('multiply', 'Types mismatch')
}

function quotient(one: unknown, other: unknown): unknown {
  const [left, right] = [operand('divide', one), operand('divide', other)]
  if (left.type === 'number' ? right.type !== 'number' : right.type !== 'number' && right.type !== left.type)
    return complain('divide', 'Types mismatch')
  if (isZero(right)) return complain('divide', 'Zero divisor passed')
  if (left.type === 'number') return right.type === 'number' ? left.value / right.value : undefined
  if (left.type === 'duration')
    return right.type === 'number'
      ? formatDuration(ofSeconds(seconds(left.value) / right.value))
      : right.type === 'duration'
        ? seconds(left.value) / seconds(right.value)
        : undefined
  if (right.type === 'quantity') return Number(left.value.nano) / Number(right.value.nano)
  if (right.type !== 'number') return undefined
  const by = billionths('divide', right.value)
  // As many decimals as the finer of the two has, the rest cut off.
  const unit = left.value.nano % NANO === 0n && by % NANO === 0n ? NANO : 1n
  const nano = ((left.value.nano * NANO) / by / unit) * unit
  return formatQuantity({ nano, format: left.value.format })
}

function billionths(name: string, value: number): bigint {
  return parseQuantity(goNumber(value))?.nano ?? complain(name, 'invalid operand')
}

function seconds(nanoseconds: bigint): number {
  return Number(nanoseconds) / 1e9
}

function ofSeconds(value: number): bigint {
  return Number.isFinite(value) ? BigInt(Math.trunc(value * 1e9)) : 0n
}
