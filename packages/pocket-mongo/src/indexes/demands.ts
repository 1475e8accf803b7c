import { isDeepStrictEqual } from 'node:util'
import type { Document } from 'bson'
import type { IndexState } from '../store/state.js'
import { isPlain } from '../values/decode.js'
import { typeOf } from '../values/types.js'

/** What a filter demands of one field, as far as an index can use it. */
export interface Demand {
  /** It is one of these. */
  readonly points?: readonly unknown[]
  readonly lower?: Bound
  readonly upper?: Bound
}

export interface Bound {
  readonly value: unknown
  readonly inclusive: boolean
}

/**
 * What a filter demands of each field, into `demands`; and what it says outright that a field is, into `equals`.
 */
export function collect(filter: Document, demands: Map<string, Demand>, equals: Document): void {
  for (const [path, condition] of Object.entries(filter)) {
    if (path === '$and') {
      if (Array.isArray(condition)) for (const part of condition) if (isPlain(part)) collect(part, demands, equals)
    } else if (!path.startsWith('$')) {
      const demand = isOperators(condition) ? demandOf(condition) : pointsOf([condition])
      if (demand.points?.length === 1) equals[path] = demand.points[0]
      demands.set(path, tighter(demands.get(path), demand))
    }
  }
}

const isOperators = (condition: unknown): condition is Document =>
  isPlain(condition) && Object.keys(condition)[0]?.startsWith('$') === true

function demandOf(operators: Document): Demand {
  let demand: Demand = {}
  for (const [operator, value] of Object.entries(operators)) {
    if (operator === '$eq') demand = tighter(demand, pointsOf([value]))
    else if (operator === '$in') demand = tighter(demand, Array.isArray(value) ? pointsOf(value) : {})
    else if (!isBound(value)) continue
    else if (operator === '$gt') demand = tighter(demand, { lower: { value, inclusive: false } })
    else if (operator === '$gte') demand = tighter(demand, { lower: { value, inclusive: true } })
    else if (operator === '$lt') demand = tighter(demand, { upper: { value, inclusive: false } })
    else if (operator === '$lte') demand = tighter(demand, { upper: { value, inclusive: true } })
  }
  return demand
}

/** The first of each is as good as any: all that match meet it. */
function tighter(a: Demand | undefined, b: Demand): Demand {
  return { ...b, ...a }
}

export const pointTypes: ReadonlySet<string> = new Set([
  'double',
  'int',
  'long',
  'decimal',
  'string',
  'objectId',
  'date',
  'bool',
  'binData',
  'timestamp',
  'null',
])

/** Only values that are equal to nothing but themselves (a pattern is not, nor an array). */
function pointsOf(values: readonly unknown[]): Demand {
  return values.every((value) => value !== undefined && pointTypes.has(typeOf(value))) ? { points: values } : {}
}

/** Null and NaN are in no order with others, only equal to themselves. */
const isBound = (value: unknown): boolean =>
  value !== null && value !== undefined && pointTypes.has(typeOf(value)) && !Number.isNaN(value)

/** False: a document may match and not be in the index. */
export function holdsAll(index: IndexState, demands: ReadonlyMap<string, Demand>, equals: Document): boolean {
  const partial = index.spec.partialFilterExpression
  if (
    partial !== undefined &&
    !Object.entries(partial).every(([path, wanted]) => implied(path, wanted, demands, equals))
  ) {
    return false
  }
  if (!index.shape.sparse) return true
  return index.shape.fields.some(({ path }) => demandsValue(demands.get(path)))
}

/** A condition of a partial index that the filter has, too. */
function implied(path: string, wanted: unknown, demands: ReadonlyMap<string, Demand>, equals: Document): boolean {
  if (path.startsWith('$')) return false
  if (!isOperators(wanted)) return Object.hasOwn(equals, path) && isDeepStrictEqual(equals[path], wanted)
  return isDeepStrictEqual(wanted, { $exists: true }) && demandsValue(demands.get(path))
}

/** It is there, and it is not null. */
function demandsValue(demand: Demand | undefined): boolean {
  if (demand === undefined) return false
  if (demand.points !== undefined) return demand.points.every((value) => value !== null)
  return demand.lower !== undefined || demand.upper !== undefined
}
