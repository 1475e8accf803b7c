import type { Ajv } from 'ajv'
import { compileRegex } from '../query/regex.js'
import { compare } from '../values/compare.js'
import { isPlain } from '../values/decode.js'
import { isNumeric } from '../values/numbers.js'
import { orderOf } from '../values/order.js'
import { typeOf, typesNamed } from '../values/types.js'

/*
 * ajv takes whatever `typeof` calls an object for a document, an ObjectId too. So values that are none are shown to it in a
 * box that is a function, which none of JSON's keywords looks at; those below open it.
 */
type Box = () => unknown

export const unboxed = (value: unknown): unknown => (typeof value === 'function' ? (value as Box)() : value)

export function boxed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(boxed)
  if (!isPlain(value)) return () => value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, boxed(inner)]))
}

/** What stood in the boxes, at any depth. */
export function opened(value: unknown): unknown {
  const content = unboxed(value)
  if (Array.isArray(content)) return content.map(opened)
  if (!isPlain(content)) return content
  return Object.fromEntries(Object.entries(content).map(([name, inner]) => [name, opened(inner)]))
}

interface Bound {
  readonly value: unknown
  readonly exclusive: boolean
}

export function addKeywords(ajv: Ajv): void {
  const add = (keyword: string, test: (schema: unknown) => (value: unknown) => boolean): void => {
    ajv.addKeyword({ keyword, errors: false, compile: test })
  }
  add('bsonType', (names) => {
    const types = new Set((names as readonly string[]).flatMap((name) => typesNamed(name) ?? []))
    return (value) => types.has(typeOf(unboxed(value)))
  })
  add('jsonType', (names) => {
    const types = new Set((names as readonly string[]).flatMap((name) => bsonTypesOf(name)))
    return (value) => types.has(typeOf(unboxed(value)))
  })
  add('bsonEnum', (values) => {
    const known = new Set((values as readonly unknown[]).map(orderOf))
    return (value) => known.has(orderOf(opened(value)))
  })
  add('bsonMinimum', (bound) => {
    const { value: least, exclusive } = bound as Bound
    return numbers((value) => compare(value, least) >= (exclusive ? 1 : 0))
  })
  add('bsonMaximum', (bound) => {
    const { value: most, exclusive } = bound as Bound
    return numbers((value) => compare(value, most) <= (exclusive ? -1 : 0))
  })
  add('bsonMultipleOf', (of) => {
    const unit = Number(of)
    return numbers((value) => Number.isInteger(Number(value) / unit))
  })
  add('bsonPattern', (pattern) => {
    const test = compileRegex(String(pattern), '')
    return (value) => typeof value !== 'string' || test(value)
  })
  add('bsonUniqueItems', () => (value) => {
    if (!Array.isArray(value)) return true
    return new Set(value.map((item) => orderOf(opened(item)))).size === value.length
  })
}

/** What is no number is not its business. */
const numbers =
  (test: (value: unknown) => boolean) =>
  (boxedValue: unknown): boolean => {
    const value = unboxed(boxedValue)
    return !isNumeric(value) || test(value)
  }

const bsonTypesOf = (name: string): readonly string[] => (name === 'boolean' ? ['bool'] : (typesNamed(name) ?? []))
