/**
 * A text that a regular expression matches as a whole: the first alternative, the least of every repetition. For the
 * expressions that people write in routes; undefined for one that has more in it (look-arounds, back references), or
 * that this cannot find a text for.
 */
export function sampleOf(pattern: string): string | undefined {
  try {
    const reader = new Sampler(pattern)
    const text = reader.alternatives()
    // RE2 writes a group's name with a P, JavaScript without.
    const whole = new RegExp(`^(?:${pattern.replaceAll('(?P<', '(?<')})$`)
    return reader.atEnd() && whole.test(text) ? text : undefined
  } catch {
    return undefined
  }
}

class Unreadable extends Error {}

class Sampler {
  #at = 0
  readonly #pattern: string

  constructor(pattern: string) {
    this.#pattern = pattern
  }

  atEnd(): boolean {
    return this.#at >= this.#pattern.length
  }

  /** `a|b`: the first. */
  alternatives(): string {
    const first = this.#sequence()
    while (this.#take('|')) this.#sequence()
    return first
  }

  #sequence(): string {
    let text = ''
    while (!this.atEnd() && !'|)'.includes(this.#peek())) {
      const atom = this.#atom()
      text += atom.repeat(this.#least())
    }
    return text
  }

  #atom(): string {
    const letter = this.#next()
    switch (letter) {
      case '^':
      case '$':
        return ''
      case '.':
        return 'a'
      case '(':
        return this.#group()
      case '[':
        return this.#oneOfClass()
      case '\\':
        return escaped(this.#next())
      default:
        return letter
    }
  }

  #group(): string {
    if (this.#take('?')) {
      if (this.#take('P')) this.#expect('<')
      else if (!this.#take(':') && !this.#take('<')) throw new Unreadable()
      const named = this.#pattern[this.#at - 1] === '<'
      if (named) while (this.#next() !== '>') if (this.atEnd()) throw new Unreadable()
    }
    const text = this.alternatives()
    this.#expect(')')
    return text
  }

  /** `[a-z_]`: what it names first; `[^/]`: something that it does not name. */
  #oneOfClass(): string {
    const start = this.#at - 1
    if (this.#peek() === '^') this.#next()
    if (this.#peek() === ']') this.#next()
    while (this.#next() !== ']') if (this.#pattern[this.#at - 1] === '\\') this.#next()
    const one = new RegExp(`^${this.#pattern.slice(start, this.#at)}$`)
    const letter = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~/%:'].find((l) => one.test(l))
    if (letter === undefined) throw new Unreadable()
    return letter
  }

  /** How often what stands before is wanted at least. */
  #least(): number {
    let least = 1
    if (this.#take('*') || this.#take('?')) least = 0
    else if (this.#take('+')) least = 1
    else if (this.#peek() === '{') {
      const repeated = /^\{(\d{1,3})(?:,\d*)?\}/.exec(this.#pattern.slice(this.#at))
      if (repeated === null) throw new Unreadable()
      this.#at += repeated[0].length
      least = Number(repeated[1])
    } else return 1
    this.#take('?')
    return least
  }

  #peek(): string {
    return this.#pattern[this.#at] ?? ''
  }

  #next(): string {
    const letter = this.#pattern[this.#at]
    if (letter === undefined) throw new Unreadable()
    this.#at += 1
    return letter
  }

  #take(letter: string): boolean {
    if (this.#peek() !== letter) return false
    this.#at += 1
    return true
  }

  #expect(letter: string): void {
    if (!this.#take(letter)) throw new Unreadable()
  }
}

function escaped(letter: string): string {
  if (letter === 'd') return '1'
  if (letter === 'w') return 'a'
  if ('bBDWSspPAzZQE'.includes(letter) || /\d/.test(letter)) throw new Unreadable()
  return letter
}
