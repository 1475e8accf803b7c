import { deepFreeze } from './plain.js'
import type { FieldPath, KubernetesObject, Resource } from './types.js'

/*
 * Objects that no file holds as they are: one of a file that admission changed, and one that a policy or a controller
 * made. Pure: the verdict engine uses it in a browser too.
 */

/**
 * The same resource with another object in it, as a mutating policy leaves it. `position` answers for the object's own
 * paths: with the place of the field in the file, or of its closest ancestor that is written there. An entry of a list
 * is looked for where it now stands among those of the file: by its name (or port, or path), by its value, and by its
 * index where the list has not grown or shrunk.
 */
export function changedResource<T extends KubernetesObject>(resource: Resource, object: T): Resource<T> {
  return {
    ...resource,
    object: deepFreeze(object),
    position: (path) => resource.position(writtenPath(resource.object, object, path)),
  }
}

/**
 * An object that has no line of its own: all of it is at one place of what made it (a policy's rule, a Gateway, a
 * workload's template). It belongs to the same layer.
 *
 * @param path where in `by`; its beginning by default
 */
export function madeResource<T extends KubernetesObject>(object: T, by: Resource, path: FieldPath = []): Resource<T> {
  const { kind, metadata } = object
  const { name, namespace } = metadata
  return {
    id: [kind, ...(namespace === undefined ? [] : [namespace]), name].join('/'),
    kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    object: deepFreeze(object),
    ...(by.layer === undefined ? {} : { layer: by.layer }),
    position: () => by.position(path),
  }
}

/** The path in the object of the file, as far as it has what is asked for. */
function writtenPath(before: unknown, after: unknown, path: FieldPath): FieldPath {
  const found: (string | number)[] = []
  for (const step of path) {
    const next = stepIn(before, after, step)
    if (next === undefined) break
    found.push(next)
    before = fieldOf(before, next)
    after = fieldOf(after, step)
  }
  return found
}

function stepIn(before: unknown, after: unknown, step: string | number): string | number | undefined {
  if (!Array.isArray(before) || !Array.isArray(after) || typeof step !== 'number')
    return fieldOf(before, step) === undefined ? undefined : step
  const item: unknown = after[step]
  const same = before.findIndex((one: unknown) => one === item)
  if (same !== -1) return same
  const own = keys.filter((name) => fieldOf(item, name) !== undefined)
  for (const key of own) {
    const index = before.findIndex((one: unknown) => fieldOf(one, key) === fieldOf(item, key))
    if (index !== -1) return index
  }
  if (own.length > 0) return undefined
  return before.length === after.length ? step : undefined
}

/** What tells the entries of Kubernetes' lists apart, as its strategic merge does (ports of containers, of Services, mounts ...). */
const keys = ['name', 'containerPort', 'port', 'mountPath', 'devicePath', 'key', 'ip', 'topologyKey', 'uid']

function fieldOf(value: unknown, step: string | number): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, step)
    ? Object.getOwnPropertyDescriptor(value, step)?.value
    : undefined
}
