import { Binary } from 'bson'
import { MongoError } from '../errors.js'
import { isPlain } from '../values/decode.js'
import { MAX_DEPTH } from '../wire/limits.js'

/** Work between two looks at the clock. */
const STRIDE = 256
/** What a command without `maxTimeMS` may take: others wait for it. */
const LONGEST_MS = 30_000
/** What all values may take that one command makes. MongoDB has 100 MB for a stage. */
const MAX_MADE = 128 * 1024 * 1024
/** One value, written out; MongoDB keeps none above 16 MiB. */
const MAX_VALUE = 32 * 1024 * 1024

const ELEMENT = 8
const FIELD = 16
const DOCUMENT = 48
const SCALAR = 48

interface Weight {
  /** Written out: what is in it twice counts twice. */
  readonly bytes: number
  readonly depth: number
}

/**
 * What one command may still do: its time, and the memory for values that it makes. A few bytes of a pipeline can ask for
 * more than any machine has; this server is one process, and an allocation that fails ends it.
 */
export class Budget {
  /** `$$NOW`: one for the command. */
  readonly now = new Date()
  #deadline: number | undefined
  #work = 0
  #made = 0
  /** Of what is in documents and of what was made of it. */
  readonly #weights = new WeakMap<object, Weight>()

  /** @param deadline in ms since 1970; absent: 30 s from when it is first asked */
  constructor(deadline?: number) {
    this.#deadline = deadline
  }

  /** Called for each document that is looked at, and each step. @throws MongoError MaxTimeMSExpired */
  readonly tick = (work = 1): void => {
    this.#work += work
    if (this.#work < STRIDE) return
    this.#work = 0
    const now = Date.now()
    this.#deadline ??= now + LONGEST_MS
    if (now > this.#deadline) throw new MongoError('MaxTimeMSExpired', 'operation exceeded time limit')
  }

  /** Called before memory is used. @throws MongoError ExceededMemoryLimit */
  take(bytes: number): void {
    this.#made += bytes
    this.tick(1 + bytes / STRIDE)
    if (this.#made > MAX_MADE)
      throw new MongoError(
        'ExceededMemoryLimit',
        `the command makes values of more than ${MAX_MADE} bytes, which is what this server has for one`,
      )
  }

  /** Room for an array of so many elements. @throws MongoError ExceededMemoryLimit */
  elements(count: number): void {
    this.take(DOCUMENT + count * ELEMENT)
  }

  /** For a string, before it is made. @throws MongoError ExceededMemoryLimit, BSONObjectTooLarge */
  text(length: number): void {
    if (length * 2 > MAX_VALUE) throw tooLarge(length * 2)
    this.take(SCALAR + length * 2)
  }

  /**
   * An array or a document that was just made of others.
   *
   * @throws MongoError ExceededMemoryLimit, BSONObjectTooLarge, Overflow (nested too deep)
   */
  made<T extends object>(value: T): T {
    const parts = partsOf(value)
    this.take(DOCUMENT + parts.length * (Array.isArray(value) ? ELEMENT : FIELD))
    this.weigh(value)
    return value
  }

  /** The bytes of a value, written out. @throws MongoError BSONObjectTooLarge, Overflow */
  weigh(value: unknown): number {
    if (typeof value === 'string') return value.length * 2
    if (typeof value !== 'object' || value === null) return ELEMENT
    if (value instanceof Binary) return value.length()
    return isContainer(value) ? this.#weight(value).bytes : SCALAR
  }

  #weight(container: object): Weight {
    const known = this.#weights.get(container)
    if (known !== undefined) return known
    let bytes = DOCUMENT
    let depth = 0
    const parts = partsOf(container)
    this.tick(1 + parts.length / 8)
    for (const part of parts) {
      bytes += FIELD
      if (typeof part === 'object' && isContainer(part)) {
        const own = this.#weight(part)
        bytes += own.bytes
        if (own.depth > depth) depth = own.depth
      } else bytes += this.weigh(part)
    }
    if (bytes > MAX_VALUE) throw tooLarge(bytes)
    if (depth + 1 > MAX_DEPTH) throw new MongoError('Overflow', `a value is nested deeper than ${MAX_DEPTH} levels`)
    const weight = { bytes, depth: depth + 1 }
    this.#weights.set(container, weight)
    return weight
  }

  /** Where an evaluation begins, for `keep`. */
  get mark(): number {
    return this.#made
  }

  /** Of what was made since then only this is held; what it was made of is given back. */
  keep<T>(mark: number, value: T): T {
    const size = typeof value === 'string' ? SCALAR + value.length * 2 : isContainer(value) ? this.weigh(value) : 0
    this.#made = Math.min(this.#made, mark + size)
    return value
  }
}

const isContainer = (value: unknown): value is object => Array.isArray(value) || isPlain(value)
const partsOf = (container: object): readonly unknown[] =>
  Array.isArray(container) ? container : Object.values(container)

const tooLarge = (bytes: number): MongoError =>
  new MongoError('BSONObjectTooLarge', `a value of ${bytes} bytes is larger than the ${MAX_VALUE} that one may have`)
