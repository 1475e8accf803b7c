import { isPlain } from '../values/decode.js'

/*
 * How a dotted path is followed in a document (MongoDB, "Query on Embedded/Nested Documents", "Query an Array of Embedded
 * Documents"): an array on the way stands for each document in it, and a number may also be an index.
 */

export type Test = (value: unknown) => boolean

/** A field's own value; what a document inherits is no field of it. */
export const own = (container: object, key: string): unknown =>
  Object.hasOwn(container, key) ? (container as Record<string, unknown>)[key] : undefined

const isIndex = (part: string): boolean => /^(0|[1-9]\d{0,8})$/.test(part)

/**
 * True when one of the values at the path passes. `undefined` stands for a field that is not there.
 *
 * @param elements an array at the path's end is also asked element by element, before it is asked as a whole
 */
export function someAt(document: object, path: readonly string[], elements: boolean, test: Test): boolean {
  return inDocument(document, path, 0, elements, test)
}

function inDocument(container: object, path: readonly string[], at: number, elements: boolean, test: Test): boolean {
  const value = own(container, path[at] ?? '')
  if (at === path.length - 1) return atEnd(value, elements, test)
  if (Array.isArray(value)) return inArray(value, path, at + 1, elements, test)
  if (isPlain(value)) return inDocument(value, path, at + 1, elements, test)
  return test(undefined)
}

function inArray(
  array: readonly unknown[],
  path: readonly string[],
  at: number,
  elements: boolean,
  test: Test,
): boolean {
  for (const item of array) {
    if (isPlain(item) && inDocument(item, path, at, elements, test)) return true
  }
  const part = path[at] ?? ''
  if (!isIndex(part)) return false
  const item = array[Number(part)]
  if (item === undefined) return false
  if (at === path.length - 1) return atEnd(item, elements, test)
  if (Array.isArray(item)) return inArray(item, path, at + 1, elements, test)
  return isPlain(item) && inDocument(item, path, at + 1, elements, test)
}

function atEnd(value: unknown, elements: boolean, test: Test): boolean {
  if (elements && Array.isArray(value) && value.some(test)) return true
  return test(value)
}

/** The values that sorting and `distinct` see: those of an array are each one; no value at all is one `undefined`. */
export function valuesAt(document: object, path: readonly string[]): readonly unknown[] {
  const found: unknown[] = []
  someAt(document, path, false, (value) => {
    // One by one: a call takes no million of arguments.
    if (Array.isArray(value)) for (const item of value) found.push(item)
    else found.push(value)
    return false
  })
  return found
}
