import { isDeepStrictEqual } from 'node:util'
import { type ControlClient, ControlError } from '@bulkhead/control'
import type { KubernetesObject } from '@bulkhead/resources'
import type { Change } from '@bulkhead/scenarios'
import type { Given } from './read.js'

/** What of a running target is needed to change single objects of it. */
export type ObjectTarget = Pick<ControlClient, 'objects' | 'changes' | 'put' | 'withdraw'>

export type Done = 'created' | 'configured' | 'unchanged' | 'deleted' | 'not found' | 'refused'

export interface ObjectDone {
  readonly id: string
  readonly object: KubernetesObject
  readonly done: Done
  /** What admission says: why it is refused, or what it warns of. */
  readonly said?: readonly string[]
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
    const done = before === undefined ? 'created' : 'configured'
    tell(there ? { id, object, done } : await asked({ id, object, done }, () => target.put(name, change)))
  }
}

const objectsByKey = async (target: Pick<ObjectTarget, 'objects'>) =>
  new Map((await target.objects()).map((one) => [keyOf(one), one.given ?? one.object]))

/** As kubectl does, it goes on with the others when the API server refuses one. */
async function asked(
  done: ObjectDone,
  change: () => Promise<{ readonly warnings: readonly string[] }>,
): Promise<ObjectDone> {
  try {
    const { warnings } = await change()
    return warnings.length === 0 ? done : { ...done, said: warnings.map((text) => `Warning: ${text}`) }
  } catch (error) {
    if (!(error instanceof ControlError) || error.code !== 'refused') throw error
    return { ...done, done: 'refused', said: error.message.split('\n') }
  }
}

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
  let left = given
  while (left.length > 0) {
    const needed: Identified[] = []
    let last: unknown
    for (const one of left) {
      try {
        tell(await deleted(target, one, inForce.get(keyOf(one))))
      } catch (error) {
        if (!(error instanceof ControlError) || error.code !== 'bad-manifests') throw error
        needed.push(one)
        last = error
      }
    }
    // What another object needs goes once that one has gone: kubectl takes any order, and the target none in which
    // something is missing.
    if (needed.length === left.length) throw last
    left = needed
  }
}

async function deleted(
  target: ObjectTarget,
  { id, object }: Identified,
  found: Awaited<ReturnType<ObjectTarget['objects']>>[number] | undefined,
): Promise<ObjectDone> {
  if (found === undefined) return { id, object, done: 'not found' }
  const { change, inFiles } = found
  const done: ObjectDone = { id, object, done: 'deleted' }
  if (inFiles || change === undefined) {
    const name = changeName({ id, object })
    const gone = await asked(done, () => target.put(name, { without: [keyOf({ id, object })] }))
    if (gone.done === 'refused') return gone
    const again = (await target.objects()).find((one) => keyOf(one) === keyOf(found))
    if (again === undefined) return gone
    // Nothing is kept out: an object that the files bring later is theirs.
    if (!inFiles) await target.withdraw(name)
    const told = `Warning: ${id} is there again: a policy makes it (${again.at}); to be rid of it, delete that policy or what it is made of first.`
    return { ...gone, said: [...(gone.said ?? []), told] }
  }
  return asked(done, async () => {
    await target.withdraw(change)
    return { warnings: [] }
  })
}

/** The id with its API group, as `Change.without` takes it: `Gateway.networking.istio.io/shop/front`. */
export const keyOf = ({ id, object }: Identified): string => id.replace('/', () => `.${groupOf(object)}/`)

export const groupOf = ({ apiVersion }: KubernetesObject): string =>
  apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''
