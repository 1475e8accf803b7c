import type { Document } from 'bson'
import type { IndexState } from '../store/state.js'
import { after } from '../store/state.js'
import type { Range } from '../store/tree.js'
import { inverted } from '../values/number-order.js'
import { orderOf } from '../values/order.js'
import { typeOf } from '../values/types.js'
import { collect, type Demand, holdsAll, pointTypes } from './demands.js'

/** Where in an index the documents are that may match. */
export interface Plan {
  readonly index: IndexState
  readonly ranges: readonly Range<string>[]
  readonly sorted: boolean
}

type Sort = Readonly<Record<string, 1 | -1>>

/** More points than this (several `$in` multiply) cost more than they save. */
const mostPoints = 1000

/** The best index for a filter; undefined: all documents are to be looked at. */
export function planFor(indexes: readonly IndexState[], filter: Document, sort: Sort | undefined): Plan | undefined {
  const byId = planForId(indexes, filter)
  if (byId !== undefined) return byId
  const demands = new Map<string, Demand>()
  const equals: Document = {}
  collect(filter, demands, equals)
  const wanted = sort === undefined ? [] : Object.entries(sort)
  let best: { readonly plan: Plan; readonly worth: number } | undefined
  for (const index of indexes) {
    if (!holdsAll(index, demands, equals)) continue
    const found = use(index, demands, wanted)
    if (found !== undefined && (best === undefined || found.worth > best.worth)) best = found
  }
  return best?.plan
}

/** What is asked most: one document by its `_id`, which is no array. */
function planForId(indexes: readonly IndexState[], filter: Document): Plan | undefined {
  const id: unknown = filter._id
  const [index] = indexes
  if (id === undefined || index === undefined || !pointTypes.has(typeOf(id))) return undefined
  const from = orderOf(id)
  return { index, ranges: [{ from, to: after(from) }], sorted: true }
}

function use(
  index: IndexState,
  demands: ReadonlyMap<string, Demand>,
  sort: readonly (readonly [string, 1 | -1])[],
): { readonly plan: Plan; readonly worth: number } | undefined {
  const { fields } = index.shape
  let prefixes: readonly string[] = ['']
  let at = 0
  const roots = new Set<string>()
  for (; at < fields.length; at++) {
    const field = fields[at] as (typeof fields)[number]
    const { points } = demands.get(field.path) ?? {}
    if (points === undefined || !usable(index, field.parts, points, roots)) break
    if (prefixes.length * points.length > mostPoints) break
    const texts = [...new Set(points.map(orderOf))].map((text) => (field.descending ? inverted(text) : text)).sort()
    prefixes = prefixes.flatMap((prefix) => texts.map((text) => prefix + text))
  }
  const next = fields[at]
  const range = next === undefined ? undefined : demands.get(next.path)
  const bounded =
    next !== undefined &&
    range !== undefined &&
    (range.lower !== undefined || range.upper !== undefined) &&
    usable(index, next.parts, [], roots)
  const direction = prefixes.length === 1 && !index.multikey ? sortedBy(fields, at, sort) : 0
  const sorted = direction !== 0
  if (at === 0 && !bounded && !sorted) return undefined
  const reverse = direction === -1
  const ranges = prefixes.map((prefix) =>
    bounded
      ? between(prefix, range, next.descending, index.multikey, reverse)
      : { from: prefix, to: after(prefix), reverse },
  )
  const whole = at === fields.length && index.shape.unique
  const worth = (whole ? 1000 : 0) + at * 10 + (bounded ? 5 : 0) + (sorted ? 2 : 0)
  return { plan: { index, ranges, sorted }, worth }
}

/**
 * With arrays a document has several keys: what it is demanded of two fields below the same array may be met by two
 * elements, and stand in no key together. And where null is asked for, a document may match that has other keys.
 */
function usable(index: IndexState, parts: readonly string[], points: readonly unknown[], roots: Set<string>): boolean {
  const [root = ''] = parts
  if (index.multikey && (roots.has(root) || points.some((value) => value === null))) return false
  roots.add(root)
  return true
}

/**
 * 1 or -1: read so, what is left of the index's fields is in the wanted order. 0: it is not.
 *
 * @param fixed so many of the fields, from the first on, have one value throughout, which orders nothing
 */
function sortedBy(
  fields: readonly { readonly path: string; readonly descending: boolean }[],
  fixed: number,
  sort: readonly (readonly [string, 1 | -1])[],
): 0 | 1 | -1 {
  const [known, rest] = [fields.slice(0, fixed), fields.slice(fixed)]
  const open = sort.filter(([path]) => !known.some((field) => field.path === path))
  if (open.length === 0 || open.length > rest.length) return 0
  let direction: 0 | 1 | -1 = 0
  for (const [at, [path, wanted]] of open.entries()) {
    const field = rest[at]
    if (field === undefined || field.path !== path) return 0
    const needed = (wanted === -1) === field.descending ? 1 : -1
    if (direction !== 0 && direction !== needed) return 0
    direction = needed
  }
  return direction
}

/** Only values of the bound's own kind lie within it, as `$gt` and its like have it. */
function between(
  prefix: string,
  demand: Demand,
  descending: boolean,
  multikey: boolean,
  reverse: boolean,
): Range<string> {
  // Two elements of an array may meet the two bounds, and neither of them both.
  const lower = demand.lower
  const upper = multikey && lower !== undefined ? undefined : demand.upper
  const kind = orderOf((lower ?? upper)?.value)[0] as string
  const bottom = lower === undefined ? kind : lower.inclusive ? orderOf(lower.value) : after(orderOf(lower.value))
  const top = upper === undefined ? after(kind) : upper.inclusive ? after(orderOf(upper.value)) : orderOf(upper.value)
  if (!descending) return { from: prefix + bottom, to: prefix + top, reverse }
  return { from: prefix + turned(top), to: prefix + turned(bottom), reverse }
}

/** `after(x)` in an order that is turned round is the text itself, and the other way about. */
function turned(text: string): string {
  return text.endsWith('\uffff') ? inverted(text.slice(0, -1)) : after(inverted(text))
}
