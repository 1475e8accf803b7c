import type { KubernetesObject, Resource, Secret } from '@bulkhead/resources'
import type { Change, LayerState } from '@bulkhead/scenarios'
import type { ObjectInForce } from './cluster-types.js'
import { findLayer } from './overlay.js'

/** A change that stands: objects put on top of the files', and ids of those taken out, with their API group or without. */
export interface StandingChange {
  readonly objects: readonly Resource[]
  readonly without: ReadonlySet<string>
}

export interface Standing extends StandingChange {
  readonly given: Change
}

/** What is to be in force: all of it is derived from these. */
export interface Wanted {
  readonly base: readonly Resource[]
  readonly off: ReadonlySet<string>
  readonly changes: ReadonlyMap<string, Standing>
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
    for (const [key, { id }] of objects) if (change.without.has(key) || change.without.has(id)) objects.delete(key)
    for (const resource of change.objects) objects.set(keyOf(resource), resource)
  }
  return [...objects.values()]
}

/** What is to be in force, and everything that is written: also what is not, because a layer is off or a change is on top. */
export function objectsOf({ base, off, changes }: Wanted) {
  return {
    wanted: inForce(base, off, changes.values()),
    written: [...base, ...[...changes.values()].flatMap(({ objects }) => objects)],
  }
}

/** What changes bring that did not stand before, by id with API group. */
export function broughtBy({ changes }: Wanted, before: Wanted): ReadonlySet<string> {
  const stood = new Set(before.changes.values())
  return new Set([...changes.values()].filter((one) => !stood.has(one)).flatMap(({ objects }) => objects.map(keyOf)))
}

/** What changes delete that did not stand before, and what those deleted that stand no more. */
export function takenBy({ changes }: Wanted, before: Wanted): Record<'out' | 'back', ReadonlySet<string>> {
  const [is, was] = [new Set(changes.values()), new Set(before.changes.values())]
  const without = (standing: Iterable<Standing>) => [...standing].flatMap((one) => [...one.without])
  const still = new Set(without(is))
  return {
    out: new Set(without([...is].filter((one) => !was.has(one)))),
    back: new Set(without([...was].filter((one) => !is.has(one))).filter((id) => !still.has(id))),
  }
}

/** A change that was taken out stands again, in its old place: a later change on the same object still counts for more. */
export function putBack<T>(
  now: ReadonlyMap<string, T>,
  name: string,
  before: ReadonlyMap<string, T>,
): ReadonlyMap<string, T> {
  const earlier = before.get(name)
  if (earlier === undefined || now.has(name)) return now
  const names = [...before.keys()]
  const below = new Set(names.slice(0, names.indexOf(name)))
  const standing = [...now]
  const at = standing.findIndex(([other]) => !below.has(other))
  return new Map(standing.toSpliced(at === -1 ? standing.length : at, 0, [name, earlier]))
}

/** Each object in force, and what brought it. */
export function objectsInForce(
  resources: readonly Resource[],
  { base, off, changes }: Wanted,
  givenOf: (key: string) => Resource | undefined = () => undefined,
): readonly ObjectInForce[] {
  const inFiles = new Set(inForce(base, off, []).map(keyOf))
  const brought = new Map<string, string>()
  for (const [name, { objects }] of changes) for (const resource of objects) brought.set(keyOf(resource), name)
  return resources.map((resource) => {
    const key = keyOf(resource)
    const { file, line } = resource.position([])
    const change = brought.get(key)
    const given = givenOf(key)
    return {
      id: resource.id,
      ...(resource.layer !== undefined && { layer: resource.layer }),
      at: `${file}:${line}`,
      ...(change !== undefined && { change }),
      inFiles: inFiles.has(key),
      object: withoutValues(resource.object),
      ...(given !== undefined && { given: withoutValues(given.object) }),
    }
  })
}

/** What a Secret's values are shown as. */
export const hidden = '(not shown)'

/** Of a Secret its keys, and not what they hold: what is told to clients ends in terminals and logs. */
export function withoutValues(object: KubernetesObject): KubernetesObject {
  if (object.kind !== 'Secret' || object.apiVersion !== 'v1') return object
  const { data, stringData } = object as Secret
  const emptied = (values: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.keys(values).map((key) => [key, hidden]))
  return {
    ...object,
    ...(data !== undefined && { data: emptied(data) }),
    ...(stringData !== undefined && { stringData: emptied(stringData) }),
  } as KubernetesObject
}

/**
 * The id with its API group, as `Change.without` takes it. Kinds of different API groups may share an id; versions of
 * one group are one kind.
 */
export function keyOf({ id, object }: Resource): string {
  const group = object.apiVersion.includes('/') ? object.apiVersion.split('/')[0] : ''
  return id.replace('/', () => `.${group}/`)
}

/** The layers to be off when only these are on. */
export function allBut(on: readonly string[], layers: readonly LayerState[]): ReadonlySet<string> {
  const kept = new Set(on.map((name) => findLayer(name, layers)))
  return new Set(layers.map(({ name }) => name).filter((name) => !kept.has(name)))
}
