import type { Document } from 'bson'
import { MongoError } from '../errors.js'
import type { IndexSpec } from '../store/types.js'
import { isPlain } from '../values/decode.js'
import { inverted } from '../values/number-order.js'
import { NO_ELEMENT, orderOf } from '../values/order.js'

/** What an index's specification says, made ready for use. */
export interface Shape {
  readonly fields: readonly Field[]
  readonly unique: boolean
  readonly sparse: boolean
}

interface Field {
  readonly path: string
  readonly parts: readonly string[]
  readonly descending: boolean
}

export interface Keys {
  /** Sorted as the index is, each once. Empty: the document is not in it. */
  readonly keys: readonly string[]
  /** There is an array on the way to a value. */
  readonly multikey: boolean
}

export function shapeOf(spec: IndexSpec): Shape {
  const fields = Object.entries(spec.key).map(([path, direction]) => ({
    path,
    parts: path.split('.'),
    descending: direction === -1,
  }))
  return { fields, unique: spec.unique === true || spec.name === '_id_', sparse: spec.sparse === true }
}

/** One field on its way into the document. */
interface Slot {
  readonly value: unknown
  readonly rest: readonly string[]
  /** `value` is an element of an array, and is not opened once more. */
  readonly closed: boolean
}

const absent = Symbol('absent')

/**
 * The keys under which a document is found: one, or, where a field holds an array, one for each element.
 *
 * @throws MongoError CannotIndexParallelArrays, Location16746 (a number may be a place in an array or a field's name)
 */
export function keysOf(shape: Shape, doc: Document): Keys {
  return keyOf(shape, doc) ?? keysWithArrays(shape, doc)
}

/** Most documents have no array where an index looks, and one key; undefined: this one has. */
function keyOf(shape: Shape, doc: Document): Keys | undefined {
  let key = ''
  let exists = false
  for (const { parts, descending } of shape.fields) {
    let value: unknown = doc
    for (const name of parts) {
      if (Array.isArray(value)) return undefined
      value = isPlain(value) && Object.hasOwn(value, name) ? value[name] : absent
    }
    if (Array.isArray(value)) return undefined
    if (value !== absent) exists = true
    const text = orderOf(value === absent ? null : value)
    key += descending ? inverted(text) : text
  }
  return { keys: shape.sparse && !exists ? [] : [key], multikey: false }
}

function keysWithArrays(shape: Shape, doc: Document): Keys {
  const slots = shape.fields.map(({ parts }): Slot => ({ value: doc, rest: parts, closed: false }))
  const found: Found = { keys: new Set(), multikey: false, exists: false }
  expand(shape, slots, found)
  if (shape.sparse && !found.exists) return { keys: [], multikey: false }
  const keys = [...found.keys]
  return { keys: keys.length > 1 ? keys.sort() : keys, multikey: found.multikey }
}

interface Found {
  readonly keys: Set<string>
  multikey: boolean
  exists: boolean
}

function expand(shape: Shape, from: readonly Slot[], found: Found): void {
  const slots = from.map(advance)
  const opened = slots.find(isOpenArray)
  if (opened === undefined) {
    if (slots.some(({ value }) => value !== absent)) found.exists = true
    found.keys.add(slots.map(({ value }, at) => part(shape, at, value)).join(''))
    return
  }
  const array = opened.value as readonly unknown[]
  for (const slot of slots) {
    if (isOpenArray(slot) && slot.value !== array) {
      throw new MongoError('CannotIndexParallelArrays', `cannot index parallel arrays [${namesOfArrays(shape, slots)}]`)
    }
  }
  found.multikey = true
  found.exists = true
  const elements: readonly unknown[] = array.length === 0 ? [emptyArray] : array
  for (const element of elements) {
    expand(
      shape,
      slots.map((slot) => (isOpenArray(slot) ? into(slot, array, element) : slot)),
      found,
    )
  }
}

const emptyArray = Symbol('no element')

function advance(slot: Slot): Slot {
  let { value, rest } = slot
  while (rest.length > 0) {
    if (Array.isArray(value)) return { value, rest, closed: false }
    const name = rest[0] as string
    if (!isPlain(value) || !Object.hasOwn(value, name)) return { value: absent, rest: [], closed: true }
    value = value[name]
    rest = rest.slice(1)
  }
  return { value, rest, closed: slot.closed && rest === slot.rest }
}

const isOpenArray = (slot: Slot): boolean => Array.isArray(slot.value) && !slot.closed

function into(slot: Slot, array: readonly unknown[], element: unknown): Slot {
  const [name] = slot.rest
  if (name === undefined || element === emptyArray) return { value: element, rest: [], closed: true }
  if (/^\d+$/.test(name) && Number(name) < array.length) {
    if (array.some((item) => isPlain(item) && Object.hasOwn(item, name))) throw ambiguous(name)
    return { value: array[Number(name)], rest: slot.rest.slice(1), closed: false }
  }
  return isPlain(element)
    ? { value: element, rest: slot.rest, closed: false }
    : { value: absent, rest: [], closed: true }
}

const ambiguous = (name: string): MongoError =>
  new MongoError(
    'Location16746',
    `Ambiguous field name found in array (do not use numeric field names in embedded elements in an array), field: '${name}'`,
  )

function part(shape: Shape, at: number, value: unknown): string {
  const text = value === emptyArray ? NO_ELEMENT : orderOf(value === absent ? null : value)
  return shape.fields[at]?.descending === true ? inverted(text) : text
}

const namesOfArrays = (shape: Shape, slots: readonly Slot[]): string =>
  shape.fields
    .filter((_, at) => isOpenArray(slots[at] as Slot))
    .map(({ path }) => `"${path}"`)
    .join(', ')
