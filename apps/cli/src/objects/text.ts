import type { PolicyDiff } from '@bulkhead/analysis'
import { type Io, note, print, printable, printJson } from '../io.js'
import type { JsonOption } from '../options.js'
import { type Style, styleOf } from '../style.js'
import { groupOf, type ObjectDone } from './change.js'
import { effectText } from './effect.js'

/** What became of an object, as kubectl says it: `authorizationpolicy.security.istio.io/allow-nothing created`. */
function doneText({ id, object, done }: ObjectDone, style: Style): string {
  const group = groupOf(object)
  const kind = `${object.kind.toLowerCase()}${group === '' ? '' : `.${group}`}`
  const { name, namespace } = object.metadata
  if (done === 'not found') return style.yellow(`${id} is not in force, so it cannot be deleted`)
  if (done !== 'deleted') return `${kind}/${name} ${done}`
  return `${kind} ${JSON.stringify(name)} deleted${namespace === undefined ? '' : ` from ${namespace} namespace`}`
}

/** One after the other, as they are done. */
export function tellOne(one: ObjectDone, { json }: JsonOption, io: Io): void {
  const { done, said = [] } = one
  for (const line of said) note(io, printable(line))
  if (json === true || done === 'refused') return
  const text = doneText(one, styleOf(io))
  if (done === 'not found') note(io, text)
  else print(io, text)
}

/** At the end: what all of it opened and closed; with --json everything. */
export async function tellDone(
  done: readonly ObjectDone[],
  diff: PolicyDiff | undefined,
  { json }: JsonOption,
  io: Io,
): Promise<void> {
  if (json === true) {
    const { diffJson } = await import('@bulkhead/analysis')
    const objects = done.map(({ id, done: what, said }) => ({ id, done: what, ...(said !== undefined && { said }) }))
    printJson(io, { objects, ...(diff !== undefined && { diff: diffJson(diff) }) })
  } else if (diff !== undefined) {
    const style = styleOf(io)
    // What opens is where the danger is.
    const text = await effectText(diff)
    print(
      io,
      text.replace(/^\+ .*$/gm, (line) => style.red(line)).replace(/^- .*$/gm, (line) => style.green(line)),
    )
  }
}
