import { quote } from '../../../diagnostics.js'
import { isObject } from '../../../plain.js'
import type { At } from '../../schema.js'

/*
 * Patterns: what they hold is the resource's, and open; the anchors in their keys are looked at. Source: Kyverno's
 * validation of patterns, and what its engine does with an anchor in a place where it has no meaning.
 */

/** The reader's own limit for files is below this; patterns that are made in other ways are bounded here. */
const MAX_DEPTH = 1_000

const anchor = /^\s*([+<=X^]?)\((.*)\)\s*$/s

/** Which anchors a tree may have: those of a pattern, those of a patch, or none at all. */
export type Anchors = 'pattern' | 'patch' | 'none'

const ALLOWED: Readonly<Record<Anchors, readonly string[]>> = {
  pattern: ['', '<', '=', 'X', '^'],
  patch: ['', '<', '+'],
  none: [],
}

const WHY: Readonly<Record<Anchors, string>> = {
  pattern: 'a pattern takes (key), =(key), ^(key), X(key) and <(key); +(key) is for mutate alone',
  patch: 'a patch takes (key), <(key) and +(key); the others are for validate alone',
  none: 'what is generated takes no anchors: it is written as it is to be',
}

/** Walks without recursion: the depth is the author's to choose. */
export function checkPattern(root: unknown, anchors: Anchors, at: At): void {
  const rest: { value: unknown; at: At; depth: number }[] = [{ value: root, at, depth: 0 }]
  for (let one = rest.pop(); one !== undefined; one = rest.pop()) {
    if (one.depth > MAX_DEPTH) {
      one.at.error('pattern.depth', `nests more than ${MAX_DEPTH} deep`)
      return
    }
    const depth = one.depth + 1
    if (Array.isArray(one.value)) {
      checkItems(one.value, one.at, anchors)
      for (const [index, value] of one.value.entries()) rest.push({ value, at: one.at.at(index), depth })
    } else if (isObject(one.value)) {
      for (const [key, value] of Object.entries(one.value)) {
        checkKey(key, value, one.at.at(key), anchors)
        rest.push({ value, at: one.at.at(key), depth })
      }
    }
  }
}

function checkItems(items: readonly unknown[], at: At, anchors: Anchors): void {
  if (anchors !== 'pattern') return
  if (items.length === 0)
    at.error('pattern.empty-list', 'an empty list in a pattern matches nothing that can be there; take it away')
  else if (items.length > 1 && items.every(isObject))
    at.warn(
      'pattern.first-only',
      `only the first of these ${items.length} entries is held against every entry of the object; make rules of the others`,
    )
}

function checkKey(key: string, value: unknown, at: At, anchors: Anchors): void {
  const [, modifier, name = ''] = anchor.exec(key) ?? []
  if (modifier === undefined) {
    if (/^\s*[+<=X^]?\(/.test(key) || /\)\s*$/.test(key))
      at.warn(
        'pattern.anchor',
        `${quote(key)} looks like an anchor and is none, so it is the name of a field; write one as ^(key)`,
      )
    return
  }
  if (!ALLOWED[anchors].includes(modifier)) {
    at.error('pattern.anchor', `the anchor ${quote(key)} is not taken here: ${WHY[anchors]}`)
    return
  }
  if (name.trim() === '') at.error('pattern.anchor', `the anchor ${quote(key)} is of no field`)
  if (/^[+<=X^]?\(/.test(name.trim()))
    at.error('pattern.anchor', `${quote(key)} is an anchor in an anchor; a field has one`)
  if (modifier === '^' && !Array.isArray(value))
    at.error('pattern.existence', `${quote(key)} asks for at least one entry, so its value must be a list`)
}
