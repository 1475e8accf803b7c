import type { Closest } from '../../types.js'
import type { Clause, Rule } from './rule.js'
import type { Subject } from './subject.js'

type Lack = Closest['lacks'][number]

/** What a rule lacks of a match, for people. */
export function closest<S extends Subject>(rule: Rule<S>, subject: S): Closest {
  const { policy, rule: index, at } = rule.by
  const omitted = rule.omittedFor.map(({ attribute, why }) => ({ attribute, wants: [], has: why }))
  const lacks = [...omitted, ...rule.clauses.flatMap((clause) => clauseLacks(clause, subject))]
  return { policy, rule: index, at, lacks }
}

/** Of the entries of a clause the one that lacks the least. */
function clauseLacks<S extends Subject>(clause: Clause<S>, subject: S): Lack[] {
  const each = clause.entries.map((entry): Lack[] => {
    if (entry.length === 0) return [{ attribute: clause.name, wants: [], has: 'nothing in it that ztunnel reads' }]
    return entry
      .filter((attribute) => !attribute.holds(subject))
      .map((attribute) => ({ attribute: attribute.name, wants: attribute.wants, has: attribute.has(subject) }))
  })
  return each.reduce((best, lacks) => (lacks.length < best.length ? lacks : best))
}
