import type { Resource } from '@bulkhead/resources'
import type { AdmissionPolicies, Requester } from '@bulkhead/verdict/admission'
import type { Engine } from '../engine.js'
import { badManifests } from '../errors.js'
import { keyOf } from '../in-force.js'
import { type Answered, answered, type Due, expected, triedAgain } from './answer.js'
import { type Entry, type Held, isSame, moved, onceKey, storedOf } from './entries.js'
import { hasPods, isPolicy } from './kinds.js'
import { type Taken, takenOut } from './taken-out.js'

export interface Passed {
  readonly held: Held
  /** What was asked, in order. */
  readonly asked: readonly Answered[]
}

export interface Passing {
  /** Everything that is to be in force, as it is written. */
  readonly wanted: readonly Resource[]
  /** Everything that is written, in force or not. */
  readonly written: Iterable<Resource>
  /** `back`: what was let in once comes back unasked. `as-before`: and nothing that goes is asked about. */
  readonly how?: 'ask' | 'back' | 'as-before'
  /** Asked about though they are there as they are written: by id with API group. */
  readonly always?: ReadonlySet<string>
  /** What is deleted, or no longer, also of what policies made. */
  readonly taken?: Taken
  /** Who asks. Default: the administrator that kubectl usually is. */
  readonly user?: Requester
}

export type GateEngine = Pick<Engine, 'compileAdmission' | 'admit' | 'made' | 'parse'>

/** Who creates what runs a Gateway. */
export const istiod: Requester = {
  username: 'system:serviceaccount:istio-system:istiod',
  groups: ['system:serviceaccounts', 'system:serviceaccounts:istio-system', 'system:authenticated'],
}

/**
 * Admission of all that is to be in force: who is asked about what, as whom, with which old object; and what comes of it.
 * What is there and has not changed is not asked about. What was refused is asked about again, as by whoever applies the
 * same folder again, and a controller that may create no pod tries again too.
 *
 * Policies come first, and are asked of those that were in force before them; everything else is asked of the policies that
 * are in force then, what policies look up before pods and workloads.
 *
 * @throws ClusterError `bad-manifests` for a policy that a cluster would not take
 */
export async function pass(engine: GateEngine, before: Held, passing: Passing): Promise<Passed> {
  const round = new Round(engine, before, passing)
  round.takeOut(before.policies)
  round.decide(({ given, operation }) => operation === 'DELETE' || isPolicy(given), before.policies)
  round.leave()
  let policies = await round.compile()
  round.decide(({ given }) => !hasPods(given), policies)
  if (round.differs) policies = await round.compile()
  round.decide(() => true, policies)
  if (round.differs) policies = await round.compile()
  round.tryAgain(policies)
  const entries = round.entries()
  const made = round.make(policies)
  return { held: { entries, made, policies, once: round.once(entries) }, asked: round.asked }
}

/** What is known of an object while it is being decided. */
type Undecided = { readonly due: Due } | { readonly entry: Entry }

class Round {
  readonly asked: Answered[] = []
  readonly #engine: GateEngine
  readonly #before: Held
  readonly #passing: Passing
  readonly #all = new Map<string, Undecided>()
  #differs = false
  /** What istiod makes of what policies were compiled with last. */
  #made: readonly Resource[] = []

  constructor(engine: GateEngine, before: Held, passing: Passing) {
    this.#engine = engine
    this.#before = before
    this.#passing = passing
    for (const given of passing.wanted) this.#all.set(keyOf(given), this.#look(given))
    if (passing.how === 'as-before') return
    // What is there and wanted no more.
    for (const [key, entry] of before.entries) {
      if (entry.stored === undefined || this.#all.has(key)) continue
      this.#all.set(key, { due: { given: entry.stored, operation: 'DELETE', entry } })
    }
  }

  /** Whether something is not as it was expected when policies were compiled. */
  get differs(): boolean {
    return this.#differs
  }

  #look(given: Resource): Undecided {
    const { entries, once } = this.#before
    const entry = entries.get(keyOf(given))
    // What was refused in its place may have been taken back.
    const known = isSame(entry?.source, given)
      ? this.#passing.always?.has(keyOf(given))
        ? undefined
        : entry
      : (this.#passing.how ?? 'ask') === 'ask'
        ? undefined
        : once.get(onceKey(given))
    if (known !== undefined) {
      const { refused: _, ...rest } = known
      return { entry: moved(rest, given) }
    }
    const { user } = this.#passing
    // What is there as it is written is asked about as if it were new: whether it may be there at all.
    const operation = entry?.stored === undefined || isSame(entry.source, given) ? 'CREATE' : 'UPDATE'
    return { due: { given, operation, entry, ...(user !== undefined && { user }) } }
  }

  /** Without policies all are let in. */
  decide(which: (due: Due) => boolean, policies: AdmissionPolicies | undefined): void {
    const now = [...this.#all]
    // What a namespace says of its objects comes before them.
    const rank = ([, one]: (typeof now)[number]) => ('due' in one && one.due.given.kind === 'Namespace' ? 0 : 1)
    for (const [key, one] of now.sort((a, b) => rank(a) - rank(b))) {
      if ('due' in one && which(one.due)) this.#answer(key, one.due, policies)
    }
  }

  /** What policies made goes with those of them that keep it as they say, unasked: their end is what was asked for. */
  leave(): void {
    const there = new Set<string>()
    for (const one of this.#all.values()) {
      if ('entry' in one && one.entry.stored !== undefined && isPolicy(one.entry.stored)) there.add(one.entry.stored.id)
    }
    this.#change((entry) => {
      const generated = entry.generated.filter(({ goesWith }) => goesWith === undefined || there.has(goesWith))
      return generated.length === entry.generated.length ? entry : { ...entry, generated }
    })
  }

  /** Who deletes what policies made is asked about it. */
  takeOut(policies: AdmissionPolicies | undefined): void {
    const { taken } = this.#passing
    if (taken === undefined || policies === undefined) return
    this.#change((entry) => {
      const { asked, left } = takenOut(entry, taken, this.#engine, policies)
      this.asked.push(...asked)
      return left
    })
  }

  /** What is there while it is being decided. */
  #change(change: (entry: Entry) => Entry): void {
    for (const [key, one] of this.#all) {
      const entry = 'entry' in one ? one.entry : one.due.entry
      if (entry === undefined) continue
      const left = change(entry)
      if (left !== entry) this.#all.set(key, 'entry' in one ? { entry: left } : { due: { ...one.due, entry: left } })
    }
  }

  /** Controllers that may create no pods do so with the policies that are in force now, where nothing was asked of them. */
  tryAgain(policies: AdmissionPolicies): void {
    const asked = new Set(this.asked.map(({ key }) => key))
    for (const [key, one] of this.#all) {
      if ('entry' in one && one.entry.noPods !== undefined && !asked.has(key))
        this.#all.set(key, { entry: triedAgain(one.entry, this.#engine, policies) })
    }
  }

  #answer(key: string, due: Due, policies: AdmissionPolicies | undefined): void {
    const answer = answered(due, this.#engine, policies)
    this.asked.push(answer)
    const { entry } = answer
    if (entry === undefined) this.#all.delete(key)
    else this.#all.set(key, { entry })
    const likely = expected(due)
    if (!isAlike(likely, entry)) this.#differs = true
  }

  async compile(): Promise<AdmissionPolicies> {
    this.#differs = false
    const entries = new Map(
      [...this.#all].flatMap(([key, one]): [string, Entry][] => {
        const entry = 'entry' in one ? one.entry : expected(one.due)
        return entry === undefined ? [] : [[key, entry]]
      }),
    )
    return badManifests(() => {
      const stored = storedOf({ entries })
      const known = this.#asBefore(stored)
      if (known !== undefined) return known
      this.#made = this.#engine.made(stored)
      // Of a Gateway's pods policies look up the account that istiod makes for them.
      return this.#engine.compileAdmission([...stored, ...this.#made])
    })
  }

  /** The policies that are in force, where nothing is to be there that is not, and in the same place. */
  #asBefore(stored: readonly Resource[]): AdmissionPolicies | undefined {
    const { policies, made } = this.#before
    if (policies === undefined || policies.resources.length !== stored.length + made.size) return undefined
    if (!stored.every((one, index) => one === policies.resources[index])) return undefined
    this.#made = policies.resources.slice(stored.length)
    return policies
  }

  /** In the order in which they are wanted. */
  entries(): ReadonlyMap<string, Entry> {
    return new Map([...this.#all].flatMap(([key, one]) => ('entry' in one ? [[key, one.entry]] : [])))
  }

  /** What istiod creates for the Gateways that were let in. */
  make(policies: AdmissionPolicies): ReadonlyMap<string, Entry> {
    return new Map(
      this.#made.map((given) => {
        const key = keyOf(given)
        const before = this.#before.made.get(key)
        if (before?.source !== undefined && isSame(before.source, given)) {
          // As it is to be it is there: what was refused in its place is wanted no more.
          const { refused: _, ...rest } = before
          const entry = moved(rest, given)
          return [key, entry.noPods === undefined ? entry : triedAgain(entry, this.#engine, policies)]
        }
        const operation = before?.stored === undefined ? 'CREATE' : 'UPDATE'
        const answer = answered({ given, operation, entry: before, user: istiod }, this.#engine, policies)
        this.asked.push(answer)
        return [key, answer.entry ?? { given, generated: [] }]
      }),
    )
  }

  /** What was let in, now or before, and is written still. */
  once(entries: ReadonlyMap<string, Entry>): ReadonlyMap<string, Entry> {
    const kept = new Map<string, Entry>()
    for (const given of this.#passing.written) {
      const key = onceKey(given)
      const entry = entries.get(keyOf(given))
      const known = isSame(entry?.source, given) ? entry : this.#before.once.get(key)
      if (known !== undefined) kept.set(key, known)
    }
    return kept
  }
}

/** Whether policies that look them up see the same. */
function isAlike(one: Entry | undefined, other: Entry | undefined): boolean {
  if (one?.stored?.object !== other?.stored?.object) return false
  const [made = [], likewise = []] = [one?.generated, other?.generated]
  return made.length === likewise.length && made.every((object, index) => object === likewise[index])
}
