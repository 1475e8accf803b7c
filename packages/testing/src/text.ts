import fc from 'fast-check'

/** Behind the last code point before them, so many are halves of a pair and nothing by themselves. */
const SURROGATES = { from: 0xd800, count: 0x800 }
const CODE_POINTS = 0x110000 - SURROGATES.count

const characterAt = (index: number): string =>
  String.fromCodePoint(index < SURROGATES.from ? index : index + SURROGATES.count)

/** @throws TypeError for what is no character: fast-check asks that of each text that it might use as an example */
function indexOf(character: unknown): number {
  const point = typeof character === 'string' ? (character.codePointAt(0) ?? -1) : -1
  const index = point < SURROGATES.from ? point : point - SURROGATES.count
  if (index < 0 || characterAt(index) !== character) throw new TypeError('it is no character')
  return index
}

const character = fc.nat(CODE_POINTS - 1).map(characterAt, indexOf)

/**
 * Text of whatever characters there are, and what is special to JavaScript now and then: `fc.string({ unit: 'binary' })`, the
 * same texts for the same seed; but that lays out a table of all million characters first, which takes a second and 100 MB.
 */
export const anyText = (constraints: { readonly minLength?: number; readonly maxLength?: number } = {}) =>
  fc.string({ ...constraints, unit: character })
