import { isDeepStrictEqual } from 'node:util'
import { MongoError } from '../errors.js'
import type { IndexSpec } from '../store/types.js'

export const idIndex: IndexSpec = { name: '_id_', key: { _id: 1 } }

/** MongoDB's limit. */
const mostIndexes = 64

/**
 * The indexes that there will be, those that are there already left out.
 *
 * @throws MongoError CannotCreateIndex, IndexOptionsConflict, IndexKeySpecsConflict
 */
export function withIndexes(existing: readonly IndexSpec[], wanted: readonly IndexSpec[]): readonly IndexSpec[] {
  const result = [...existing]
  for (const spec of wanted) {
    check(spec)
    const { key } = spec
    if (sameKey(key, idIndex.key)) continue
    const named = result.find(({ name }) => name === spec.name)
    if (named !== undefined) {
      if (isDeepStrictEqual(plain(named), plain(spec)) && sameKey(named.key, key)) continue
      throw sameKey(named.key, key)
        ? new MongoError(
            'IndexOptionsConflict',
            `An index with the name ${quoted(spec)} already exists with different options`,
          )
        : new MongoError(
            'IndexKeySpecsConflict',
            `An existing index has the same name as the requested index. Requested: ${JSON.stringify(plain(spec))}, existing: ${JSON.stringify(plain(named))}`,
          )
    }
    const twin = result.find((other) => sameKey(other.key, key) && samePart(other, spec))
    if (twin !== undefined) {
      throw new MongoError('IndexOptionsConflict', `Index already exists with a different name: ${twin.name}`)
    }
    result.push(plain(spec))
  }
  if (result.length > mostIndexes) {
    throw new MongoError('CannotCreateIndex', `a collection has ${mostIndexes} indexes at most`)
  }
  return result
}

function check(spec: IndexSpec): void {
  const paths = Object.keys(spec.key)
  const refuse = (why: string): never => {
    throw new MongoError('CannotCreateIndex', `the index ${quoted(spec)} cannot be made: ${why}`)
  }
  if (spec.name === '') refuse('its name is empty')
  if (spec.name === '*') refuse('its name is "*", which stands for all')
  if (paths.length === 0) refuse('it has no fields')
  if (paths.length > 32) refuse(`it has ${paths.length} fields, and 32 is the most`)
  for (const path of paths) {
    if (path === '' || path.split('.').some((part) => part === ''))
      refuse(`its field ${JSON.stringify(path)} has an empty part`)
    if (path.split('.').some((part) => part.startsWith('$'))) refuse(`its field ${JSON.stringify(path)} begins with $`)
    const direction: unknown = spec.key[path]
    if (direction !== 1 && direction !== -1) {
      refuse(`its field ${JSON.stringify(path)} is ${JSON.stringify(direction)}; only 1 and -1 are known here`)
    }
  }
  if (sameKey(spec.key, idIndex.key) && (spec.sparse === true || spec.partialFilterExpression !== undefined)) {
    refuse('the index of _id holds every document')
  }
  if (spec.sparse === true && spec.partialFilterExpression !== undefined) {
    refuse('"sparse" and "partialFilterExpression" cannot be had together')
  }
  const seconds = spec.expireAfterSeconds
  if (seconds !== undefined) {
    if (!(seconds >= 0 && seconds <= 2_147_483_647))
      refuse(`expireAfterSeconds is ${seconds}, and not from 0 to 2147483647`)
    if (paths.length !== 1) refuse('expireAfterSeconds is for an index of one field')
    if (paths[0] === '_id') refuse('expireAfterSeconds is not for _id')
  }
}

const quoted = (spec: IndexSpec): string => JSON.stringify(spec.name)

/** The order of fields is part of it. */
const sameKey = (a: IndexSpec['key'], b: IndexSpec['key']): boolean => JSON.stringify(a) === JSON.stringify(b)

const samePart = (a: IndexSpec, b: IndexSpec): boolean =>
  isDeepStrictEqual(a.partialFilterExpression, b.partialFilterExpression)

/** Only what is known, and of what is off nothing. */
function plain(spec: IndexSpec): IndexSpec {
  return {
    name: spec.name,
    key: spec.key,
    ...(spec.unique === true ? { unique: true } : {}),
    ...(spec.sparse === true ? { sparse: true } : {}),
    ...(spec.partialFilterExpression === undefined ? {} : { partialFilterExpression: spec.partialFilterExpression }),
    ...(spec.expireAfterSeconds === undefined ? {} : { expireAfterSeconds: spec.expireAfterSeconds }),
  }
}
