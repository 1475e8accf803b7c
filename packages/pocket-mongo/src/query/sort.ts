import type { Document } from 'bson'
import { MongoError } from '../errors.js'
import { compare } from '../values/compare.js'
import { isPlain, put } from '../values/decode.js'
import { wholeNumber } from './operators.js'
import { own, valuesAt } from './path.js'

/** @throws MongoError BadValue (a direction that is none), NotImplemented (`$meta`) */
export function readSort(sort: Document): Readonly<Record<string, 1 | -1>> {
  const read: Record<string, 1 | -1> = {}
  for (const field of Object.keys(sort)) {
    const direction = wholeNumber(sort[field])
    if (typeof sort[field] === 'object' && direction === undefined)
      throw new MongoError('NotImplemented', `$sort by '${field}': an expression is not supported by this server`)
    if (direction !== 1 && direction !== -1)
      throw new MongoError('BadValue', '$sort key ordering must be 1 (for ascending) or -1 (for descending)')
    if (field === '$natural')
      throw new MongoError('NotImplemented', 'a sort by $natural is not supported by this server')
    if (field === '' || field.startsWith('$'))
      throw new MongoError('BadValue', `FieldPath field names may not be empty or start with '$': '${field}'`)
    put(read, field, direction)
  }
  return read
}

interface Key {
  readonly path: readonly string[]
  readonly direction: 1 | -1
}

const keysOf = (sort: Document): readonly Key[] =>
  Object.entries(readSort(sort)).map(([field, direction]) => ({ path: field.split('.'), direction }))

/**
 * A new list, in order. Documents that are equal in it stay in the order that they come in.
 *
 * @param options.strict whether two arrays side by side are refused, as they are in a query
 * @param options.tick called with the work that is done; may throw to give up
 */
export function sorted<T>(
  items: readonly T[],
  documentOf: (item: T) => Document,
  sort: Document,
  options: { readonly strict?: boolean; readonly tick?: (work?: number) => void } = {},
): T[] {
  const { strict = true, tick = () => {} } = options
  const keys = keysOf(sort)
  const paths = keys.map(({ path }) => path)
  const rows = items.map((item) => {
    const document = documentOf(item)
    if (strict && paths.length > 1) refuseParallel(document, paths)
    return { item, values: keys.map((key) => keyOf(document, key, tick)) }
  })
  rows.sort((a, b) => {
    tick()
    for (let i = 0; i < keys.length; i++) {
      const found = compareKeys(a.values[i], b.values[i])
      if (found !== 0) return found * (keys[i]?.direction ?? 1)
    }
    return 0
  })
  return rows.map(({ item }) => item)
}

/** Two arrays side by side: which element of one belongs to which of the other? @throws MongoError BadValue */
function refuseParallel(document: Document, paths: readonly (readonly string[])[]): void {
  let first: { readonly at: string; readonly array: readonly unknown[] } | undefined
  const rests: (readonly string[])[] = []
  for (const path of paths) {
    const found = arrayOn(document, path)
    if (found === undefined) continue
    first ??= found
    if (first.at !== found.at) throw new MongoError('BadValue', 'cannot sort with keys that are parallel arrays')
    rests.push(found.rest)
  }
  if (first === undefined || rests.length < 2) return
  for (const item of first.array) if (isPlain(item)) refuseParallel(item, rests)
}

/** The first array on a path; one that the path has a place of is only passed. */
function arrayOn(document: Document, path: readonly string[]) {
  let node: unknown = document
  for (const [index, part] of path.entries()) {
    if (Array.isArray(node) && !/^\d+$/.test(part))
      return { at: path.slice(0, index).join('.'), array: node, rest: path.slice(index) }
    node = Array.isArray(node) || isPlain(node) ? own(node, part) : undefined
  }
  return Array.isArray(node) ? { at: path.join('.'), array: node, rest: [] } : undefined
}

/** The key of an array without elements. */
const EMPTY = Symbol('empty')

/** An array counts as its smallest element, or as its largest when the order is descending; an empty one comes before null. */
function keyOf(document: Document, { path, direction }: Key, tick: (work: number) => void): unknown {
  const values = valuesAt(document, path)
  tick(1 + values.length / 8)
  if (values.length === 0) return EMPTY
  let key = values[0]
  for (const value of values) if (compare(value, key) * direction < 0) key = value
  return key
}

function compareKeys(a: unknown, b: unknown): number {
  const value = (key: unknown): unknown => (key === EMPTY ? null : key)
  return compare(value(a), value(b)) || Number(b === EMPTY) - Number(a === EMPTY)
}
