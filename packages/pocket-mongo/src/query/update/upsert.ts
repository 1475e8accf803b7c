import { type Document, ObjectId } from 'bson'
import { isPlain } from '../../values/decode.js'
import { isOperator } from '../operators.js'
import { regexOf } from '../regex.js'
import { changeAt } from './paths.js'
import type { Update } from './update.js'

/**
 * The document that an upsert inserts: what the filter says fields are equal to, then the update (MongoDB, "Upsert
 * Behavior"). A replacement takes only the filter's `_id`.
 */
export function upserted(filter: Document, update: Update, replaces: boolean): Document {
  let seed: Document = {}
  for (const [field, value] of equalities(filter)) {
    if (replaces && field !== '_id') continue
    seed = changeAt(seed, field.split('.'), () => value, { filters: new Map(), position: () => 0, create: true })
  }
  const made = update(seed)
  return withId(made)
}

/** `_id` stands first in a document. */
export const withId = (document: Document): Document => {
  if (!Object.hasOwn(document, '_id')) return { _id: new ObjectId(), ...document }
  const [first] = Object.keys(document)
  return first === '_id' ? document : { _id: document._id, ...document }
}

function equalities(filter: Document): readonly (readonly [string, unknown])[] {
  return Object.keys(filter).flatMap((key): readonly (readonly [string, unknown])[] => {
    const value: unknown = filter[key]
    const clauses = Array.isArray(value) ? value.filter(isPlain) : []
    if (key === '$and' || (key === '$or' && clauses.length === 1)) return clauses.flatMap(equalities)
    if (key.startsWith('$') || regexOf(value) !== undefined) return []
    if (!isOperator(value)) return [[key, value]]
    if (Object.hasOwn(value, '$eq')) return [[key, value.$eq]]
    const listed: unknown = value.$in
    return Array.isArray(listed) && listed.length === 1 ? [[key, listed[0]]] : []
  })
}
