import { CelError, noOverload } from '../errors.js'
import type { Frame } from '../frame.js'
import { define } from '../registry.js'
import { isList } from '../values.js'

/* cel-go's ext.Strings, without `format` (format.ts). Offsets count code points, as there. */

define('.startsWith', ['string', 'string'], 'bool', ([text, start]) => text.startsWith(start))
define('.endsWith', ['string', 'string'], 'bool', ([text, end]) => text.endsWith(end))
define('.contains', ['string', 'string'], 'bool', ([text, part]) => text.includes(part))

/** A string by code points: as it is, where each is one unit. */
class Points {
  readonly #text: string
  readonly #points: readonly string[] | undefined

  constructor(text: string, frame: Frame) {
    this.#text = text
    frame.budget.spend(text.length >> 4)
    this.#points = /[\ud800-\udfff]/.test(text) ? Array.from(text) : undefined
  }
  get length(): number {
    return this.#points?.length ?? this.#text.length
  }
  slice(start: number, end: number): string {
    return this.#points?.slice(start, end).join('') ?? this.#text.slice(start, end)
  }
  indexOf(part: string, from: number): number {
    if (this.#points === undefined) return this.#text.indexOf(part, from)
    const unit = this.#text.indexOf(part, this.slice(0, from).length)
    return unit === -1 ? -1 : Array.from(this.#text.slice(0, unit)).length
  }
  lastIndexOf(part: string, from: number): number {
    if (this.#points === undefined) return this.#text.lastIndexOf(part, from)
    const unit = this.#text.lastIndexOf(part, this.slice(0, from).length)
    return unit === -1 ? -1 : Array.from(this.#text.slice(0, unit)).length
  }
}

/** An offset within the string, its end included. */
function within(place: bigint, length: number): number {
  if (place < 0n || place > BigInt(length)) throw new CelError(`index out of range: ${place}`)
  return Number(place)
}

define('.charAt', ['string', 'int'], 'string', ([text, place], frame) => {
  const points = new Points(text, frame)
  const start = within(place, points.length)
  return points.slice(start, start + 1)
})
define('.indexOf', ['string', 'string'], 'int', ([text, part], frame) =>
  BigInt(new Points(text, frame).indexOf(part, 0)),
)
define('.indexOf', ['string', 'string', 'int'], 'int', ([text, part, from], frame) => {
  const points = new Points(text, frame)
  return BigInt(points.indexOf(part, within(from, points.length)))
})
define('.lastIndexOf', ['string', 'string'], 'int', ([text, part], frame) => {
  const points = new Points(text, frame)
  return BigInt(points.lastIndexOf(part, points.length))
})
define('.lastIndexOf', ['string', 'string', 'int'], 'int', ([text, part, from], frame) => {
  const points = new Points(text, frame)
  return BigInt(points.lastIndexOf(part, within(from, points.length)))
})
define('.substring', ['string', 'int'], 'string', ([text, from], frame) => {
  const points = new Points(text, frame)
  return points.slice(within(from, points.length), points.length)
})
define('.substring', ['string', 'int', 'int'], 'string', ([text, from, to], frame) => {
  const points = new Points(text, frame)
  const [start, end] = [within(from, points.length), within(to, points.length)]
  if (start > end) throw new CelError(`invalid substring range. start: ${start}, end: ${end}`)
  return points.slice(start, end)
})

define('.lowerAscii', ['string'], 'string', ([text]) => text.replace(/[A-Z]+/g, (part) => part.toLowerCase()))
define('.upperAscii', ['string'], 'string', ([text]) => text.replace(/[a-z]+/g, (part) => part.toUpperCase()))
// Unicode's white space, which is Go's: NEL is one, the byte order mark is none.
define('.trim', ['string'], 'string', ([text]) => trim(text))
define('.reverse', ['string'], 'string', ([text]) => Array.from(text).reverse().join(''))

const white = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/
function trim(text: string): string {
  let [start, end] = [0, text.length]
  while (start < end && white.test(text.charAt(start))) start++
  while (end > start && white.test(text.charAt(end - 1))) end--
  return text.slice(start, end)
}

define('.replace', ['string', 'string', 'string'], 'string', ([text, from, to], frame) =>
  replace(text, from, to, -1, frame),
)
define('.replace', ['string', 'string', 'string', 'int'], 'string', ([text, from, to, count], frame) =>
  replace(text, from, to, Number(count), frame),
)

function replace(text: string, from: string, to: string, count: number, frame: Frame): string {
  const parts = split(text, from, count < 0 ? -1 : count + 1, frame)
  // An empty string is found before every character, and at the end.
  const joined = from === '' && count !== 0 ? between(parts, count, text) : parts
  frame.budget.text(text.length + joined.length * to.length)
  return joined.join(to)
}

function between(parts: readonly string[], count: number, text: string): readonly string[] {
  if (count < 0 || count > parts.length) return ['', ...parts, ...(text === '' ? [] : [''])]
  return ['', ...parts.slice(0, count - 1), parts.slice(count - 1).join('')]
}

define('.split', ['string', 'string'], 'list', ([text, by], frame) => split(text, by, -1, frame))
define('.split', ['string', 'string', 'int'], 'list', ([text, by, most], frame) => split(text, by, Number(most), frame))

function split(text: string, by: string, most: number, frame: Frame): readonly string[] {
  if (most === 0) return []
  frame.budget.spend(text.length >> 4)
  const parts = by === '' ? Array.from(text) : text.split(by)
  frame.budget.spend(parts.length)
  if (most < 0 || parts.length <= most) return parts
  return [...parts.slice(0, most - 1), parts.slice(most - 1).join(by)]
}

define('.join', ['list'], 'string', ([list], frame) => join(list, '', frame))
define('.join', ['list', 'string'], 'string', ([list, by], frame) => join(list, by, frame))

function join(list: readonly unknown[], by: string, frame: Frame): string {
  if (!isList(list)) throw noOverload('join')
  let length = 0
  const texts = list.map((item) => {
    if (typeof item !== 'string') throw noOverload('join')
    length += item.length + by.length
    return item
  })
  frame.budget.text(length)
  return texts.join(by)
}

define('strings.quote', ['string'], 'string', ([text]) => {
  return `"${Array.from(text, (sign) => escapes[sign] ?? sign).join('')}"`
})
const escapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}
