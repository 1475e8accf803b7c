import type { Fix } from './types.js'

const shown = 8

/** `to allow it: in AuthorizationPolicy/shop/x (file:line), add ...`, a line for each change, and what else it would open. */
export function renderFix({ edits, alsoOpens }: Fix): string {
  const lines = edits.map(
    ({ object, at, says }, index) => `${index === 0 ? 'to allow it:' : '        and:'} in ${object} (${at}), ${says}`,
  )
  const more = alsoOpens.length > shown ? ` and ${alsoOpens.length - shown} more` : ''
  const cost =
    alsoOpens.length === 0
      ? 'which opens no other flow between workloads'
      : `which also opens ${alsoOpens.slice(0, shown).join(', ')}${more}`
  return `${lines.join('\n')}\n             ${cost}\n`
}
