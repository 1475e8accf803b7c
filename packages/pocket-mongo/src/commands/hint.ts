import { MongoError } from '../errors.js'
import type { ReadUnit } from '../store/types.js'
import { isPlain } from '../values/decode.js'
import { numberOf } from '../values/show.js'

/**
 * Which index a client wants used (MongoDB, "hint"): held against those that there are. It changes no answer here, and which
 * index is used is this server's affair; but a client that names one that is not there is to hear of it.
 *
 * @param hint an index by its name or its fields in their order, or `{ $natural: 1 }`
 * @throws MongoError BadValue (there is no such index), FailedToParse
 */
export function checkHint(unit: ReadUnit, ns: string, hint: unknown): void {
  if (hint === undefined) return
  if (typeof hint !== 'string' && !isPlain(hint))
    throw new MongoError('FailedToParse', 'Hint must be a string or an object')
  const indexes = unit.indexes(ns)
  const wanted = typeof hint === 'string' ? hint : Object.entries(hint)
  // Of a collection that is not there nothing is read.
  if (indexes.length === 0 || wanted.length === 0) return
  if (typeof wanted === 'string') {
    if (indexes.some(({ name }) => name === wanted)) return
  } else {
    const [[field, direction] = []] = wanted
    if (field === '$natural' && wanted.length === 1 && Math.abs(numberOf(direction)) === 1) return
    if (indexes.some(({ key }) => sameFields(Object.entries(key), wanted))) return
  }
  throw new MongoError(
    'BadValue',
    `error processing query: ns=${ns}: planner returned error :: caused by :: hint provided does not correspond to an existing index`,
  )
}

const sameFields = (
  key: readonly (readonly [string, number])[],
  wanted: readonly (readonly [string, unknown])[],
): boolean =>
  key.length === wanted.length &&
  key.every(([field, direction], at) => wanted[at]?.[0] === field && numberOf(wanted[at]?.[1]) === direction)
