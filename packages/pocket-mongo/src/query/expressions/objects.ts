import type { Document } from 'bson'
import { MongoError } from '../../errors.js'
import { isPlain, put } from '../../values/decode.js'
import { typeOf } from '../../values/types.js'
import { isNothing, type Operator, over, overOne } from './types.js'

/* Documents made of others, and of pairs (MongoDB, "Object Expression Operators"). */

/** Later fields take the place of earlier ones. null counts as nothing. @throws MongoError Location40400 */
export function merged(values: readonly unknown[]): Document {
  const result: Document = {}
  for (const value of values) {
    if (isNothing(value)) continue
    if (!isPlain(value))
      throw new MongoError(
        'Location40400',
        `$mergeObjects requires object inputs, but an input is of type ${typeOf(value)}`,
      )
    for (const key of Object.keys(value)) put(result, key, value[key])
  }
  return result
}

function pairOf(item: unknown, asArrays: boolean): readonly [string, unknown] {
  if (asArrays) {
    if (!Array.isArray(item)) throw inconsistent('Location40396', item)
    if (item.length !== 2)
      throw new MongoError(
        'Location40397',
        `$arrayToObject requires an array of size 2 arrays, found array of size: ${item.length}`,
      )
    const [key, value] = item as readonly unknown[]
    return [keyOf(key, 'Location40395'), value]
  }
  if (!isPlain(item)) throw inconsistent('Location40391', item)
  if (Object.keys(item).length !== 2)
    throw new MongoError('Location40392', "$arrayToObject requires an object keys of 'k' and 'v', and no others")
  if (!Object.hasOwn(item, 'k') || !Object.hasOwn(item, 'v'))
    throw new MongoError('Location40393', "$arrayToObject requires an object with keys 'k' and 'v'")
  return [keyOf(item.k, 'Location40394'), item.v]
}

const inconsistent = (code: `Location${number}`, item: unknown): MongoError =>
  new MongoError(code, `$arrayToObject requires a consistent input format; now found: ${typeOf(item)}`)

function keyOf(key: unknown, code: `Location${number}`): string {
  if (typeof key !== 'string')
    throw new MongoError(code, `$arrayToObject requires keys of type string, found: ${typeOf(key)}`)
  if (key.includes('\0')) throw new MongoError('Location4940400', 'Key field cannot contain an embedded null byte')
  return key
}

export const objects: Readonly<Record<string, Operator>> = {
  $mergeObjects: over(0, Number.POSITIVE_INFINITY, (values, { budget }) => budget.made(merged(values))),
  $objectToArray: overOne((value, { budget }) => {
    if (!isPlain(value))
      throw new MongoError('Location40390', `$objectToArray requires a document input, found: ${typeOf(value)}`)
    return budget.made(Object.keys(value).map((k) => budget.made({ k, v: value[k] as unknown })))
  }),
  $arrayToObject: overOne((value, { budget }) => {
    if (!Array.isArray(value))
      throw new MongoError('Location40386', `$arrayToObject requires an array input, found: ${typeOf(value)}`)
    const [first] = value as readonly unknown[]
    const asArrays = Array.isArray(first)
    if (value.length > 0 && !asArrays && !isPlain(first))
      throw new MongoError('Location40398', `Unrecognised input type format for $arrayToObject: ${typeOf(first)}`)
    const result: Document = {}
    for (const item of value) {
      const [key, inner] = pairOf(item, asArrays)
      put(result, key, inner ?? null)
    }
    return budget.made(result)
  }),
}
