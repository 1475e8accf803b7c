import { MongoError } from '../../errors.js'
import { isInt32, isPlain } from '../../values/decode.js'
import { isNumeric } from '../../values/numbers.js'
import { typeOf } from '../../values/types.js'
import { named } from './logic.js'
import { type Evaluate, isNothing, isTrue, type Operator, order, over, type Scope } from './types.js'

/* Arrays (MongoDB, "Array Expression Operators"). What makes one asks for its room first. */

type Location = `Location${number}`

/** @throws MongoError */
function arrayOf(value: unknown, code: Location, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw new MongoError(code, `${what} must be an array, but is ${value === undefined ? 'missing' : typeOf(value)}`)
}

/** A whole number of 32 bits. @throws MongoError */
function int(value: unknown, type: Location, range: Location, what: string): number {
  if (!isNumeric(value)) throw new MongoError(type, `${what} must be a numeric value, but is ${typeOf(value)}`)
  const number = Number(value)
  if (!isInt32(number + 0)) throw new MongoError(range, `${what} must be representable as a 32-bit integer: ${number}`)
  return number
}

/** From the end where it is negative. */
const at = (array: readonly unknown[], index: number): unknown => array[index < 0 ? array.length + index : index]

const edge = (index: number): Operator =>
  over(1, 1, ([value], _scope, name) =>
    isNothing(value) ? null : at(arrayOf(value, 'Location28689', `${name}'s argument`), index),
  )

function range(values: readonly unknown[], { budget }: Scope): unknown {
  const start = int(values[0], 'Location34443', 'Location34444', "$range's starting value")
  const end = int(values[1], 'Location34445', 'Location34446', "$range's ending value")
  const step = values.length < 3 ? 1 : int(values[2], 'Location34447', 'Location34448', "$range's step value")
  if (step === 0) throw new MongoError('Location34449', '$range requires a non-zero step value')
  const length = Math.max(0, Math.ceil((end - start) / step))
  budget.elements(length)
  const numbers: number[] = []
  for (let index = 0; index < length; index++) numbers.push(start + index * step)
  return budget.made(numbers)
}

function slice(values: readonly unknown[], { budget }: Scope): unknown {
  const [value, first, second] = values
  if (values.some(isNothing)) return null
  const array = arrayOf(value, 'Location28724', "$slice's first argument")
  const from = int(first, 'Location28725', 'Location28726', "$slice's second argument")
  if (values.length === 2) return budget.made(from >= 0 ? array.slice(0, from) : array.slice(from))
  const count = int(second, 'Location28727', 'Location28728', "$slice's third argument")
  if (count <= 0) throw new MongoError('Location28729', `Third argument to $slice must be positive: ${count}`)
  const begin = from >= 0 ? from : Math.max(0, array.length + from)
  return budget.made(array.slice(begin, begin + count))
}

/** One after the other. Element by element: `flat` looks each one up as a property, ten times as slowly. */
function joined(lists: readonly (readonly unknown[])[]): readonly unknown[] {
  const all: unknown[] = []
  for (const list of lists) for (const value of list) all.push(value)
  return all
}

/** With one more variable, or two. */
const within = (scope: Scope, added: Readonly<Record<string, unknown>>): Scope => ({
  ...scope,
  variables: { ...scope.variables, ...added },
})

/** @throws MongoError FailedToParse */
export function checkName(name: unknown): string {
  if (typeof name === 'string' && /^[a-z\u0080-\uffff][\w\u0080-\uffff]*$/.test(name)) return name
  throw new MongoError('FailedToParse', `'${String(name)}' is no name for a variable: it starts with a small letter`)
}

function elements(name: string, operand: Readonly<Record<string, unknown>>): string {
  return Object.hasOwn(operand, 'as') ? checkName(operand.as) : name
}

const mapping = {
  codes: ['Location16878', 'Location16879'],
  fields: { input: 'Location16880', in: 'Location16882' },
  optional: ['as'],
} as const
const filtering = {
  codes: ['Location28646', 'Location28647'],
  fields: { input: 'Location28648', cond: 'Location28650' },
  optional: ['as'],
} as const
const reduction = {
  codes: ['Location40075', 'Location40076'],
  fields: { input: 'Location40077', initialValue: 'Location40078', in: 'Location40079' },
} as const
const binding = {
  codes: ['Location16874', 'Location16875'],
  fields: { vars: 'Location16876', in: 'Location16877' },
} as const

/** `undefined` in an array that is made is null. */
const $map: Operator = (operand, compile, name) => {
  const spec = named(name, operand, mapping)
  const as = elements('this', spec)
  const input = compile(spec.input)
  const each = compile.knowing(as)(spec.in)
  return (scope) => {
    const value = input(scope)
    if (isNothing(value)) return null
    const array = arrayOf(value, 'Location16883', 'input to $map')
    return scope.budget.made(array.map((item) => step(scope, each, { [as]: item }, scope.budget.mark) ?? null))
  }
}

function step(scope: Scope, evaluate: Evaluate, variables: Readonly<Record<string, unknown>>, mark: number): unknown {
  scope.budget.tick()
  return scope.budget.keep(mark, evaluate(within(scope, variables)))
}

const $filter: Operator = (operand, compile, name) => {
  if (isPlain(operand) && Object.hasOwn(operand, 'limit'))
    throw new MongoError('NotImplemented', "'limit' of $filter is not supported by this server")
  const spec = named(name, operand, filtering)
  const as = elements('this', spec)
  const input = compile(spec.input)
  const test = compile.knowing(as)(spec.cond)
  return (scope) => {
    const value = input(scope)
    if (isNothing(value)) return null
    const array = arrayOf(value, 'Location28651', 'input to $filter')
    return scope.budget.made(array.filter((item) => isTrue(step(scope, test, { [as]: item }, scope.budget.mark))))
  }
}

const $reduce: Operator = (operand, compile, name) => {
  const spec = named(name, operand, reduction)
  const input = compile(spec.input)
  const initial = compile(spec.initialValue)
  const next = compile.knowing('this', 'value')(spec.in)
  return (scope) => {
    const list = input(scope)
    if (isNothing(list)) return null
    const array = arrayOf(list, 'Location40080', "$reduce's input")
    let value = initial(scope)
    const { mark } = scope.budget
    for (const item of array) value = step(scope, next, { this: item, value }, mark)
    return value
  }
}

const $let: Operator = (operand, compile, name) => {
  const { vars, in: inner } = named(name, operand, binding)
  if (!isPlain(vars)) throw new MongoError('Location16876', 'invalid parameter: expected an object (vars)')
  const names = Object.keys(vars).map(checkName)
  const values = names.map((each) => [each, compile(vars[each])] as const)
  const evaluate = compile.knowing(...names)(inner)
  return (scope) => {
    scope.budget.tick(1 + names.length)
    return evaluate(within(scope, Object.fromEntries(values.map(([each, value]) => [each, value(scope)] as const))))
  }
}

export const arrays: Readonly<Record<string, Operator>> = {
  $map,
  $filter,
  $reduce,
  $let,
  $range: over(2, 3, range),
  $slice: over(2, 3, slice),
  $size: over(1, 1, ([value]) => arrayOf(value, 'Location17124', 'The argument to $size').length),
  $isArray: over(1, 1, ([value]) => Array.isArray(value)),
  $first: edge(0),
  $last: edge(-1),
  $arrayElemAt: over(2, 2, ([value, index]) => {
    if (isNothing(value) || isNothing(index)) return null
    const array = arrayOf(value, 'Location28689', "$arrayElemAt's first argument")
    return at(array, int(index, 'Location28690', 'Location28691', "$arrayElemAt's second argument"))
  }),
  $concatArrays: over(0, Number.POSITIVE_INFINITY, (values, { budget }) => {
    if (values.some(isNothing)) return null
    const lists = values.map((value) => arrayOf(value, 'Location28664', 'each argument of $concatArrays'))
    budget.elements(lists.reduce((length, list) => length + list.length, 0))
    return budget.made(joined(lists))
  }),
  $reverseArray: over(1, 1, ([value], { budget }) =>
    isNothing(value)
      ? null
      : budget.made(arrayOf(value, 'Location34435', 'The argument to $reverseArray').toReversed()),
  ),
  $in: over(2, 2, ([value, list], { budget }) => {
    if (!Array.isArray(list))
      throw new MongoError('Location40081', `$in requires an array as a second argument, found: ${typeOf(list)}`)
    return list.some((item) => {
      budget.tick()
      return order(item, value, budget) === 0
    })
  }),
}
