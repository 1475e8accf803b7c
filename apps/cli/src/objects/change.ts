import { isDeepStrictEqual } from 'node:util'
import type { ControlClient } from '@bulkhead/control'
import type { KubernetesObject } from '@bulkhead/resources'
import type { Change } from '@bulkhead/scenarios'
import type { Given } from './read.js'

/** What of a running target is needed to change single objects of it. */
export type ObjectTarget = Pick<ControlClient, 'objects' | 'changes' | 'apply' | 'withdraw'>

export type Done = 'created' | 'configured' | 'unchanged' | 'deleted' | 'not found'

export interface ObjectDone {
  readonly id: string
  readonly object: KubernetesObject
  readonly done: Done
}

/** Kinds of different API groups may share an id. */
type Identified = Pick<ObjectDone, 'id' | 'object'>

const prefix = 'object/'

/** The name of the one change that stands for an object, as `object/<API group>/<id>`: a later one replaces it. */
export const changeName = ({ id, object }: Identified): string => `${prefix}${groupOf(object) || 'core'}/${id}`
/** Whether a standing change was made by `apply` or `delete`, and not by a scenario that is running. */
export const isObjectChange = (name: string): boolean => name.startsWith(prefix)

/** Puts objects in force, one after the other. What is in force as it is given is left alone. */
export async function applyObjects(
  target: ObjectTarget,
  given: readonly Given[],
  tell: (done: ObjectDone) => void,
): Promise<void> {
  const inForce = await objectsByKey(target)
  const deleted = new Set((await target.changes()).filter(({ change }) => isDeletion(change)).map(({ name }) => name))
  for (const { resource, change } of given) {
    const { id, object } = resource
    const before = inForce.get(keyOf(resource))
    if (isSame(before, object)) {
      tell({ id, object, done: 'unchanged' })
      continue
    }
    // Where the files hold it as it is given, no longer to be deleted is all that it takes: it stays the files' own.
    const name = changeName(resource)
    if (deleted.has(name)) await target.withdraw(name)
    const there = deleted.has(name) && isSame((await objectsByKey(target)).get(keyOf(resource)), object)
    if (!there) await target.apply(name, change)
    tell({ id, object, done: before === undefined ? 'created' : 'configured' })
  }
}

const objectsByKey = async (target: Pick<ObjectTarget, 'objects'>) =>
  new Map((await target.objects()).map((one) => [keyOf(one), one.object]))

const isDeletion = ({ objects, without = [] }: Change): boolean => objects === undefined && without.length > 0
/** What is in force came as JSON. */
const isSame = (inForce: KubernetesObject | undefined, object: KubernetesObject): boolean =>
  isDeepStrictEqual(inForce, JSON.parse(JSON.stringify(object)))

/**
 * Takes objects out. One that only a change brought goes with that change, so that its layer, put up later, brings it
 * again; one of the files is kept out by a change of its own.
 */
export async function deleteObjects(
  target: ObjectTarget,
  given: readonly Identified[],
  tell: (done: ObjectDone) => void,
): Promise<void> {
  const inForce = new Map((await target.objects()).map((one) => [keyOf(one), one]))
  for (const { id, object } of given) {
    const key = keyOf({ id, object })
    const found = inForce.get(key)
    if (found === undefined) {
      tell({ id, object, done: 'not found' })
      continue
    }
    if (!found.inFiles && found.change !== undefined) await target.withdraw(found.change)
    else await target.apply(changeName({ id, object }), { without: [key] })
    tell({ id, object, done: 'deleted' })
  }
}

/** The id with its API group, as `Change.without` takes it: `Gateway.networking.istio.io/shop/front`. */
export const keyOf = ({ id, object }: Identified): string => id.replace('/', () => `.${groupOf(object)}/`)

export const groupOf = ({ apiVersion }: KubernetesObject): string =>
  apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''
