import type { Subject } from './subject.js'

/** How a text is compared: with the whole of a pattern, with its start, or with its end. */
export interface Pattern {
  readonly by: 'whole' | 'start' | 'end'
  readonly text: string
  /** What else must be so of the whole text. */
  readonly further?: (text: string) => boolean
}

/** Where a text comes from. What has the same name reads the same. */
export interface TextReader<S extends Subject> {
  readonly name: string
  read(subject: S): string | undefined
}

/**
 * `abc` exact, `abc*` prefix, `*abc` suffix, `*` present and not empty; a `*` in the middle is a letter like any other
 * (C.3).
 */
export function stringPattern(pattern: string): Pattern {
  if (pattern === '*') return { by: 'start', text: '', further: (text) => text !== '' }
  if (pattern.startsWith('*')) return { by: 'end', text: pattern.slice(1) }
  if (pattern.endsWith('*')) return { by: 'start', text: pattern.slice(0, -1) }
  return { by: 'whole', text: pattern }
}

export function takes({ by, text: wanted, further }: Pattern, text: string): boolean {
  const compared = by === 'whole' ? text === wanted : by === 'start' ? text.startsWith(wanted) : text.endsWith(wanted)
  return compared && (further === undefined || further(text))
}

/** An attribute that compares texts: it holds if any of the patterns takes the text, or, negated, if none does. */
export interface TextTest<S extends Subject> {
  readonly reader: TextReader<S>
  readonly patterns: readonly Pattern[]
  readonly negated: boolean
}

/** An attribute's number, and what else its pattern wants. */
interface Marked {
  readonly number: number
  readonly negated: boolean
  readonly further: Pattern['further']
}

/** The answers of attributes that read the same text, found for all of them at once. */
export class TextIndex<S extends Subject> {
  readonly #reader: TextReader<S>
  readonly #positive: number[] = []
  readonly #negated: number[] = []
  readonly #by = {
    whole: new Map<string, Marked[]>(),
    start: new Map<string, Marked[]>(),
    end: new Map<string, Marked[]>(),
  }
  /** Of the starts and ends that are asked about, each once. */
  readonly #lengths: { readonly whole: number[]; readonly start: number[]; readonly end: number[] } = {
    whole: [],
    start: [],
    end: [],
  }

  constructor(reader: TextReader<S>) {
    this.#reader = reader
  }

  add(number: number, { patterns, negated }: TextTest<S>): void {
    for (const { by, text, further } of patterns) {
      const marked = { number, negated, further }
      const same = this.#by[by].get(text)
      if (same === undefined) this.#by[by].set(text, [marked])
      else same.push(marked)
      const lengths = this.#lengths[by]
      if (!lengths.includes(text.length)) lengths.push(text.length)
    }
    const all = negated ? this.#negated : this.#positive
    all.push(number)
  }

  /** Writes `yes` or `no` for each of its attributes. Without a text none takes it, so the negated ones hold. */
  answer(subject: S, answers: Float64Array, no: number, yes: number): void {
    for (const number of this.#positive) answers[number] = no
    for (const number of this.#negated) answers[number] = yes
    const text = this.#reader.read(subject)
    if (text === undefined) return
    const mark = (marked: readonly Marked[] | undefined): void => {
      if (marked === undefined) return
      for (const { number, negated, further } of marked) {
        if (further === undefined || further(text)) answers[number] = negated ? no : yes
      }
    }
    mark(this.#by.whole.get(text))
    for (const length of this.#lengths.start) {
      if (length <= text.length) mark(this.#by.start.get(text.slice(0, length)))
    }
    for (const length of this.#lengths.end) {
      if (length <= text.length) mark(this.#by.end.get(text.slice(text.length - length)))
    }
  }
}
