import type { Edit, Fix } from './types.js'

const shown = 8

/**
 * `to allow it: in AuthorizationPolicy/shop/x (file:line), add ...`, for each change that line and the one of YAML to add,
 * and what else it would open.
 */
export function renderFix({ edits, alsoOpens, askedOnly }: Fix): string {
  const lines = edits.flatMap((edit, index) => [
    `${index === 0 ? 'to allow it:' : '        and:'} ${what(edit)}`,
    `             ${edit.field === '' ? '' : `${edit.field}: `}+ ${edit.value}`,
  ])
  const more = alsoOpens.length > shown ? ` and ${alsoOpens.length - shown} more` : ''
  const cost =
    alsoOpens.length === 0
      ? `which opens no other flow ${askedOnly === undefined ? 'between workloads' : `of ${askedOnly}`}`
      : `which also opens ${alsoOpens.slice(0, shown).join(', ')}${more}`
  const partial = askedOnly === undefined ? '' : ' (the set is too large to ask of all)'
  return `${lines.join('\n')}\n             ${cost}${partial}\n`
}

/** A new object has no place yet: only the file of one that is there can be named. */
function what({ object, at, beside, says }: Edit): string {
  if (beside === undefined) return `in ${object} (${at}), ${says}`
  return `${says}; a new object, ${object}, for instance beside ${beside} (${at})`
}
