import type { Random } from './random.js'

/*
 * Objects of right and wrong pieces in any order: what a schema is fuzzed with, and, where it takes them, whoever reads
 * them then.
 */

/** Names of fields that are put where they do not belong, and values where others are expected. */
export interface Vocabulary {
  readonly fields: readonly string[]
  readonly values: readonly unknown[]
}

/** What any kind's fields may be given. */
export const ANY_FIELDS: readonly string[] = ['__proto__', 'constructor', 'toString', 'spec', '']
export const ANY_VALUES: readonly unknown[] = [
  ...[null, true, 0, -1, 80, 65536, 1e21, 8.5, '', '0', '80', '080', '99999', 'a--b', '\u0000', '\uD800'],
  ...['a'.repeat(300), '*'.repeat(300), '('.repeat(3_000), '(a{1000}){1000}', 'x{1000}{1000}', '(a+)+$', '(?=a)', '['],
]

export function anything(random: Random, words: Vocabulary, depth: number): unknown {
  if (depth === 0 || random.once(3)) return random.pick(words.values)
  if (random.once(2)) return random.list(0, 3, () => anything(random, words, depth - 1))
  return Object.fromEntries(random.list(0, 4, () => [random.pick(words.fields), anything(random, words, depth - 1)]))
}

/** A copy in which, here and there, a value is another one, gone, twice there, or has a field more. */
export function brokenPiece(random: Random, words: Vocabulary, value: unknown): unknown {
  if (random.once(25)) return anything(random, words, 3)
  if (Array.isArray(value)) {
    const items = value.flatMap((item: unknown) => (random.once(30) ? [] : [brokenPiece(random, words, item)]))
    return random.once(20) ? [...items, ...items] : items
  }
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).flatMap(([name, item]) =>
    random.once(30) ? [] : [[name, brokenPiece(random, words, item)]],
  )
  const more = random.once(20) ? [[random.pick(words.fields), anything(random, words, 2)]] : []
  return Object.fromEntries([...fields, ...more])
}

/** Every copy that lacks one field or entry, the outermost first. */
export function* without(value: unknown): Generator<unknown> {
  if (typeof value !== 'object' || value === null) return
  const entries = Object.entries(value)
  const made = (rest: [string, unknown][]) =>
    Array.isArray(value) ? rest.map(([, item]) => item) : Object.fromEntries(rest)
  for (const index of entries.keys()) yield made(entries.toSpliced(index, 1))
  for (const [index, [name, item]] of entries.entries())
    for (const less of without(item)) yield made(entries.with(index, [name, less]))
}

/** An object of one kind, for a namespace `shop`. */
export interface Piece {
  readonly kind: string
  readonly spec: unknown
}

/** What is right of each kind, so that a wrong piece stands in a place that is looked at. */
export interface Pieces {
  readonly words: Vocabulary
  readonly kinds: readonly string[]
  right(kind: string): unknown
  manifest(piece: Piece): object
}

export function makePiece(random: Random, { words, kinds, right }: Pieces): Piece {
  const kind = random.pick(kinds)
  return { kind, spec: random.once(10) ? anything(random, words, 6) : brokenPiece(random, words, right(kind)) }
}
