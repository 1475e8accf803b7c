import type { Context } from './context.js'

/*
 * `{{@}}`: the object's own value at the place where the variable stands in a patch.
 */

/** Kyverno's detour from a place in the rule to a path in the object: two steps are the rule's own (`mutate`, `patchStrategicMerge`). */
export function selfPath(path: string, context: Context): string {
  const parts = partsOf(path)
  const parent = parts.lastIndexOf('foreach')
  const steps = parts.slice(parent + 1)
  const inside = steps.length > 2 ? steps.slice(2) : []
  const start = context.has('target') ? ['target'] : ['request', 'object']
  return [...start, ...inside].reduce((made, part) => {
    if (/^\d+$/.test(part)) return `${made}[${part}]`
    const name = /^[(A-Za-z_][)0-9A-Za-z_]*$/.test(part) ? part : JSON.stringify(part)
    return made === '' ? name : `${made}.${name}`
  }, '')
}

/** At slashes, but those behind a backslash. */
function partsOf(path: string): readonly string[] {
  return path
    .split(/(?<!\\)\//)
    .filter((part) => part !== '')
    .map((part) => part.replaceAll('\\/', '/'))
}
