import type { Resource } from '@bulkhead/resources'
import type { PolicyDiff } from './types.js'

/** Which objects differ, by what they say: where they stand in which file is no matter. */
export function objectsOf(before: readonly Resource[], after: readonly Resource[]): PolicyDiff['objects'] {
  const [old, now] = [byName(before), byName(after)]
  const added = [...now].filter(([name]) => !old.has(name)).map(([, { id }]) => id)
  const removed = [...old].filter(([name]) => !now.has(name)).map(([, { id }]) => id)
  const changed = [...now].filter(([name, { object }]) => {
    const was = old.get(name)
    return was !== undefined && !isEqual(was.object, object)
  })
  return { added: added.sort(), changed: changed.map(([, { id }]) => id).sort(), removed: removed.sort() }
}

/** Two API groups may have a kind of the same name. The version is no part of what an object is. */
function byName(resources: readonly Resource[]): ReadonlyMap<string, Resource> {
  return new Map(
    resources.map((resource) => {
      const { apiVersion } = resource.object
      return [`${apiVersion.includes('/') ? apiVersion.split('/')[0] : ''}/${resource.id}`, resource]
    }),
  )
}

/** Of plain data; the order of keys is no matter, and one that is undefined is not there. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((entry, index) => isEqual(entry, b[index]))
    )
  }
  const [left, right] = [a as Readonly<Record<string, unknown>>, b as Readonly<Record<string, unknown>>]
  const keys = new Set([...Object.keys(left), ...Object.keys(right)])
  return [...keys].every((key) => isEqual(left[key], right[key]))
}
