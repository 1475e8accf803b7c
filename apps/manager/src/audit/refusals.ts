/** So many refusals of one kind are noted one by one. */
const BURST = 20
/** After those, one of a kind in this time. */
const EVERY_MS = 10 * 60_000
/** Kinds that are remembered; who makes more of them than that has the oldest begin anew. */
const MOST_KINDS = 10_000

export interface RefusalLimits {
  readonly burst?: number
  readonly everyMs?: number
  /** Milliseconds that only go forward. */
  readonly now?: () => number
}

interface Kind {
  left: number
  at: number
  unnoted: number
}

/**
 * Keeps somebody who may do nothing from filling the audit log with that. A kind is one caller, one action and one code: a flood of
 * one refusal hides no other.
 */
export class Refusals {
  readonly #kinds = new Map<string, Kind>()
  readonly #burst: number
  readonly #everyMs: number
  readonly #now: () => number

  constructor({ burst = BURST, everyMs = EVERY_MS, now = () => performance.now() }: RefusalLimits = {}) {
    this.#burst = burst
    this.#everyMs = everyMs
    this.#now = now
  }

  /** How many of this kind were left out since the last that was noted; undefined: this one is left out, too. */
  take(kind: string): number | undefined {
    const now = this.#now()
    const { left, at, unnoted } = this.#kinds.get(kind) ?? { left: this.#burst, at: now, unnoted: 0 }
    const free = Math.min(this.#burst, left + (now - at) / this.#everyMs)
    const noted = free >= 1
    this.#kinds.delete(kind)
    this.#kinds.set(kind, { left: noted ? free - 1 : free, at: now, unnoted: noted ? 0 : unnoted + 1 })
    if (this.#kinds.size > MOST_KINDS)
      for (const oldest of this.#kinds.keys()) {
        this.#kinds.delete(oldest)
        break
      }
    return noted ? unnoted : undefined
  }
}
