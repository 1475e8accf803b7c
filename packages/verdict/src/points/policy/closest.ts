import type { Closest } from '../../types.js'
import type { Clause, Rule } from './rule.js'
import type { Subject } from './subject.js'

type Lack = Closest['lacks'][number]

/** The rule of the ALLOW policies that lacks the fewest attributes; the first of equals. None when there is no rule. */
export function closestRule<S extends Subject>(
  policies: readonly { readonly rules: readonly Rule<S>[] }[],
  subject: S,
): Closest | undefined {
  let best: Closest | undefined
  for (const policy of policies) {
    for (const rule of policy.rules) {
      const lacks = lacksOf(rule, subject)
      if (best === undefined || lacks.length < best.lacks.length) {
        const { policy: id, rule: index, at } = rule.by
        best = { policy: id, rule: index, at, lacks }
      }
    }
  }
  return best
}

function lacksOf<S extends Subject>(rule: Rule<S>, subject: S): Lack[] {
  const omitted = rule.omittedFor.map(({ attribute, why }) => ({ attribute, wants: [], has: why }))
  return [...omitted, ...rule.clauses.flatMap((clause) => clauseLacks(clause, subject))]
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
