import { parse } from 'yaml'
import { isDict, put } from '../data.js'
import type { Budget } from '../limits.js'
import { complain, dict, list, text, textOrNumber } from './arguments.js'
import type { Apply, FunctionTable } from './functions.js'
import { same } from './interpreter.js'

export const collections: FunctionTable = {
  // The library compares numbers alone.
  max_by: [2, (given, budget, apply) => furthest('max_by', given, budget, apply, (one, best) => one > best)],
  min_by: [2, (given, budget, apply) => furthest('min_by', given, budget, apply, (one, best) => one < best)],
  items: [
    3,
    (given) => {
      const [key, value] = [text('items', given, 1), text('items', given, 2)]
      const pairs: readonly (readonly [unknown, unknown])[] = isDict(given[0])
        ? Object.entries(given[0]).sort(([a], [b]) => (a < b ? -1 : 1))
        : [...list('items', given, 0).entries()]
      return pairs.map(([name, item]) => {
        const made = {}
        put(made, key, name)
        put(made, value, item)
        return made
      })
    },
  ],
  object_from_lists: [
    2,
    (given) => {
      const values = list('object_from_lists', given, 1)
      const made = {}
      for (const [index] of list('object_from_lists', given, 0).entries())
        put(made, textOrNumber('object_from_lists', list('object_from_lists', given, 0), index), values[index] ?? null)
      return made
    },
  ],
  lookup: [
    2,
    (given) => {
      const [from, key] = given
      if (isDict(from)) {
        const name = text('lookup', given, 1)
        return Object.hasOwn(from, name) ? (from[name] ?? null) : null
      }
      const items = list('lookup', given, 0)
      if (typeof key !== 'number' || !Number.isInteger(key))
        return complain('lookup', 'argument #2 is not of type Number')
      return items[key] ?? null
    },
  ],
  label_match: [
    2,
    (given, budget) => {
      const [wanted, present] = [dict('label_match', given, 0), dict('label_match', given, 1)]
      return Object.entries(wanted).every(
        ([key, value]) => Object.hasOwn(present, key) && same(present[key], value, budget),
      )
    },
  ],
  parse_json: [
    1,
    (given) => {
      try {
        return JSON.parse(text('parse_json', given, 0)) as unknown
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error
        return complain('parse_json', error.message)
      }
    },
  ],
  parse_yaml: [1, (given) => parse(text('parse_yaml', given, 0), { maxAliasCount: 50 }) as unknown],
}

function furthest(
  name: string,
  given: readonly unknown[],
  budget: Budget | undefined,
  apply: Apply,
  further: (one: string | number, best: string | number) => boolean,
): unknown {
  let best: { readonly key: string | number; readonly item: unknown } | undefined
  for (const item of list(name, given, 0)) {
    budget?.spend()
    const key = apply(given[1], item)
    if ((typeof key !== 'string' && typeof key !== 'number') || (best !== undefined && typeof key !== typeof best.key))
      return complain(name, 'invalid type, must be number or string')
    if (best === undefined || further(key, best.key)) best = { key, item }
  }
  return best?.item ?? null
}
