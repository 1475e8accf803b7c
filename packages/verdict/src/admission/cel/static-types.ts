import type { StaticType } from './registry.js'
import { typeName } from './values.js'

/*
 * What is known of types before anything is evaluated: as much of cel-go's checker as whole policies depend on.
 */

/** Both are known, and no two values of them are compared. Null is compared with what may be null. */
export function clash(a: StaticType, b: StaticType): boolean {
  if (a === b || (numbers.has(a) && numbers.has(b))) return false
  if (a === 'null_type' || b === 'null_type') return neverNull.has(a) || neverNull.has(b)
  return settled.has(a) && settled.has(b)
}

const numbers: ReadonlySet<StaticType> = new Set(['int', 'uint', 'double'])
const neverNull: ReadonlySet<StaticType> = new Set([...numbers, 'bool', 'string', 'bytes', 'list', 'map'])
const settled: ReadonlySet<StaticType> = new Set([
  ...neverNull,
  'google.protobuf.Timestamp',
  'google.protobuf.Duration',
])

/** Of an operator between numbers, strings or lists: what is known of one side is so of both. */
export function arithmeticType(a: StaticType, b: StaticType): StaticType {
  const plain = new Set<StaticType>(['string', 'int', 'uint', 'double', 'bytes', 'list'])
  for (const type of [a, b]) if (plain.has(type)) return type
  return a === 'dyn' && b === 'dyn' ? 'dyn' : 'open'
}

/** Of a value that is one or the other. */
export function eitherType(a: StaticType, b: StaticType): StaticType {
  if (a === b) return a
  return a === 'open' || b === 'open' || a === 'null_type' || b === 'null_type' ? 'open' : 'dyn'
}

/** Of what is in a value of this type. */
export function ofElement(type: StaticType): StaticType {
  return type === 'dyn' || type === 'optional_type' ? type : 'open'
}

export function staticType(value: unknown): StaticType {
  const name = typeName(value)
  return name as StaticType
}
