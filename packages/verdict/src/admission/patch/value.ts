/*
 * Plain data as patches see it. Nothing is changed in place: what a patch leaves alone is shared with the object that it
 * was, and no name of a field reaches a prototype.
 */

export type Fields = Readonly<Record<string, unknown>>

/**
 * A patch that cannot be applied: what happened, where. `testFailed`: it said itself when not to apply it. `tooLarge`: it is
 * beyond a limit of ours, which no cluster has.
 */
export class PatchError extends Error {
  override readonly name = 'PatchError'
  readonly code = 'patch.failed'
  readonly testFailed: boolean
  readonly tooLarge: boolean

  constructor(message: string, { testFailed = false, tooLarge = false } = {}) {
    super(message)
    this.testFailed = testFailed
    this.tooLarge = tooLarge
  }
}

/** Deeper than this is no object of Kubernetes. */
export const maxDepth = 128
/** Fields and items that one patch may write: copying an object into itself doubles it each time. */
export const maxNodes = 1_000_000

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export const own = (fields: Fields, key: string): unknown => (Object.hasOwn(fields, key) ? fields[key] : undefined)

/** A copy with one field set; `__proto__` is a field like any other. */
export function withField(fields: Fields, key: string, value: unknown): Fields {
  const copy: Record<string, unknown> = { ...fields }
  Object.defineProperty(copy, key, { value, enumerable: true, configurable: true, writable: true })
  return copy
}

export function withoutField(fields: Fields, key: string): Fields {
  const copy: Record<string, unknown> = { ...fields }
  delete copy[key]
  return copy
}

export function tooDeep(depth: number): void {
  if (depth > maxDepth) throw new PatchError(`the patch nests more than ${maxDepth} levels deep`, { tooLarge: true })
}

/** Counts what a patch writes, and ends it at the limit. */
export class Budget {
  #left = maxNodes

  spend(value: unknown, depth = 0): void {
    tooDeep(depth)
    this.#left -= 1
    if (this.#left < 0) throw new PatchError(`the patch writes more than ${maxNodes} fields`, { tooLarge: true })
    if (typeof value !== 'object' || value === null) return
    for (const entry of Object.values(value)) this.spend(entry, depth + 1)
  }
}

/** Equal as JSON is: whatever the order of fields, and integers of either kind. */
export function sameJson(a: unknown, b: unknown, depth = 0): boolean {
  tooDeep(depth)
  if (a === b) return true
  if (isNumber(a) && isNumber(b)) return Number(a) === Number(b)
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => sameJson(item, b[index], depth + 1))
  }
  if (!isFields(a) || !isFields(b)) return false
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && sameJson(a[key], b[key], depth + 1))
  )
}

const isNumber = (value: unknown): value is number | bigint => typeof value === 'number' || typeof value === 'bigint'
