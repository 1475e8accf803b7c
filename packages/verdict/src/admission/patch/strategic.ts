import { identity, isSet, itemKeys } from './lists.js'
import { type Fields, isFields, own, PatchError, sameJson, tooDeep, withField, withoutField } from './value.js'

export interface StrategicOptions {
  /** Whose lists they are. Default: the `kind` of the object. */
  readonly kind?: string
  /** Where items that are new stand. The API server puts them last, kustomize (and so Kyverno) first. */
  readonly added?: 'first' | 'last'
}

interface Scene {
  readonly kind: string
  readonly added: 'first' | 'last'
}

/**
 * A strategic merge patch, as the API server and kustomize apply one: maps are merged, null takes a field away, lists of
 * containers, ports, env and so on are merged item by item, any other list is replaced. `$patch: replace` and `delete`,
 * `$retainKeys` and `$deleteFromPrimitiveList/...` are followed; `$setElementOrder/...` only orders, and is ignored.
 * @throws PatchError
 */
export function strategicMerge(base: unknown, patch: unknown, options: StrategicOptions = {}): unknown {
  const kind = options.kind ?? (isFields(base) ? String(own(base, 'kind') ?? '') : '')
  return merge(base, patch, '', { kind, added: options.added ?? 'last' }, 0)
}

/** @param field that the value stands in, '' of the object itself */
function merge(base: unknown, patch: unknown, field: string, scene: Scene, depth: number): unknown {
  tooDeep(depth)
  if (!isFields(patch))
    return Array.isArray(patch) ? patch.map((item) => merge(undefined, item, field, scene, depth + 1)) : patch
  const directive = own(patch, '$patch')
  if (directive !== undefined && directive !== 'merge' && directive !== 'replace' && directive !== 'delete') {
    throw new PatchError(`$patch is ${JSON.stringify(directive)}; it must be replace, delete or merge`)
  }
  if (directive === 'delete') return undefined
  let into: Fields = isFields(base) && directive !== 'replace' ? base : {}
  const retained = own(patch, '$retainKeys')
  if (Array.isArray(retained)) {
    into = Object.fromEntries(Object.entries(into).filter(([key]) => retained.includes(key)))
  }
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$deleteFromPrimitiveList/')) into = withoutValues(into, key.slice(key.indexOf('/') + 1), value)
    if (key.startsWith('$')) continue
    const next = Array.isArray(value)
      ? mergeList(own(into, key), value, { owner: field, field: key }, scene, depth + 1)
      : value === null
        ? undefined
        : merge(own(into, key), value, key, scene, depth + 1)
    into = next === undefined ? withoutField(into, key) : withField(into, key, next)
  }
  return into
}

function withoutValues(into: Fields, key: string, values: unknown): Fields {
  const list = own(into, key)
  if (!Array.isArray(list) || !Array.isArray(values)) return into
  return withField(
    into,
    key,
    list.filter((item: unknown) => !values.some((value: unknown) => sameJson(item, value))),
  )
}

interface Place {
  readonly owner: string
  readonly field: string
}

const isReplacing = (item: unknown): boolean =>
  isFields(item) && own(item, '$patch') === 'replace' && Object.keys(item).length === 1

function mergeList(base: unknown, patch: readonly unknown[], place: Place, scene: Scene, depth: number): unknown[] {
  const { owner, field } = place
  const fresh = (item: unknown): unknown => merge(undefined, item, field, scene, depth)
  const before: readonly unknown[] = Array.isArray(base) ? base : []
  // Item by item a list is told to be another one.
  if (patch.some(isReplacing)) return patch.filter((item) => !isReplacing(item)).map(fresh)
  if (isSet(owner, field)) {
    return [...before, ...patch.filter((item) => !before.some((one) => sameJson(one, item)))]
  }
  const keys = itemKeys(scene.kind, owner, field)
  if (keys === undefined) return patch.map(fresh)
  const items = [...before]
  const at = new Map<string, number>()
  for (const [index, item] of items.entries()) {
    const id = identity(item, keys)
    if (id !== undefined && !at.has(id)) at.set(id, index)
  }
  const added: unknown[] = []
  for (const item of patch) {
    const id = identity(item, keys)
    if (id === undefined) {
      throw new PatchError(
        `an item of ${JSON.stringify(field)} has no ${keys[0]}, so nothing tells which one it is for`,
      )
    }
    const index = at.get(id)
    const next = merge(index === undefined ? undefined : items[index], item, field, scene, depth)
    if (index !== undefined) items[index] = next
    else if (next !== undefined) added.push(next)
  }
  const kept = items.filter((item) => item !== undefined)
  return scene.added === 'first' ? [...added, ...kept] : [...kept, ...added]
}
