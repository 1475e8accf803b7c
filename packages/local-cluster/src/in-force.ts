import type { Resource } from '@bulkhead/resources'
import type { LayerState } from '@bulkhead/scenarios'
import { findLayer } from './overlay.js'

/** A change that stands: objects put on top of the files', and ids of those taken out. */
export interface StandingChange {
  readonly objects: readonly Resource[]
  readonly without: ReadonlySet<string>
}

/** What is in force: the files' objects without the layers that are off, then each change on top of it, in order. */
export function inForce(
  base: readonly Resource[],
  off: ReadonlySet<string>,
  changes: Iterable<StandingChange>,
): readonly Resource[] {
  const objects = new Map<string, Resource>()
  for (const resource of base) {
    if (resource.layer === undefined || !off.has(resource.layer)) objects.set(keyOf(resource), resource)
  }
  for (const change of changes) {
    for (const [key, resource] of objects) if (change.without.has(resource.id)) objects.delete(key)
    for (const resource of change.objects) objects.set(keyOf(resource), resource)
  }
  return [...objects.values()]
}

/** Kinds of different API groups may share a name; versions of one group are one kind. */
export function keyOf({ id, object }: Resource): string {
  const group = object.apiVersion.includes('/') ? object.apiVersion.split('/')[0] : ''
  return `${group} ${id}`
}

/** The layers to be off when only these are on. */
export function allBut(on: readonly string[], layers: readonly LayerState[]): ReadonlySet<string> {
  const kept = new Set(on.map((name) => findLayer(name, layers)))
  return new Set(layers.map(({ name }) => name).filter((name) => !kept.has(name)))
}
