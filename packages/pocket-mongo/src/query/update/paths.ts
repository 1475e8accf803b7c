import type { Document } from 'bson'
import { MongoError } from '../../errors.js'
import { put as define, isPlain } from '../../values/decode.js'
import { own } from '../path.js'

/*
 * A change at a path makes a new document that shares with the old one all that did not change. Documents are never
 * written to: a cursor or a transaction may be reading them.
 */

/** What a change answers: a new value, or one of these. */
export const REMOVE: unique symbol = Symbol('remove')
export const KEEP: unique symbol = Symbol('keep')

/** @param old undefined: there is no such field */
export type Change = (old: unknown) => unknown

export interface Places {
  /** For `$[name]`: which elements. */
  readonly filters: ReadonlyMap<string, (element: unknown) => boolean>
  /** For `$`: the element of the array at the path that the query matched. */
  readonly position: (prefix: string) => number
  /** Makes the documents on the way that are not there. */
  readonly create: boolean
}

const NUMBER = /^(0|[1-9]\d*)$/
/** MongoDB fills an array with null up to this many places beyond its end. */
const MAX_PADDING = 1_500_000

/** @throws MongoError PathNotViable, BadValue */
export function changeAt(document: Document, path: readonly string[], change: Change, places: Places): Document {
  const next = within(document, path, 0, change, places)
  return isPlain(next) ? next : document
}

function within(node: unknown, path: readonly string[], at: number, change: Change, places: Places): unknown {
  const part = path[at] ?? ''
  if (Array.isArray(node)) return inArray(node, path, at, change, places)
  if (part.startsWith('$')) {
    // What the query matched is told first, and that there was nothing.
    if (part === '$') places.position(path.slice(0, at).join('.'))
    throw notAnArray(path, at, part)
  }
  if (isPlain(node)) {
    return put(node, part, child(own(node, part), path, at, change, places))
  }
  if (places.create) throw notViable(path, at, node)
  return KEEP
}

/** The new value of what stands at `path[at]`. */
function child(old: unknown, path: readonly string[], at: number, change: Change, places: Places): unknown {
  if (at === path.length - 1) return change(old)
  if (old === undefined) {
    if (!places.create) return KEEP
    if ((path[at + 1] ?? '').startsWith('$')) throw notThere(path, at)
    const made = within({}, path, at + 1, change, places)
    return made
  }
  return within(old, path, at + 1, change, places)
}

function put(node: Document, key: string, value: unknown): unknown {
  if (value === KEEP || (value === own(node, key) && value !== undefined)) return KEEP
  if (value === REMOVE) {
    if (!Object.hasOwn(node, key)) return KEEP
    const { [key]: _gone, ...rest } = node
    return rest
  }
  const next = { ...node }
  define(next, key, value)
  return next
}

function inArray(
  array: readonly unknown[],
  path: readonly string[],
  at: number,
  change: Change,
  places: Places,
): unknown {
  const next = [...array]
  let changed = false
  for (const index of indexesOf(array, path, at, places)) {
    const value = child(array[index], path, at, change, places)
    if (value === KEEP || (value === array[index] && index < array.length)) continue
    for (let i = next.length; i < index; i++) next.push(null)
    // An element that is taken away leaves its place behind.
    next[index] = value === REMOVE ? null : value
    changed = true
  }
  return changed ? next : KEEP
}

function indexesOf(array: readonly unknown[], path: readonly string[], at: number, places: Places): readonly number[] {
  const part = path[at] ?? ''
  if (part === '$[]') return array.map((_item, index) => index)
  if (part === '$') return [places.position(path.slice(0, at).join('.'))]
  if (part.startsWith('$[')) {
    const filter = places.filters.get(part.slice(2, -1))
    if (filter === undefined)
      throw new MongoError(
        'BadValue',
        `No array filter found for identifier '${part.slice(2, -1)}' in path '${path.join('.')}'`,
      )
    return array.flatMap((item, index) => (filter(item) ? [index] : []))
  }
  if (!NUMBER.test(part)) {
    if (places.create) throw notViable(path, at, array)
    return []
  }
  const index = Number(part)
  if (index >= array.length && !places.create) return []
  if (index > array.length + MAX_PADDING)
    throw new MongoError(
      'BadValue',
      `can't backfill more than ${MAX_PADDING} elements in the array at '${path.slice(0, at).join('.')}'`,
    )
  return [index]
}

const notViable = (path: readonly string[], at: number, node: unknown): MongoError =>
  new MongoError(
    'PathNotViable',
    `Cannot create field '${path[at] ?? ''}' in element {${path[at - 1] ?? ''}: ${JSON.stringify(node)}}`,
  )

const notAnArray = (path: readonly string[], at: number, part: string): MongoError =>
  new MongoError(
    'BadValue',
    `Cannot apply '${part}' in path '${path.join('.')}': '${path.slice(0, at).join('.')}' is not an array`,
  )

const notThere = (path: readonly string[], at: number): MongoError =>
  new MongoError(
    'BadValue',
    `The path '${path.slice(0, at + 1).join('.')}' must exist in the document in order to apply array updates.`,
  )
