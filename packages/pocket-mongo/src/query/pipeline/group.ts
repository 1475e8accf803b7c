import { type Document, Long } from 'bson'
import { MongoError } from '../../errors.js'
import { compare } from '../../values/compare.js'
import { isPlain, put } from '../../values/decode.js'
import { isNumeric, type Numeric } from '../../values/numbers.js'
import { orderOf } from '../../values/order.js'
import { double } from '../arithmetic.js'
import type { Budget } from '../budget.js'
import { combine } from '../expressions/arithmetic.js'
import { merged } from '../expressions/objects.js'
import { refusedAccumulators } from '../expressions/refused.js'
import { compileExpression, type Expression, type Variables } from '../expressions.js'

/** One accumulator over one group: `undefined` for a value that is not there. */
interface Accumulator {
  add(value: unknown): void
  result(): unknown
}

const isNothing = (value: unknown): boolean => value === undefined || value === null

function sum(): Accumulator {
  let total: Numeric = 0
  return {
    add(value) {
      if (isNumeric(value)) total = combine('add', total, value)
    },
    result: () => total,
  }
}

function average(): Accumulator {
  let total: Numeric = Long.ZERO
  let count = 0
  return {
    add(value) {
      if (!isNumeric(value)) return
      total = combine('add', total, value)
      count++
    },
    result: () => (count === 0 ? null : double(Number(total) / count)),
  }
}

function extreme(direction: 1 | -1): Accumulator {
  let best: unknown
  return {
    add(value) {
      if (isNothing(value)) return
      if (best === undefined || compare(value, best) * direction > 0) best = value
    },
    result: () => best ?? null,
  }
}

function list(budget: Budget): Accumulator {
  const items: unknown[] = []
  return {
    add(value) {
      if (value === undefined) return
      budget.elements(1)
      items.push(value)
    },
    result: () => budget.made(items),
  }
}

function set(budget: Budget): Accumulator {
  const items = new Map<string, unknown>()
  return {
    add(value) {
      if (value === undefined) return
      const key = keyOf(value, budget)
      if (items.has(key)) return
      budget.text(key.length)
      items.set(key, value)
    },
    result: () => budget.made([...items.values()]),
  }
}

/** Equal values have equal keys. */
function keyOf(value: unknown, budget: Budget): string {
  budget.tick(1 + budget.weigh(value) / 64)
  return typeof value === 'string' ? `s${value}` : `o${orderOf(value)}`
}

function objectsOf(budget: Budget): Accumulator {
  let result: Document = {}
  return {
    add(value) {
      result = budget.made(merged([result, value]))
    },
    result: () => result,
  }
}

function edge(last: boolean): Accumulator {
  let seen = false
  let kept: unknown
  return {
    add(value) {
      if (!seen || last) kept = value
      seen = true
    },
    result: () => kept ?? null,
  }
}

const accumulators: Readonly<Record<string, (budget: Budget) => Accumulator>> = {
  $sum: sum,
  $avg: average,
  $min: () => extreme(-1),
  $max: () => extreme(1),
  $push: list,
  $addToSet: set,
  $first: () => edge(false),
  $last: () => edge(true),
  $mergeObjects: objectsOf,
  $count: () => {
    const total = sum()
    return { add: () => total.add(1), result: () => total.result() }
  },
}

interface Field {
  readonly name: string
  readonly make: (budget: Budget) => Accumulator
  readonly value: Expression
}

/**
 * `$group`. Keys and values keep their types.
 *
 * @throws MongoError Location15955 (no `_id`), Location40234 (a field that is no accumulator), Location15952 (an unknown one)
 */
export function group(spec: unknown, documents: readonly Document[], variables: Variables, budget: Budget): Document[] {
  if (!isPlain(spec)) throw new MongoError('Location15947', "a group's fields must be specified in an object")
  if (!Object.hasOwn(spec, '_id')) throw new MongoError('Location15955', 'a group specification must include an _id')
  const fields: Field[] = []
  for (const name of Object.keys(spec)) {
    if (name === '_id') continue
    const value: unknown = spec[name]
    const [operator = '', second] = isPlain(value) ? Object.keys(value) : []
    if (!isPlain(value) || !operator.startsWith('$') || second !== undefined)
      throw new MongoError('Location40234', `The field '${name}' must be an accumulator object`)
    const make = Object.hasOwn(accumulators, operator) ? accumulators[operator] : undefined
    if (make === undefined) throw unknown(operator)
    if (operator === '$count' && !(isPlain(value.$count) && Object.keys(value.$count).length === 0))
      throw new MongoError('TypeMismatch', '$count takes no arguments, i.e. $count:{}')
    fields.push({ name, make, value: compileExpression(value[operator], variables, budget) })
  }
  const key = compileExpression(spec._id, variables, budget)
  const groups = new Map<string, { readonly id: unknown; readonly made: readonly Accumulator[] }>()
  for (const document of documents) {
    budget.tick()
    const id = key(document) ?? null
    const order = keyOf(id, budget)
    let found = groups.get(order)
    if (found === undefined) {
      budget.text(order.length)
      budget.elements(8 * (1 + fields.length))
      found = { id, made: fields.map(({ make }) => make(budget)) }
      groups.set(order, found)
    }
    for (const [index, { value }] of fields.entries()) found.made[index]?.add(value(document))
  }
  return [...groups.values()].map(({ id, made }) => {
    const result: Document = { _id: id }
    for (const [index, { name }] of fields.entries()) put(result, name, made[index]?.result())
    return budget.made(result)
  })
}

function unknown(operator: string): MongoError {
  if (refusedAccumulators.has(operator))
    return new MongoError('NotImplemented', `the accumulator ${operator} is not supported by this server`)
  return new MongoError('Location15952', `unknown group operator '${operator}'`)
}
