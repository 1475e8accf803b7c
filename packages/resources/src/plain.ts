import type { Schema } from './schema/schema.js'
import type { FieldPath } from './types.js'

/**
 * A copy without fields that are null, which Kubernetes reads as missing; `dropped` is told of each. What lies in a field
 * that its schema leaves open stays as it is: in a pattern or a patch null means something.
 */
export function withoutNulls(
  value: unknown,
  dropped: (path: FieldPath) => void,
  schema?: Schema,
  path: FieldPath = [],
): unknown {
  if (schema?.type === 'open') return value
  const below = (item: unknown, step: string | number) =>
    withoutNulls(item, dropped, schemaOf(schema, step), [...path, step])
  if (Array.isArray(value)) return value.map(below)
  if (typeof value !== 'object' || value === null) return value
  const copy: Record<string, unknown> = {}
  for (const [name, item] of Object.entries(value)) {
    if (item === null) dropped([...path, name])
    else define(copy, name, below(item, name))
  }
  return copy
}

function schemaOf(schema: Schema | undefined, step: string | number): Schema | undefined {
  switch (schema?.type) {
    case 'object':
      return Object.hasOwn(schema.fields, step) ? schema.fields[step] : undefined
    case 'map':
      return schema.values
    case 'list':
      return schema.items
    default:
      return undefined
  }
}

/** As assignment, but `__proto__` is a field like any other. */
export function define(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true })
}

/** Freezes plain data to its leaves: a set of resources is shared by everything that judges. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const item of Object.values(value)) deepFreeze(item)
  }
  return value
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An object of which nothing is known yet. */
export type Fields = Readonly<Record<string, unknown>>

/** A field that is null counts as missing. */
export const isSet = (value: unknown): boolean => value !== undefined && value !== null

/** The entries of a list; none of what is not one. */
export const itemsOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** Those of them that are text. */
export const textsOf = (value: unknown): string[] => itemsOf(value).filter((one) => typeof one === 'string')
