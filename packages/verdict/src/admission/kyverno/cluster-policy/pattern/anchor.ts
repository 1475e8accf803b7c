/*
 * Anchors: what a key in brackets means for its value and its siblings (semantics E.1).
 */

export type AnchorType = 'condition' | 'global' | 'negation' | 'add' | 'equality' | 'existence'

export interface Anchor {
  readonly type: AnchorType
  readonly key: string
}

const types: Readonly<Record<string, AnchorType>> = {
  '': 'condition',
  '<': 'global',
  X: 'negation',
  '+': 'add',
  '=': 'equality',
  '^': 'existence',
}
const signs = new Map(Object.entries(types).map(([sign, type]) => [type, sign]))

/** `=(name)` and its kind; undefined for a plain key. */
export function parseAnchor(text: string): Anchor | undefined {
  if (!text.includes('(')) return undefined
  const found = /^([+<=X^])?\((.+)\)$/.exec(text.trim())
  const type = types[found?.[1] ?? '']
  return found?.[2] === undefined || type === undefined ? undefined : { type, key: found[2] }
}

export function anchorText({ type, key }: Anchor): string {
  return `${signs.get(type) ?? ''}(${key})`
}
