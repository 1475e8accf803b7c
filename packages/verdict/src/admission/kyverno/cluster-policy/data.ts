/*
 * Plain data as a policy and an object hold it. Only own properties are read: `constructor` is a field like any other.
 */

export type Dict = Readonly<Record<string, unknown>>

export function isDict(value: unknown): value is Dict {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}

/** A field of an object, or undefined where there is none. */
export function field(value: unknown, ...path: readonly (string | number)[]): unknown {
  let current = value
  for (const key of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined
    current = (current as Readonly<Record<string | number, unknown>>)[key]
  }
  return current
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

export function textsOf(value: unknown): readonly string[] {
  return isList(value) ? value.filter((item) => typeof item === 'string') : []
}

/** Labels and annotations: what of it is text. */
export function pairsOf(value: unknown): Readonly<Record<string, string>> {
  if (!isDict(value)) return {}
  return Object.fromEntries(
    Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  )
}

/** As assignment, but `__proto__` is a field like any other. */
export function put(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
}
