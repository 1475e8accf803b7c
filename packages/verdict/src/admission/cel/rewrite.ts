import { CelSyntaxError } from './errors.js'

/*
 * The parser's grammar lacks three things that policies use: messages (`Object.spec{replicas: 3}`), optional entries
 * (`{?"key": value}`, `[?value]`) and field names between backticks (`labels.`app.kubernetes.io/name``). They are written
 * in a form that it knows before it reads them, with names that no expression can hold on its own, and the place of every
 * character is kept. Strings and comments are left as they are.
 */

export const MESSAGE = '__message'
export const OPTIONAL = '__optional'

export interface Rewritten {
  readonly text: string
  /** Offset in the original of an offset in `text`. */
  original(offset: number): number
}

interface Frame {
  readonly kind: '(' | '[' | 'map' | 'message'
  /** At the place where an entry or an item begins. */
  fresh: boolean
  /** An `OPTIONAL(` is open: closed before the next `:` of a map, or `,` and the end of a list. */
  open: boolean
  ternaries: number
}

const word = /[A-Za-z_][A-Za-z0-9_]*/y
const number = /[0-9](?:[0-9.]|[eE][+-]?|[A-Za-z])*/y
const blank = /(?:[ \t\r\n\f]|\/\/[^\n]*)+/y
const strings = [/[bB]?[rR]"""[\s\S]*?"""/y, /[bB]?[rR]'''[\s\S]*?'''/y, /[bB]?[rR]"[^"\n]*"/y, /[bB]?[rR]'[^'\n]*'/y]
const escaped = [
  /[bB]?"""(?:[^\\]|\\[\s\S])*?"""/y,
  /[bB]?'''(?:[^\\]|\\[\s\S])*?'''/y,
  /[bB]?"(?:[^"\\\n]|\\.)*"/y,
  /[bB]?'(?:[^'\\\n]|\\.)*'/y,
]
/** Raw bytes, and letters that are no ASCII in bytes, with escapes instead. */
const bytes = /^([bB])([rR]?)('''|"""|'|")([\s\S]*)\3$/

function plainBytes(literal: string): string {
  const [, prefix, raw = '', quote = '', text = ''] = bytes.exec(literal) ?? []
  if (prefix === undefined) return literal
  const bare = raw === '' ? text : text.replace(/[\\'"\n\r]/g, (sign) => `\\x${hex(sign.charCodeAt(0))}`)
  const ascii = bare.replace(/[^!-~\s]+/gu, (part) =>
    Array.from(encoder.encode(part), (byte) => `\\x${hex(byte)}`).join(''),
  )
  return `${prefix}${quote}${ascii}${quote}`
}

const encoder = new TextEncoder()
const hex = (byte: number): string => byte.toString(16).padStart(2, '0')

const keywords = new Set(['in', 'true', 'false', 'null'])
const quoted = /`[a-zA-Z0-9_.\-/ ]+`/y

interface Mark {
  readonly piece: number
  readonly length: number
}

/** A text that grows at its end, and can be taken off again from a mark on, in as much time as that has pieces. */
class Pieces {
  readonly #pieces: string[] = []
  #length = 0

  get length(): number {
    return this.#length
  }
  add(text: string): void {
    this.#pieces.push(text)
    this.#length += text.length
  }
  mark(): Mark {
    return { piece: this.#pieces.length, length: this.#length }
  }
  /** What was after the mark. */
  cut({ piece, length }: Mark): string {
    this.#length = length
    return this.#pieces.splice(piece).join('')
  }
  join(): string {
    return this.#pieces.join('')
  }
}

class Rewriter {
  readonly #source: string
  #at = 0
  readonly #text = new Pieces()
  /** Where the last `.` is. */
  #dot = { piece: 0, length: 0 }
  /** Pairs: from this offset of `text` on, the original is so many characters behind. */
  readonly #shifts: [number, number][] = []
  readonly #frames: Frame[] = []
  /** The name that was read last, as `Object.spec` before a `{`: where it is in `text`. */
  #name: Mark | undefined
  #lastDot = false
  /** What was read last is a value: a `[` after it is an index. */
  #value = false

  constructor(source: string) {
    this.#source = source
  }

  run(): Rewritten {
    while (this.#at < this.#source.length) this.#step()
    const shifts = this.#shifts
    const { length } = this.#source
    return {
      text: this.#text.join(),
      original(offset) {
        let [low, high] = [0, shifts.length]
        while (low < high) {
          const middle = (low + high) >> 1
          if ((shifts[middle]?.[0] ?? 0) > offset) high = middle
          else low = middle + 1
        }
        return Math.min(length, Math.max(0, offset - (shifts[low - 1]?.[1] ?? 0)))
      },
    }
  }

  #step(): void {
    const gap = this.#take(blank)
    if (gap !== undefined) {
      this.#text.add(gap)
      return
    }
    const literal = this.#literal()
    if (literal !== undefined) {
      this.#begin()
      const plain = plainBytes(literal)
      this.#plain(plain, true)
      if (plain !== literal) this.#shift()
      return
    }
    const name = this.#take(word)
    if (name !== undefined) {
      this.#word(name)
      return
    }
    const digits = this.#take(number)
    if (digits !== undefined) {
      this.#begin()
      this.#plain(digits, true)
      return
    }
    if (this.#source[this.#at] === '`') this.#backticks()
    else this.#sign(this.#source[this.#at++] ?? '')
  }

  #literal(): string | undefined {
    for (const pattern of [...strings, ...escaped]) {
      const found = this.#take(pattern)
      if (found !== undefined) return found
    }
    return undefined
  }

  #word(name: string): void {
    const frame = this.#frames.at(-1)
    if (frame?.kind === 'message' && frame.fresh) {
      // A field's name may be a reserved word, so it is a string for the parser.
      frame.fresh = false
      this.#insert('"')
      this.#text.add(name)
      this.#insert('"')
      if (frame.open) this.#close(frame)
      return
    }
    this.#begin()
    if (keywords.has(name) && !this.#lastDot) {
      this.#plain(name, name !== 'in')
      return
    }
    if (!this.#lastDot || this.#name === undefined) this.#name = this.#text.mark()
    this.#text.add(name)
    this.#lastDot = false
    this.#value = true
  }

  #backticks(): void {
    const field = this.#take(quoted)
    if (field === undefined || !this.#lastDot) throw new CelSyntaxError("unexpected '`'", this.#at)
    // `.` (and the `?` of an optional field) becomes an index.
    const optional = this.#text.cut(this.#dot).includes('?')
    this.#shift()
    this.#insert(`[${optional ? '?' : ''}"${field.slice(1, -1)}"]`)
    this.#shift()
    this.#plain('', true)
  }

  #sign(sign: string): void {
    const frame = this.#frames.at(-1)
    if (sign === '{') {
      this.#brace()
      return
    }
    if (sign === '(' || sign === '[') {
      // An index is no list: nothing in it is optional but by `[?`, which the parser knows.
      const index = sign === '[' && this.#value
      this.#begin()
      this.#plain(sign)
      this.#frames.push({ kind: index ? '(' : sign, fresh: sign === '[' && !index, open: false, ternaries: 0 })
      return
    }
    if (sign === ')' || sign === ']' || sign === '}') {
      if (frame?.open === true && frame.kind === '[') this.#close(frame)
      this.#frames.pop()
      this.#plain(sign, true)
      if (frame?.kind === 'message') this.#insert(')')
      return
    }
    if (sign === '?' && frame !== undefined && frame.fresh && frame.kind !== '(') {
      this.#insert(`${OPTIONAL}(`)
      // The sign itself is left out.
      this.#shift()
      frame.open = true
      if (frame.kind !== 'message') frame.fresh = false
      return
    }
    if (sign === '?' && this.#lastDot) {
      this.#text.add(sign)
      return
    }
    if (sign === '.') {
      // `.5` is a number.
      if (!this.#value && /\d/.test(this.#source[this.#at] ?? '')) this.#insert('0')
      const name = this.#name
      this.#dot = this.#text.mark()
      this.#text.add(sign)
      this.#name = name
      this.#lastDot = true
      return
    }
    if (frame !== undefined) this.#punctuate(frame, sign)
    if (sign !== ',') this.#begin()
    this.#plain(sign)
    if (sign === ',' && frame !== undefined) frame.fresh = frame.kind !== '('
  }

  #punctuate(frame: Frame, sign: string): void {
    if (sign === '?') frame.ternaries += 1
    if (sign === ':') {
      if (frame.ternaries > 0) frame.ternaries -= 1
      else if (frame.open && frame.kind === 'map') this.#close(frame)
    }
    if (sign === ',' && frame.open && frame.kind === '[') this.#close(frame)
  }

  #brace(): void {
    const name = this.#name
    const isMessage = name !== undefined && !this.#lastDot
    this.#begin()
    if (isMessage && name !== undefined) {
      // The name stays where it is, as the first argument: `__message("Object.spec", {...})`.
      const type = this.#text.cut(name).replace(/\s/g, '')
      this.#shift()
      this.#insert(`${MESSAGE}("${type}", `)
      this.#shift()
    }
    this.#plain('{')
    this.#frames.push({ kind: isMessage ? 'message' : 'map', fresh: true, open: false, ternaries: 0 })
  }

  #close(frame: Frame): void {
    frame.open = false
    this.#insert(')')
  }

  /** Whatever stands here, an item or a key has begun. */
  #begin(): void {
    const frame = this.#frames.at(-1)
    if (frame !== undefined && frame.kind !== 'message') frame.fresh = false
  }

  #plain(text: string, value = false): void {
    this.#text.add(text)
    this.#value = value
    this.#name = undefined
    this.#lastDot = false
  }

  #insert(text: string): void {
    this.#text.add(text)
    this.#shift()
  }

  #shift(): void {
    this.#shifts.push([this.#text.length, this.#text.length - this.#at])
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#source)?.[0]
    if (found === undefined) return undefined
    this.#at += found.length
    return found
  }
}

/** Only where one of the three may be in it: a brace, a backtick or `[?`. */
const needed = /[{`]|\[\s*\?|,\s*\?|[bB][rR]?['"]|(?:^|[^\w)\]}'"])\.\d/

export function rewrite(source: string): Rewritten {
  for (const own of [MESSAGE, OPTIONAL]) {
    const at = source.indexOf(own)
    if (at !== -1) throw new CelSyntaxError(`'${own}' is no name that an expression may use`, at)
  }
  if (!needed.test(source)) return { text: source, original: (offset) => offset }
  return new Rewriter(source).run()
}
