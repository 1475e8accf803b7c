import { type Document, Long } from 'bson'
import { MongoError } from '../../errors.js'
import { compare, equal } from '../../values/compare.js'
import { isPlain, put } from '../../values/decode.js'
import { isNumeric, type Numeric } from '../../values/numbers.js'
import { orderOf } from '../../values/order.js'
import { calculate, double } from '../arithmetic.js'
import { compileExpression, runStage, type Variables } from '../expressions.js'
import type { Expression } from '../operators-of-expressions.js'

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
      if (isNumeric(value)) total = calculate('add', total, value)
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
      total = calculate('add', total, value)
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

function list(distinct: boolean): Accumulator {
  const items: unknown[] = []
  return {
    add(value) {
      if (value !== undefined && !(distinct && items.some((item) => equal(item, value)))) items.push(value)
    },
    result: () => items,
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

const accumulators: Readonly<Record<string, () => Accumulator>> = {
  $sum: sum,
  $avg: average,
  $min: () => extreme(-1),
  $max: () => extreme(1),
  $push: () => list(false),
  $addToSet: () => list(true),
  $first: () => edge(false),
  $last: () => edge(true),
  $count: () => {
    const total = sum()
    return { add: () => total.add(1), result: () => total.result() }
  },
}

interface Field {
  readonly name: string
  readonly make: () => Accumulator
  readonly value: Expression
}

/**
 * `$group`. Keys and values keep their types; an accumulator that is not here is mingo's, and then the whole stage is.
 *
 * @throws MongoError Location15955 (no `_id`), Location40234 (a field that is no accumulator)
 */
export function group(
  spec: unknown,
  documents: readonly Document[],
  variables: Variables,
  tick: () => void,
): Document[] {
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
    if (make === undefined) return runStage({ $group: spec }, documents, variables)
    fields.push({ name, make, value: compileExpression(value[operator], variables) })
  }
  const key = compileExpression(spec._id, variables)
  const groups = new Map<string, { readonly id: unknown; readonly made: readonly Accumulator[] }>()
  for (const document of documents) {
    tick()
    const id = key(document) ?? null
    const order = typeof id === 'string' ? `s${id}` : `o${orderOf(id)}`
    let found = groups.get(order)
    if (found === undefined) {
      found = { id, made: fields.map(({ make }) => make()) }
      groups.set(order, found)
    }
    for (const [index, { value }] of fields.entries()) found.made[index]?.add(value(document))
  }
  return [...groups.values()].map(({ id, made }) => {
    const result: Document = { _id: id }
    for (const [index, { name }] of fields.entries()) put(result, name, made[index]?.result())
    return result
  })
}
