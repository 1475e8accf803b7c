import type { Document } from 'bson'
import { MongoError } from '../errors.js'
import { compare, equal } from '../values/compare.js'
import { isNumeric } from '../values/numbers.js'
import { typeOf } from '../values/types.js'
import { calculate } from './arithmetic.js'

/** The value that an expression has for a document; `undefined`: none. */
export type Expression = (document: Document) => unknown

/** As MongoDB takes a value for true: not false, null, 0 or nothing. */
export const isTrue = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== false && !equal(value, 0)

/** In expressions, no value at all comes before null. */
function order(a: unknown, b: unknown): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined)
  return Math.sign(compare(a, b))
}

const comparison =
  (passes: (order: number) => unknown) =>
  ([a, b]: readonly unknown[]): unknown =>
    passes(order(a, b))

/** undefined: for these values it is mingo's, dates for one. */
const sum = (operation: 'add' | 'multiply') => (values: readonly unknown[]) => {
  if (values.some((value) => value === null || value === undefined)) return null
  if (!values.every(isNumeric)) return undefined
  return values.reduce((total, value) => calculate(operation, total, value), operation === 'add' ? 0 : 1)
}

/** Operators over the values of their operands; `arity` absent: as many as there are. */
const operators: Readonly<
  Record<string, { readonly arity?: number; readonly of: (values: readonly unknown[]) => unknown }>
> = {
  $eq: { arity: 2, of: comparison((found) => found === 0) },
  $ne: { arity: 2, of: comparison((found) => found !== 0) },
  $gt: { arity: 2, of: comparison((found) => found > 0) },
  $gte: { arity: 2, of: comparison((found) => found >= 0) },
  $lt: { arity: 2, of: comparison((found) => found < 0) },
  $lte: { arity: 2, of: comparison((found) => found <= 0) },
  $cmp: { arity: 2, of: comparison((found) => found) },
  $and: { of: (values) => values.every(isTrue) },
  $or: { of: (values) => values.some(isTrue) },
  $not: { arity: 1, of: ([value]) => !isTrue(value) },
  $in: {
    arity: 2,
    of: ([value, list]) => {
      if (Array.isArray(list)) return list.some((item) => order(item, value) === 0)
      throw new MongoError('Location40081', `$in requires an array as a second argument, found: ${typeOf(list)}`)
    },
  },
  $ifNull: { of: (values) => values.find((value) => value !== undefined && value !== null) ?? values.at(-1) },
  $cond: { arity: 3, of: ([test, yes, no]) => (isTrue(test) ? yes : no) },
  $add: { of: sum('add') },
  $multiply: { of: sum('multiply') },
}

/**
 * Operators whose answer depends on BSON's types, or passes a value on as it is. undefined: it is none of them.
 *
 * @throws MongoError Location16020 (too many operands, or too few)
 */
export function ownOperator(
  name: string,
  operand: unknown,
  compile: (operand: unknown) => Expression,
  mingo: Expression,
): Expression | undefined {
  const operator = Object.hasOwn(operators, name) ? operators[name] : undefined
  if (operator === undefined) return undefined
  const operands = (operandsOf(name, operand) ?? [operand]).map(compile)
  const { arity, of } = operator
  if (arity !== undefined && operands.length !== arity)
    throw new MongoError(
      'Location16020',
      `Expression ${name} takes exactly ${arity} arguments. ${operands.length} were passed in.`,
    )
  return (document) => {
    const value = of(operands.map((each) => each(document)))
    return value === undefined && (name === '$add' || name === '$multiply') ? mingo(document) : value
  }
}

function operandsOf(name: string, operand: unknown): readonly unknown[] | undefined {
  if (Array.isArray(operand)) return operand
  if (name !== '$cond' || typeof operand !== 'object' || operand === null) return undefined
  const { if: test, then: yes, else: no }: Document = operand
  return [test, yes, no]
}
