import { identity, isSet, isWhole, itemKeys } from './lists.js'
import { type Fields, isFields, own, PatchError, sameJson, tooDeep, withField } from './value.js'

export interface ApplyOptions {
  /** Whose lists they are. Default: the `kind` of the object. */
  readonly kind?: string
  /** Values that are one (lists without keys, selectors) may be replaced. Otherwise the API server refuses to guess. */
  readonly atomics?: boolean
}

/**
 * Merges an apply configuration into an object, as a server-side apply does and as MutatingPolicy's ApplyConfiguration
 * asks for: maps field by field, lists with keys item by item, sets by what they lack. Nothing is ever taken away.
 * @throws PatchError where it would have to replace a list or a selector as a whole
 */
export function applyConfiguration(base: unknown, configuration: Fields, options: ApplyOptions = {}): Fields {
  const kind = options.kind ?? (isFields(base) ? String(own(base, 'kind') ?? '') : '')
  const wholes: string[] = []
  const merged = merge(base, configuration, { kind, owner: '', field: '', path: '', wholes }, 0)
  if (wholes.length > 0 && options.atomics !== true) {
    throw new PatchError(
      `invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${wholes.join(', ')}`,
    )
  }
  return isFields(merged) ? merged : {}
}

interface Place {
  readonly kind: string
  /** The field that the owner of this one stands in. */
  readonly owner: string
  readonly field: string
  readonly path: string
  /** Paths that would be replaced as a whole. */
  readonly wholes: string[]
}

function merge(base: unknown, value: unknown, place: Place, depth: number): unknown {
  tooDeep(depth)
  if (Array.isArray(value)) return mergeList(base, value, place, depth)
  if (!isFields(value)) return value
  if (isWhole(place.field)) {
    place.wholes.push(place.path)
    return value
  }
  let into: Fields = isFields(base) ? base : {}
  for (const [key, entry] of Object.entries(value)) {
    const inside = { ...place, owner: place.field, field: key, path: `${place.path}.${key}` }
    into = withField(into, key, merge(own(into, key), entry, inside, depth + 1))
  }
  return into
}

function mergeList(base: unknown, list: readonly unknown[], place: Place, depth: number): unknown[] {
  const { kind, owner, field, path } = place
  const before: readonly unknown[] = Array.isArray(base) ? base : []
  if (isSet(owner, field)) return [...before, ...list.filter((item) => !before.some((one) => sameJson(one, item)))]
  const keys = itemKeys(kind, owner, field)
  if (keys === undefined) {
    place.wholes.push(path)
    return [...list]
  }
  const items = [...before]
  const at = new Map(items.map((item, index) => [identity(item, keys), index]))
  for (const item of list) {
    const id = identity(item, keys)
    if (id === undefined) {
      throw new PatchError(`failed to convert patch object to typed object: ${path}: element has no key "${keys[0]}"`)
    }
    const index = at.get(id)
    const inside = { ...place, path: `${path}[${keysText(item, keys)}]` }
    const next = mergeItem(index === undefined ? undefined : items[index], item, inside, depth + 1)
    if (index === undefined) at.set(id, items.push(next) - 1)
    else items[index] = next
  }
  return items
}

/** An item is an object of its own; its list's name is its owner. */
function mergeItem(base: unknown, item: unknown, place: Place, depth: number): unknown {
  tooDeep(depth)
  let into: Fields = isFields(base) ? base : {}
  for (const [key, entry] of Object.entries(isFields(item) ? item : {})) {
    const inside = { ...place, owner: place.field, field: key, path: `${place.path}.${key}` }
    into = withField(into, key, merge(own(into, key), entry, inside, depth + 1))
  }
  return into
}

/** `name="web"` */
function keysText(item: unknown, keys: readonly string[]): string {
  const fields = isFields(item) ? item : {}
  return keys
    .flatMap((key) => (own(fields, key) === undefined ? [] : `${key}=${JSON.stringify(own(fields, key))}`))
    .join(',')
}
