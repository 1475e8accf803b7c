import { createHash } from 'node:crypto'
import { managerErrors } from '../http/errors.js'

/** How often something may fail, and how far apart its next tries then have to be. */
export interface Pace {
  /** Tries that may fail before the next has to wait. */
  readonly free: number
  /** After those: 1 s, doubled with each failure, up to this. Never longer, so that nobody is locked out. */
  readonly longestMs: number
}

export interface ThrottleOptions {
  /** Of one account from one address, or from one known device. */
  readonly pair: Pace
  /** Of one account from all addresses that it never was logged in from. */
  readonly account: Pace
  /** Of one address over all accounts that never were logged in from there. */
  readonly address: Pace
  /** A count is forgotten when nothing has failed for this long. */
  readonly forgetMs: number
  /** How many counts are kept; then the one is dropped that was touched longest ago. */
  readonly maxEntries: number
  /** How long a try may wait for those before it that are not decided. */
  readonly maxWaitMs: number
}

/** Some 6,000 guesses a day at one account from one address, at the most; the owner waits for 15 s, at the most. */
export const loginPace: ThrottleOptions = {
  pair: { free: 5, longestMs: 15_000 },
  account: { free: 30, longestMs: 4_000 },
  address: { free: 60, longestMs: 2_000 },
  forgetMs: 15 * 60_000,
  maxEntries: 20_000,
  maxWaitMs: 2_000,
}

interface Count {
  failures: number
  lastFailure: number
  pending: number
  /** Who waits for one of the pending ones to be decided. */
  waiting: (() => void)[]
}

/** Who tries to be let in where. */
export interface Attempt {
  readonly account: string
  readonly ip: string
  /** Set when the caller has shown a token that this account once was given: then he is told apart from strangers. */
  readonly device?: string | undefined
}

/** A try that is under way; one of the two has to be called, or `drop`. */
export interface Turn {
  succeeded(): void
  failed(): void
  /** It was not decided: nothing is counted. */
  drop(): void
}

/** Slows guessing down, by what has failed so far. In memory: each replica counts for itself, and a restart forgets. */
export class Throttle {
  readonly #options: ThrottleOptions
  readonly #now: () => number
  readonly #counts = new Map<string, Count>()
  /** Pairs of account and address that a login went well for. */
  readonly #known = new Map<string, true>()

  constructor(options: ThrottleOptions = loginPace, now: () => number = Date.now) {
    this.#options = options
    this.#now = now
  }

  /** How many counts are kept. */
  get size(): number {
    return this.#counts.size
  }

  /**
   * Waits while others of the same kind are undecided, so that a hundred at once count as a hundred.
   * @throws ServiceError TOO_MANY_ATTEMPTS with Retry-After, when the next try is not due yet
   */
  async enter(attempt: Attempt): Promise<Turn> {
    const { pair, account, address } = this.#options
    const pairKey = keyOf('pair', attempt.account, attempt.device ?? attempt.ip)
    const isKnown = attempt.device !== undefined || this.#known.has(pairKey)
    const rules: (readonly [string, Pace])[] = [[pairKey, pair]]
    if (!isKnown) rules.push([keyOf('account', attempt.account), account], [keyOf('address', attempt.ip), address])

    const deadline = performance.now() + this.#options.maxWaitMs
    for (let before = this.#undecided(rules); before !== undefined; before = this.#undecided(rules))
      await waitFor(before, deadline)
    for (const [key] of rules) this.#count(key).pending++
    let open = true
    const end = (decide: (key: string, count: Count) => void) => (): void => {
      if (!open) return
      open = false
      for (const [key] of rules) {
        const count = this.#count(key)
        count.pending = Math.max(0, count.pending - 1)
        decide(key, count)
        for (const wake of count.waiting.splice(0)) wake()
        if (count.failures === 0 && count.pending === 0) this.#counts.delete(key)
      }
    }
    return {
      succeeded: end((key, count) => {
        // The account's and the address's counts are other people's guesses, too: those go on counting.
        if (key !== pairKey) return
        count.failures = 0
        this.#remember(this.#known, pairKey, true)
      }),
      failed: end((_key, count) => {
        count.failures++
        count.lastFailure = this.#now()
      }),
      drop: end(() => {}),
    }
  }

  /**
   * What has to be decided before a try may start; undefined: it may. Not async: nothing may come between this look and
   * the try being counted.
   */
  #undecided(rules: readonly (readonly [string, Pace])[]): Count | undefined {
    for (const [key, { free, longestMs }] of rules) {
      const count = this.#counts.get(key)
      if (count === undefined) continue
      const sinceMs = this.#now() - count.lastFailure
      if (count.pending === 0 && sinceMs > this.#options.forgetMs) {
        this.#counts.delete(key)
        continue
      }
      if (count.failures + count.pending < free) continue
      if (count.pending > 0) return count
      const waitMs = Math.min(1_000 * 2 ** (count.failures - free), longestMs) - sinceMs
      if (waitMs > 0) throw tooMany(waitMs)
    }
    return undefined
  }

  #count(key: string): Count {
    const count = this.#counts.get(key) ?? { failures: 0, lastFailure: 0, pending: 0, waiting: [] }
    this.#remember(this.#counts, key, count)
    return count
  }

  /** Puts it at the end of the map, and drops what has stood at its beginning for longest. */
  #remember<T>(map: Map<string, T>, key: string, value: T): void {
    map.delete(key)
    map.set(key, value)
    if (map.size <= this.#options.maxEntries) return
    const oldest = map.keys().next()
    if (!oldest.done) map.delete(oldest.value)
  }
}

/** Of what callers send, only a digest is kept: names have no bound, and some type their password into that field. */
const keyOf = (kind: string, ...parts: readonly string[]): string =>
  createHash('sha256')
    .update(JSON.stringify([kind, ...parts]))
    .digest('base64')

function waitFor(count: Count, deadline: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const wake = (): void => {
      clearTimeout(timer)
      resolve()
    }
    const timer = setTimeout(
      () => {
        count.waiting = count.waiting.filter((other) => other !== wake)
        reject(tooMany(1_000))
      },
      Math.max(0, deadline - performance.now()),
    )
    count.waiting.push(wake)
  })
}

const tooMany = (waitMs: number) =>
  managerErrors.error('TOO_MANY_ATTEMPTS', undefined, {
    headers: { 'retry-after': String(Math.ceil(waitMs / 1000)) },
  })
