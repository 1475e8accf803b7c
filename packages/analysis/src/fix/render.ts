import type { Edit, Fix, NoFix } from './types.js'

const shown = 8
/** Up to so many callers of the same are named. */
const few = 3

/**
 * `to allow it: in AuthorizationPolicy/shop/x (file:line), add ...`, for each change that line and the one of YAML to add,
 * and what else it would open.
 */
export function renderFix({ edits, alsoOpens, askedOnly }: Fix): string {
  const lines = edits.flatMap((edit, index) => [
    `${index === 0 ? 'to allow it:' : '        and:'} ${what(edit)}`,
    `             ${edit.field === '' ? '' : `${edit.field}: `}+ ${edit.value}`,
  ])
  const opens = grouped(alsoOpens)
  const more = opens.length > shown ? ` and ${opens.length - shown} more` : ''
  const cost =
    alsoOpens.length === 0
      ? `which opens no other flow ${askedOnly === undefined ? 'between workloads' : `of ${askedOnly}`}`
      : `which also opens ${opens.slice(0, shown).join(', ')}${more}`
  const partial = askedOnly === undefined ? '' : ' (the set is too large to ask of all)'
  return `${lines.join('\n')}\n             ${cost}${partial}\n`
}

/** `no small change would allow it: more than 4 would be needed, in 20-network and 50-identity`, or what is in the way. */
export function renderNoFix({ why, edits, where, by }: NoFix): string {
  const last = where.at(-1)
  const places = where.length < 2 ? (last ?? '') : `${where.slice(0, -1).join(', ')} and ${last}`
  if (why === 'too-many') return `no small change would allow it: more than ${edits} would be needed, in ${places}\n`
  const what =
    edits === 0
      ? 'no addition to a policy opens this'
      : `with ${edits} in ${places} there would still be this, which no addition to a policy opens`
  return `no small change would allow it: ${what}:\n             ${by}\n`
}

/** What opens for many callers alike is one word: at a gateway that is the rule. */
function grouped(flows: readonly string[]): readonly string[] {
  const callers = new Map<string, number>()
  const whom = (flow: string): string => flow.slice(flow.indexOf(' -> '))
  for (const flow of flows) callers.set(whom(flow), (callers.get(whom(flow)) ?? 0) + 1)
  const words = flows.map((flow) => {
    const count = callers.get(whom(flow)) ?? 0
    return count > few ? `${count} other callers${whom(flow)}` : flow
  })
  return [...new Set(words)]
}

/** A new object has no place yet: only the file of one that is there can be named. */
function what({ object, at, beside, says }: Edit): string {
  if (beside === undefined) return `in ${object} (${at}), ${says}`
  return `${says}; a new object, ${object}, for instance beside ${beside} (${at})`
}
