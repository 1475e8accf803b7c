/*
 * What became of an object, field by field.
 */

/** One field that is another one than it was. `before` or `after` is absent where there was none, or is none. */
export interface FieldChange {
  /** As a JSON pointer without escapes. */
  readonly path: string
  readonly before?: unknown
  readonly after?: unknown
}

const maxChanges = 200

/** What differs, in the order of the fields; lists are compared by place. At most 200 of them, whatever is in the objects. */
export function changesBetween(before: unknown, after: unknown): readonly FieldChange[] {
  const found: FieldChange[] = []
  compare(before, after, '', found)
  return found
}

function compare(before: unknown, after: unknown, path: string, found: FieldChange[]): void {
  if (found.length >= maxChanges || before === after) return
  if (!isObject(before) || !isObject(after) || Array.isArray(before) !== Array.isArray(after)) {
    const changed = { ...(before !== undefined && { before }), ...(after !== undefined && { after }) }
    found.push({ path, ...changed })
    return
  }
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    compare(own(before, key), own(after, key), `${path}/${key}`, found)
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
const own = (value: object, key: string): unknown => Object.getOwnPropertyDescriptor(value, key)?.value
