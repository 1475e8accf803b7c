import { CelError, noOverload } from './errors.js'
import { CelValue, Double, entry, isList, isMap, mapKey, none, Optional, read, typeName } from './values.js'

/** `target.field`; with `optional`, or on an optional, an optional comes of it. */
export function selectField(target: unknown, field: string, optional: boolean): unknown {
  if (target instanceof Optional) {
    if (target.value === undefined) return none
    const value = lookUp(target.value, field)
    return value === undefined ? none : new Optional(value)
  }
  const value = lookUp(target, field)
  if (optional) return value === undefined ? none : new Optional(value)
  if (value === undefined) throw new CelError(`no such key: ${field}`)
  return value
}

function lookUp(target: unknown, field: string): unknown {
  if (isMap(target)) return entry(target, field)
  if (target instanceof CelValue) return target.field(field)
  throw noOverload()
}

/** `target[index]`. */
export function selectIndex(target: unknown, index: unknown, optional: boolean): unknown {
  if (target instanceof Optional) {
    if (target.value === undefined) return none
    const value = at(target.value, index)
    return value === undefined ? none : new Optional(value)
  }
  const value = at(target, index)
  if (optional) return value === undefined ? none : new Optional(value)
  if (value !== undefined) return value
  throw new CelError(
    isList(target) ? `index out of bounds: ${String(mapKey(index))}` : `no such key: ${String(mapKey(index))}`,
  )
}

function at(target: unknown, index: unknown): unknown {
  if (isMap(target)) return entry(target, index)
  if (!isList(target)) throw noOverload()
  const place = mapKey(index)
  if (typeof place !== 'bigint') {
    throw new CelError(`unsupported index type '${index instanceof Double ? 'double' : typeName(index)}' in list`)
  }
  return place < 0n || place >= BigInt(target.length) ? undefined : read(target[Number(place)])
}

/** `has(target.field)`. A parent that is missing has been an error before it comes to this. */
export function hasField(target: unknown, field: string): boolean {
  if (target instanceof Optional) return target.value !== undefined && lookUp(target.value, field) !== undefined
  return lookUp(target, field) !== undefined
}
