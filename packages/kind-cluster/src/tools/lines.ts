import { StringDecoder } from 'node:string_decoder'

/** A line longer than this is told in pieces. */
const LONGEST = 64 * 1024

/** Bytes to whole lines, as they come; `end` gives what is left without a line break. */
export class Lines {
  readonly #decoder = new StringDecoder('utf8')
  readonly #told: (line: string) => void
  #rest = ''

  constructor(told: (line: string) => void) {
    this.#told = told
  }

  take(data: Buffer): void {
    const parts = (this.#rest + this.#decoder.write(data)).split('\n')
    this.#rest = parts.pop() ?? ''
    for (const part of parts) this.#told(part.replace(/\r$/, ''))
    while (this.#rest.length > LONGEST) {
      this.#told(this.#rest.slice(0, LONGEST))
      this.#rest = this.#rest.slice(LONGEST)
    }
  }

  end(): void {
    const last = this.#rest + this.#decoder.end()
    this.#rest = ''
    if (last !== '') this.#told(last.replace(/\r$/, ''))
  }
}
