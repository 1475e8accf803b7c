import type { Attribute } from './attributes.js'
import type { Unread } from './judge.js'
import type { Rule } from './rule.js'
import type { Subject } from './subject.js'
import { TextIndex } from './texts.js'

/** What a set of rules makes of a connection or a request. */
export interface Asked<S extends Subject> {
  /** The first rule that matches. */
  readonly matched: Rule<S> | undefined
  /** Without one: the rule that lacks the fewest attributes, of equals the first. */
  readonly nearest: Rule<S> | undefined
}

/**
 * The rules of several policies, in the order in which they are asked, laid out so that a thousand of them take
 * microseconds: an attribute that several rules share is looked at once for each question, and a rule that can no longer
 * be the answer is left at once. A rule matches if every clause does: in each any entry, and in it every attribute (C.3).
 */
export class RuleSet<S extends Subject> {
  readonly rules: readonly Rule<S>[]
  /** The first of them that is not fully read: nobody can say whether it matches. */
  readonly unread: Unread | undefined
  /** For each rule: its clauses, in each its entries, in each its attributes; each list begins with its length. */
  readonly #layout: Int32Array
  /** Where each rule begins in the layout. */
  readonly #starts: Int32Array
  /** For each rule: what it lacks in any case; -1 for one that is not fully read, which is nobody's word. */
  readonly #omitted: Int32Array
  readonly #attributes: readonly Attribute<S>[]
  /** For each attribute that compares texts: the index that knows its answer. */
  readonly #indexes: readonly (TextIndex<S> | undefined)[]
  /** For each attribute: twice the question that it was last looked at for, and one more if it held. */
  readonly #answers: Float64Array
  #question = 0

  constructor(policies: readonly { readonly rules: readonly Rule<S>[] }[]) {
    this.rules = policies.flatMap(({ rules }) => rules)
    this.unread = firstUnread(this.rules)
    const numbers = new Map<string, number>()
    const attributes: Attribute<S>[] = []
    const layout: number[] = []
    const starts: number[] = []
    for (const { namespace, clauses } of this.rules) {
      starts.push(layout.length)
      layout.push(clauses.length)
      for (const { entries } of clauses) {
        layout.push(entries.length)
        for (const entry of entries) {
          layout.push(entry.length)
          for (const attribute of entry) {
            // A short name of a service account means another one in each namespace.
            const key = JSON.stringify([namespace, attribute.name, attribute.wants])
            const number = numbers.get(key) ?? attributes.push(attribute) - 1
            numbers.set(key, number)
            layout.push(number)
          }
        }
      }
    }
    this.#attributes = attributes
    this.#indexes = indexed(attributes)
    this.#layout = Int32Array.from(layout)
    this.#starts = Int32Array.from(starts)
    this.#omitted = Int32Array.from(
      this.rules.map(({ omittedFor, notModelled }) => (notModelled.length > 0 ? -1 : omittedFor.length)),
    )
    this.#answers = new Float64Array(attributes.length).fill(-1)
  }

  ask(subject: S): Asked<S> {
    this.#question++
    let [nearest, least] = [-1, Number.POSITIVE_INFINITY]
    const { length } = this.rules
    for (let index = 0; index < length; index++) {
      const omitted = this.#omitted[index] ?? -1
      if (omitted === -1) continue
      const lacks = this.#lacks(index, omitted, least, subject)
      if (lacks === 0) return { matched: this.rules[index], nearest: undefined }
      if (lacks < least) [nearest, least] = [index, lacks]
    }
    return { matched: undefined, nearest: this.rules[nearest] }
  }

  /** How many attributes keep the rule from matching; `limit` where there are at least as many. */
  #lacks(index: number, omitted: number, limit: number, subject: S): number {
    const layout = this.#layout
    let at = this.#starts[index] ?? 0
    let lacks = omitted
    for (let clauses = layout[at++] ?? 0; clauses > 0 && lacks < limit; clauses--) {
      let least = Number.POSITIVE_INFINITY
      for (let entries = layout[at++] ?? 0; entries > 0; entries--) {
        const length = layout[at++] ?? 0
        // An entry in which the proxy reads nothing never matches.
        let missing = length === 0 ? 1 : 0
        for (let rest = length; rest > 0; rest--) if (!this.#holds(layout[at++] ?? 0, subject)) missing++
        if (missing < least) least = missing
      }
      lacks += least
    }
    return lacks < limit ? lacks : limit
  }

  #holds(number: number, subject: S): boolean {
    const asked = this.#question * 2
    const answer = this.#answers[number] ?? -1
    if (answer >= asked) return answer > asked
    const index = this.#indexes[number]
    if (index !== undefined) {
      index.answer(subject, this.#answers, asked, asked + 1)
      return (this.#answers[number] ?? asked) > asked
    }
    const holds = this.#attributes[number]?.holds(subject) === true
    this.#answers[number] = holds ? asked + 1 : asked
    return holds
  }
}

/** One index for all that read the same. */
function indexed<S extends Subject>(attributes: readonly Attribute<S>[]): readonly (TextIndex<S> | undefined)[] {
  const indexes = new Map<string, TextIndex<S>>()
  return attributes.map(({ texts }, number) => {
    if (texts === undefined) return undefined
    const { reader } = texts
    const index = indexes.get(reader.name) ?? new TextIndex(reader)
    indexes.set(reader.name, index)
    index.add(number, texts)
    return index
  })
}

function firstUnread<S extends Subject>(rules: readonly Rule<S>[]): Unread | undefined {
  for (const { by, notModelled } of rules) {
    const [what] = notModelled
    if (what !== undefined) return { what, by }
  }
  return undefined
}
