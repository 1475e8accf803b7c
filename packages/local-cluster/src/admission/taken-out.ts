import type { Resource } from '@bulkhead/resources'
import type { AdmissionPolicies } from '@bulkhead/verdict/admission'
import type { Engine } from '../engine.js'
import { keyOf } from '../in-force.js'
import { type Answered, answered, takenOf } from './answer.js'
import type { Entry, Made } from './entries.js'

/** Ids, with API group or without. */
export interface Taken {
  /** What a change deletes. */
  readonly out: ReadonlySet<string>
  /** What was deleted by a change that is withdrawn. */
  readonly back: ReadonlySet<string>
}

/**
 * Of what policies made of an object, what is deleted: it is not there until a policy makes it again. One that keeps it as it
 * says does so at once; any other when the object is asked about again. One whose end is refused stays.
 */
export function takenOut(
  entry: Entry,
  { out, back }: Taken,
  engine: Pick<Engine, 'admit' | 'parse'>,
  policies: AdmissionPolicies,
): { readonly asked: readonly Answered[]; readonly left: Entry } {
  const asked: Answered[] = []
  let { notMade = [] } = entry
  const generated = entry.generated.flatMap((one): readonly Made[] => {
    const { takenOut: gone, ...there } = one
    if (gone) return isOf(back, one) ? [there] : [one]
    if (!isOf(out, one)) return [one]
    const answer = answered({ given: one, operation: 'DELETE', entry: whole(one) }, engine, policies)
    asked.push(answer)
    if (answer.entry !== undefined) return [one]
    if (one.goesWith === undefined) return [{ ...one, takenOut: true }]
    const again = takenOf([one], [], engine, policies)
    notMade = [...notMade, ...again.notMade]
    return again.made
  })
  const { length } = generated
  const isAsBefore = length === entry.generated.length && generated.every((one, at) => one === entry.generated[at])
  if (isAsBefore) return { asked, left: entry }
  return { asked, left: { ...entry, generated, ...(notMade.length > 0 && { notMade }) } }
}

const isOf = (ids: ReadonlySet<string>, one: Resource): boolean => ids.has(keyOf(one)) || ids.has(one.id)

const whole = (one: Resource): Entry => ({ given: one, source: one, stored: one, generated: [] })
