import type { Operator } from './ast.js'
import { CelError, noOverload } from './errors.js'
import type { Frame } from './frame.js'
import { Duration, Timestamp } from './time.js'
import { compare, Double, entry, equal, int, isList, isMap, Uint } from './values.js'

/** What an operator says of two values (CEL's language definition, "Standard definitions"). */
export function operate(operator: Operator, a: unknown, b: unknown, frame: Frame): unknown {
  switch (operator) {
    case '==':
      return same(a, b, frame)
    case '!=':
      return !same(a, b, frame)
    case 'in':
      return isIn(a, b, frame)
    case '+':
      return add(a, b, frame)
    case '-':
    case '*':
    case '/':
    case '%':
      return arithmetic(operator, a, b)
    default:
      return ordered(operator, a, b)
  }
}

function same(a: unknown, b: unknown, frame: Frame): boolean {
  if (isList(a) && isList(b)) frame.budget.spend(Math.min(a.length, b.length))
  return equal(a, b)
}

function isIn(value: unknown, of: unknown, frame: Frame): boolean {
  if (isList(of)) {
    frame.budget.spend(of.length >> 2)
    return of.some((item) => equal(value, item))
  }
  if (isMap(of)) return entry(of, value) !== undefined
  throw noOverload()
}

function ordered(operator: '<' | '<=' | '>' | '>=', a: unknown, b: unknown): boolean {
  const order = compare(a, b)
  if (order === undefined) throw noOverload()
  switch (operator) {
    case '<':
      return order < 0
    case '<=':
      return order <= 0
    case '>':
      return order > 0
    case '>=':
      return order >= 0
  }
}

function add(a: unknown, b: unknown, frame: Frame): unknown {
  if (typeof a === 'string' && typeof b === 'string') {
    frame.budget.text(a.length + b.length)
    return a + b
  }
  if (isList(a) && isList(b)) {
    frame.budget.spend(a.length + b.length)
    return [...a, ...b]
  }
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    frame.budget.spend((a.length + b.length) >> 3)
    const joined = new Uint8Array(a.length + b.length)
    joined.set(a)
    joined.set(b, a.length)
    return joined
  }
  if (a instanceof Duration && b instanceof Duration) return a.plus(b)
  if (a instanceof Timestamp && b instanceof Duration) return a.plus(b)
  if (a instanceof Duration && b instanceof Timestamp) return b.plus(a)
  return arithmetic('+', a, b)
}

function arithmetic(operator: '+' | '-' | '*' | '/' | '%', a: unknown, b: unknown): unknown {
  if (typeof a === 'bigint' && typeof b === 'bigint') return int(whole(operator, a, b))
  if (a instanceof Uint && b instanceof Uint) return new Uint(whole(operator, a.value, b.value))
  if (a instanceof Double && b instanceof Double && operator !== '%')
    return new Double(real(operator, a.value, b.value))
  if (operator === '-' && a instanceof Duration && b instanceof Duration) return a.plus(b.negated())
  if (operator === '-' && a instanceof Timestamp && b instanceof Duration) return a.plus(b.negated())
  if (operator === '-' && a instanceof Timestamp && b instanceof Timestamp) return a.since(b)
  throw noOverload()
}

function whole(operator: '+' | '-' | '*' | '/' | '%', a: bigint, b: bigint): bigint {
  switch (operator) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '/':
      if (b === 0n) throw new CelError('division by zero')
      return a / b
    case '%':
      if (b === 0n) throw new CelError('modulus by zero')
      return a % b
  }
}

function real(operator: '+' | '-' | '*' | '/', a: number, b: number): number {
  switch (operator) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '/':
      return a / b
  }
}

export function negate(value: unknown): unknown {
  if (typeof value === 'bigint') return int(-value)
  if (value instanceof Double) return new Double(-value.value)
  if (value instanceof Duration) return value.negated()
  throw noOverload()
}

export function asBool(value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw noOverload()
}
