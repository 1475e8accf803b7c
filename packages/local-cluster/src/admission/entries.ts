import { changedResource, type Resource } from '@bulkhead/resources'
import type { AdmissionPolicies, GeneratedResource } from '@bulkhead/verdict/admission'
import { keyOf } from '../in-force.js'
import type { Refusal } from './refusal.js'

/** What a policy made. */
export interface Made extends GeneratedResource {
  /** Somebody has deleted it: it is not there until its policy makes it again. */
  readonly takenOut?: true
}

/** An object as it was asked for last, and what became of it. */
export interface Entry {
  /** As a file or a change has it. */
  readonly given: Resource
  /** What `stored` was made of: `given`, or what was before it where that was refused. */
  readonly source?: Resource
  /** As it is kept: mutated where a policy did so. Absent: it was never let in. */
  readonly stored?: Resource
  /** The same as its pods are made of it: a policy may have mutated those. */
  readonly running?: Resource
  /** What policies made of it. */
  readonly generated: readonly Made[]
  /** What a policy was to make of it, and is no object that the API server takes. */
  readonly notMade?: readonly Refusal[]
  /** Why `given`, or its end, was refused. */
  readonly refused?: Refusal
  /** Why its controller creates no pod. */
  readonly noPods?: Refusal
}

/** What is in force because it was let in. Immutable. */
export interface Held {
  /** By id with API group. */
  readonly entries: ReadonlyMap<string, Entry>
  /** What istiod made of the Gateways, likewise. */
  readonly made: ReadonlyMap<string, Entry>
  /** Of the objects that are in force. Undefined: before anything is. */
  readonly policies: AdmissionPolicies | undefined
  /**
   * Whatever was let in once and is still written somewhere, though something else is in force in its place: it comes back
   * without being asked again.
   */
  readonly once: ReadonlyMap<string, Entry>
}

export const nothingHeld: Held = { entries: new Map(), made: new Map(), policies: undefined, once: new Map() }

/** Every object in force, in order: those that were let in, and what policies made of them where nobody wrote that. */
export function storedOf({ entries }: Pick<Held, 'entries'>, as: 'stored' | 'running' = 'stored'): readonly Resource[] {
  const found = new Map<string, Resource>()
  for (const [key, { stored, running }] of entries) {
    const one = as === 'running' ? (running ?? stored) : stored
    if (one !== undefined) found.set(key, one)
  }
  for (const { generated, stored } of entries.values()) {
    if (stored === undefined) continue
    for (const one of generated) if (one.takenOut === undefined && !found.has(keyOf(one))) found.set(keyOf(one), one)
  }
  return [...found.values()]
}

/** What an object in force was made of, where policies have mutated it. */
export function givenOf({ entries }: Pick<Held, 'entries'>, key: string): Resource | undefined {
  const { source, stored } = entries.get(key) ?? {}
  return source === stored ? undefined : source
}

/** Everything that is refused now, in the order of the objects. */
export function refusalsOf({ entries, made }: Pick<Held, 'entries' | 'made'>): readonly Refusal[] {
  return [...entries.values(), ...made.values()].flatMap(({ refused, noPods, notMade = [] }) =>
    [refused, noPods, ...notMade].filter((one) => one !== undefined),
  )
}

/** Workloads (`namespace/name`) whose controllers may create no pods. */
export function podlessOf({ entries, made }: Pick<Held, 'entries' | 'made'>): ReadonlyMap<string, Refusal> {
  const podless = new Map<string, Refusal>()
  for (const { given, stored, noPods } of entries.values())
    if (stored !== undefined && noPods !== undefined) podless.set(workloadOf(given), noPods)
  for (const { given, stored, refused, noPods } of made.values()) {
    const why = stored === undefined ? refused : noPods
    if (given.kind === 'Deployment' && why !== undefined) podless.set(workloadOf(given), why)
  }
  return podless
}

/** What istiod made of Gateways and may not change as they would have it: it stays as it was. */
export function keptOf({ made }: Pick<Held, 'made'>): readonly Resource[] {
  return [...made.values()].flatMap(({ source, refused }) =>
    source !== undefined && refused !== undefined ? [source] : [],
  )
}

export const workloadOf = ({ namespace = 'default', name }: Resource): string => `${namespace}/${name}`

const contents = new WeakMap<object, string>()

/** What an object says, wherever it stands. */
export function contentOf({ object }: Resource): string {
  const known = contents.get(object)
  if (known !== undefined) return known
  const content = JSON.stringify(object)
  contents.set(object, content)
  return content
}

export const isSame = (one: Resource | undefined, other: Resource): boolean =>
  one !== undefined && (one.object === other.object || contentOf(one) === contentOf(other))

/** What was let in once is found by this. */
export const onceKey = (given: Resource): string => `${keyOf(given)}\n${contentOf(given)}`

/** The same entry, told from where the object stands now. */
export function moved(entry: Entry, given: Resource): Entry {
  const { source, stored, running } = entry
  if (given === entry.given && given === source) return entry
  const follow = (was: Resource | undefined) =>
    was === undefined || was === source ? given : changedResource(given, was.object)
  return {
    ...entry,
    given,
    source: given,
    ...(stored !== undefined && { stored: follow(stored) }),
    ...(running !== undefined && { running: follow(running) }),
  }
}
