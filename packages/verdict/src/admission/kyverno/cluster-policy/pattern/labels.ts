import { field, isDict, put } from '../data.js'
import { hasWildcard, wildcardMatches } from '../values/wildcard.js'
import { type Anchor, anchorText, parseAnchor } from './anchor.js'

/*
 * Wildcards in a pattern's keys. They mean something under metadata.labels and metadata.annotations alone: such a key is
 * put into the words of the object's first key that fits, and stays as it is where none does.
 */

export function expandKeys(
  pattern: Readonly<Record<string, unknown>>,
  object: unknown,
): Readonly<Record<string, unknown>> {
  const key = keyNamed(pattern, 'metadata')
  const metadata = key === undefined ? undefined : pattern[key]
  const given = field(object, 'metadata')
  if (key === undefined || !isDict(metadata) || !isDict(given)) return pattern
  const copy: Record<string, unknown> = { ...metadata }
  for (const name of ['labels', 'annotations']) {
    const tag = keyNamed(metadata, name)
    const wanted = tag === undefined ? undefined : metadata[tag]
    const present = given[keyNamed(given, name) ?? name]
    if (tag !== undefined && isDict(wanted) && isDict(present)) put(copy, tag, expanded(wanted, present))
  }
  return { ...pattern, [key]: copy }
}

function keyNamed(pattern: Readonly<Record<string, unknown>>, name: string): string | undefined {
  if (Object.hasOwn(pattern, name)) return name
  return Object.keys(pattern).find((key) => parseAnchor(key)?.key === name)
}

/** What is no text is dropped here, as Kyverno drops it. */
function expanded(wanted: Readonly<Record<string, unknown>>, present: Readonly<Record<string, unknown>>): object {
  const result: Record<string, unknown> = {}
  const keys = Object.keys(present).filter((key) => typeof present[key] === 'string')
  for (const [key, value] of Object.entries(wanted)) {
    if (typeof value !== 'string') continue
    const anchor = parseAnchor(key)
    put(result, hasWildcard(key) ? spelled(key, anchor, keys) : key, value)
  }
  return result
}

function spelled(key: string, anchor: Anchor | undefined, keys: readonly string[]): string {
  const wanted = anchor?.key ?? key
  const found = keys.toSorted().find((one) => wildcardMatches(wanted, one)) ?? wanted
  return anchor === undefined ? found : anchorText({ ...anchor, key: found })
}
