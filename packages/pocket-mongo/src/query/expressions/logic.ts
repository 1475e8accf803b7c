import { MongoError } from '../../errors.js'
import { isPlain } from '../../values/decode.js'
import { typeOf } from '../../values/types.js'
import { isNothing, isTrue, type Operator, operandsOf, order, over } from './types.js'

/* Comparisons, truths and choices. What is not chosen is not evaluated: it may be an error. */

const comparison = (passes: (order: number) => unknown): Operator =>
  over(2, 2, ([a, b], { budget }) => passes(order(a, b, budget)))

const all = (operand: unknown): readonly unknown[] => (Array.isArray(operand) ? operand : [operand])

/** What an operator takes by name, and MongoDB's numbers for what is wrong with it. */
interface Named {
  /** It is no object; it has a field that is unknown. */
  readonly codes: readonly [shape: Location, odd: Location]
  /** Those that have to be there. */
  readonly fields: Readonly<Record<string, Location>>
  readonly optional?: readonly string[]
}
type Location = `Location${number}`

/** @throws MongoError */
export function named(name: string, operand: unknown, how: Named): Readonly<Record<string, unknown>> {
  const { codes, fields, optional = [] } = how
  if (!isPlain(operand)) throw new MongoError(codes[0], `${name} only supports an object as its argument`)
  const odd = Object.keys(operand).find((field) => !Object.hasOwn(fields, field) && !optional.includes(field))
  if (odd !== undefined) throw new MongoError(codes[1], `Unrecognized parameter to ${name}: ${odd}`)
  for (const [field, code] of Object.entries(fields))
    if (!Object.hasOwn(operand, field)) throw new MongoError(code, `Missing '${field}' parameter to ${name}`)
  return operand
}

export const logic: Readonly<Record<string, Operator>> = {
  $eq: comparison((found) => found === 0),
  $ne: comparison((found) => found !== 0),
  $gt: comparison((found) => found > 0),
  $gte: comparison((found) => found >= 0),
  $lt: comparison((found) => found < 0),
  $lte: comparison((found) => found <= 0),
  $cmp: comparison((found) => found),
  $not: over(1, 1, ([value]) => !isTrue(value)),
  $and: (operand, compile) => {
    const tests = all(operand).map(compile)
    return (scope) => tests.every((test) => isTrue(test(scope)))
  },
  $or: (operand, compile) => {
    const tests = all(operand).map(compile)
    return (scope) => tests.some((test) => isTrue(test(scope)))
  },
  $cond: (operand, compile) => {
    const { if: given, then, else: other } = isNamed(operand) ? named('$cond', operand, choice) : choiceOf(operand)
    const [test, yes, no] = [compile(given), compile(then), compile(other)]
    return (scope) => (isTrue(test(scope)) ? yes(scope) : no(scope))
  },
  $ifNull: (operand, compile) => {
    const operands = all(operand)
    if (operands.length < 2)
      throw new MongoError('Location1257300', `$ifNull needs at least two arguments, had: ${operands.length}`)
    const values = operands.map(compile)
    return (scope) => {
      let found: unknown
      for (const value of values) {
        found = value(scope)
        if (!isNothing(found)) break
      }
      return found
    }
  },
  $switch: (operand, compile) => {
    if (!isPlain(operand)) throw new MongoError('Location40060', '$switch requires an object as an argument')
    const { branches, default: otherwise, ...others } = operand
    const [odd] = Object.keys(others)
    if (odd !== undefined) throw new MongoError('Location40067', `$switch found an unknown argument: ${odd}`)
    if (branches !== undefined && !Array.isArray(branches))
      throw new MongoError('Location40061', `$switch expected an array for 'branches', found: ${typeOf(branches)}`)
    if (branches === undefined || branches.length === 0)
      throw new MongoError('Location40068', '$switch requires at least one branch')
    const cases = (branches as readonly unknown[])
      .map(branchOf)
      .map(([test, then]) => [compile(test), compile(then)] as const)
    const last = Object.hasOwn(operand, 'default') ? compile(otherwise) : undefined
    return (scope) => {
      for (const [test, then] of cases) if (isTrue(test(scope))) return then(scope)
      if (last !== undefined) return last(scope)
      throw new MongoError(
        'Location40066',
        '$switch could not find a matching branch for an input, and no default was specified.',
      )
    }
  },
}

/** `{ if, then, else }`, and not another expression. */
const isNamed = (operand: unknown): boolean => isPlain(operand) && Object.keys(operand)[0]?.startsWith('$') !== true

function choiceOf(operand: unknown) {
  const [test, then, other] = operandsOf('$cond', operand, 3)
  return { if: test, then, else: other }
}

const CHOICE: readonly (readonly [string, Location])[] = [
  ['if', 'Location17080'],
  ['then', 'Location17081'],
  ['else', 'Location17082'],
]
const choice: Named = { codes: ['Location16020', 'Location17083'], fields: Object.fromEntries(CHOICE) }

function branchOf(branch: unknown): readonly [unknown, unknown] {
  if (!isPlain(branch)) throw new MongoError('Location40062', '$switch expected each branch to be an object')
  const odd = Object.keys(branch).find((field) => field !== 'case' && field !== 'then')
  if (odd !== undefined)
    throw new MongoError('Location40063', `$switch found an unknown argument to a branch: '${odd}'`)
  if (!Object.hasOwn(branch, 'case'))
    throw new MongoError('Location40064', "$switch requires each branch have a 'case' expression")
  if (!Object.hasOwn(branch, 'then'))
    throw new MongoError('Location40065', "$switch requires each branch have a 'then' expression.")
  return [branch.case, branch.then]
}
