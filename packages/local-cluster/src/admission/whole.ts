import type { Resource } from '@bulkhead/resources'
import type { Admission, Requester } from '@bulkhead/verdict/admission'
import { ClusterError } from '../errors.js'
import { keyOf } from '../in-force.js'
import type { Answered } from './answer.js'
import { type Held, isSame, refusalsOf } from './entries.js'
import { type GateEngine, type Passed, type Passing, pass } from './gate.js'
import { type Refusal, refusalText } from './refusal.js'

/** What admission said of a change. */
export interface Admitted {
  /** Everything that is refused now. */
  readonly refused: readonly Refusal[]
  /** What of it was not refused before, or was written otherwise, or for another reason. */
  readonly news: readonly Refusal[]
  /** Ids of what was refused before, and is no more. */
  readonly mended: readonly string[]
  /**
   * What kubectl prints after `Warning: `; of what is refused still, as it is written, nothing again. And what of a policy that
   * is new is not modelled here.
   */
  readonly warnings: readonly string[]
}

export function admittedOf(before: Held, passed: Passed): Admitted {
  const known = new Set(refusalsOf(before).map(sayingOf))
  const refused = refusalsOf(passed.held)
  const anew = askedAnew(before, passed)
  // Somebody who mends something wants to know that it was not enough.
  const written = new Set(anew.flatMap(({ entry }) => [entry?.refused, entry?.noPods]))
  return {
    refused,
    news: refused.filter((one) => written.has(one) || !known.has(sayingOf(one))),
    mended: [...new Set(refusalsOf(before).map(({ id }) => id))].filter((id) => !refused.some((one) => one.id === id)),
    warnings: [
      ...new Set(anew.flatMap(({ admission }) => admission?.warnings ?? [])),
      ...notModelledNow(before, passed),
    ],
  }
}

/** A policy that comes in without all of it being modelled, before it denies somebody something. */
function notModelledNow(before: Held, { held }: Passed): readonly string[] {
  const known = new Set(before.policies?.notModelled.map(({ id, what }) => `${id} ${what}`))
  return (held.policies?.notModelled ?? [])
    .filter(({ id, what }) => !known.has(`${id} ${what}`))
    .map(({ id, what, at }) => `${id}: ${what} (${at}) is not modelled; what it touches is denied`)
}

const sayingOf = ({ id, operation, refused, message }: Refusal): string =>
  JSON.stringify([id, operation, refused, message])

/** What was asked because of the change itself, and not because it was refused before. */
function askedAnew(before: Held, { asked }: Passed, own: ReadonlySet<string> = new Set()): readonly Answered[] {
  return asked.filter(({ key, given, operation }) => {
    const entry = before.entries.get(key) ?? before.made.get(key)
    if (entry?.refused === undefined || own.has(key)) return true
    return operation === 'DELETE' ? entry.refused.operation !== 'DELETE' : !isSame(entry.given, given)
  })
}

interface Whole {
  /** What the change brings, by id with API group: also what the files have, and was refused there. */
  readonly own?: ReadonlySet<string>
  /** What of it may refuse the change. Default: all. */
  readonly counts?: (one: Answered) => boolean
}

/**
 * A change is in force whole or not at all: with an object that is refused, or whose pods are, it is not.
 *
 * @throws ClusterError `refused`, with what was said of each of its objects
 */
export function refuseWhole(
  before: Held,
  passed: Passed,
  { own: brought = new Set(), counts = () => true }: Whole = {},
): void {
  const own = askedAnew(before, passed, brought)
  const refused = own.filter(counts).flatMap(({ entry, admission }) => {
    if (admission === undefined || entry === undefined) return []
    return admission.outcome === 'allow' ? (entry.noPods ?? []) : (entry.refused ?? [])
  })
  if (refused.length === 0) return
  const admissions = own.flatMap(({ admission }) => admission ?? [])
  throw new ClusterError('refused', refused.map((one) => refusalText(one, 'whole')).join('\n'), { admissions })
}

interface Predicting extends Pick<Passing, 'wanted' | 'written'> {
  /** What is asked about, also where it is in force as it is. */
  readonly of: readonly Resource[]
  readonly user: Requester | undefined
}

/** What would be said of these objects, in their order. */
export async function predicted(
  engine: GateEngine,
  held: Held,
  { wanted, written, of, user }: Predicting,
): Promise<readonly Admission[]> {
  const keys = of.map(keyOf)
  const always = new Set(keys)
  const { asked } = await pass(engine, held, { wanted, written, always, ...(user !== undefined && { user }) })
  const said = new Map(asked.map(({ key, admission }) => [key, admission]))
  return keys.flatMap((key) => said.get(key) ?? [])
}
