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
  /**
   * How many counts of each kind are kept; then the one is dropped that was touched longest ago. Of a kind: who has many
   * addresses cannot have an account's count dropped with those.
   */
  readonly maxEntries: number
  /** How long a try may wait for those before it that are not decided. */
  readonly maxWaitMs: number
}

/**
 * What may be guessed at one account: 5 times at once and then 4 times a minute from one address; 30 times at once and then
 * 15 times a minute from all addresses together that its owner never came from, however many those are.
 */
export const loginPace: ThrottleOptions = {
  pair: { free: 5, longestMs: 15_000 },
  account: { free: 30, longestMs: 4_000 },
  address: { free: 60, longestMs: 2_000 },
  forgetMs: 15 * 60_000,
  maxEntries: 20_000,
  maxWaitMs: 2_000,
}

/** Of an account, the addresses that its logins went well from last: more than a person has. */
const KNOWN_ADDRESSES = 20

type Kind = 'pair' | 'account' | 'address'

interface Rule {
  readonly kind: Kind
  readonly key: string
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
  /**
   * Set when the caller has shown a token that this account once was given: then he is told apart from strangers. What is the
   * same for every way to write that token down, or each of those would have tries of its own.
   */
  readonly device?: string | undefined
}

/** A try that is under way; one of the two has to be called, or `drop`. */
export interface Turn {
  /** Somebody who was let in before, from there or as that device: no stranger. */
  readonly known: boolean
  succeeded(): void
  failed(): void
  /** It was not decided: nothing is counted. */
  drop(): void
}

/** Slows guessing down, by what has failed so far. In memory: each replica counts for itself, and a restart forgets. */
export class Throttle {
  readonly #options: ThrottleOptions
  readonly #now: () => number
  readonly #counts: Readonly<Record<Kind, Map<string, Count>>> = {
    pair: new Map(),
    account: new Map(),
    address: new Map(),
  }
  /** By account, since its own logins alone may push out an address of it. */
  readonly #known = new Map<string, Map<string, true>>()

  constructor(options: ThrottleOptions = loginPace, now: () => number = Date.now) {
    this.#options = options
    this.#now = now
  }

  /** How many counts are kept. */
  get size(): number {
    return Object.values(this.#counts).reduce((sum, { size }) => sum + size, 0)
  }

  /**
   * Waits while others of the same kind are undecided, so that a hundred at once count as a hundred.
   * @throws ServiceError TOO_MANY_ATTEMPTS with Retry-After, when the next try is not due yet
   */
  async enter(attempt: Attempt): Promise<Turn> {
    const accountKey = keyOf(attempt.account)
    const here = keyOf(attempt.account, attempt.ip)
    const known = attempt.device !== undefined || this.#known.get(accountKey)?.has(here) === true
    const own: Rule = {
      kind: 'pair',
      key: attempt.device === undefined ? here : keyOf(attempt.account, 'device', attempt.device),
    }
    const rules: Rule[] = [own]
    if (!known) rules.push({ kind: 'account', key: accountKey }, { kind: 'address', key: keyOf(attempt.ip) })

    const deadline = performance.now() + this.#options.maxWaitMs
    for (let before = this.#undecided(rules); before !== undefined; before = this.#undecided(rules))
      await waitFor(before, deadline)
    for (const rule of rules) this.#count(rule).pending++
    let open = true
    const end = (decide: (rule: Rule, count: Count) => void) => (): void => {
      if (!open) return
      open = false
      for (const rule of rules) {
        const count = this.#count(rule)
        count.pending = Math.max(0, count.pending - 1)
        decide(rule, count)
        for (const wake of count.waiting.splice(0)) wake()
        if (count.failures === 0 && count.pending === 0) this.#counts[rule.kind].delete(rule.key)
      }
    }
    return {
      known,
      succeeded: end((rule, count) => {
        // The account's and the address's counts are other people's guesses, too: those go on counting.
        if (rule !== own) return
        count.failures = 0
        this.#know(accountKey, here)
      }),
      failed: end((_rule, count) => {
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
  #undecided(rules: readonly Rule[]): Count | undefined {
    for (const { kind, key } of rules) {
      const { free, longestMs } = this.#options[kind]
      const count = this.#counts[kind].get(key)
      if (count === undefined) continue
      // A clock that was set back must not keep anybody out until it is again as late as it was.
      count.lastFailure = Math.min(count.lastFailure, this.#now())
      const sinceMs = this.#now() - count.lastFailure
      if (count.pending === 0 && sinceMs > this.#options.forgetMs) {
        this.#counts[kind].delete(key)
        continue
      }
      if (count.failures + count.pending < free) continue
      if (count.pending > 0) return count
      const waitMs = Math.min(1_000 * 2 ** (count.failures - free), longestMs) - sinceMs
      if (waitMs > 0) throw tooMany(waitMs)
    }
    return undefined
  }

  #count({ kind, key }: Rule): Count {
    const count = this.#counts[kind].get(key) ?? { failures: 0, lastFailure: 0, pending: 0, waiting: [] }
    remember(this.#counts[kind], key, count, this.#options.maxEntries)
    return count
  }

  #know(account: string, address: string): void {
    const addresses = this.#known.get(account) ?? new Map<string, true>()
    remember(addresses, address, true, KNOWN_ADDRESSES)
    remember(this.#known, account, addresses, this.#options.maxEntries)
  }
}

/** Puts it at the end of the map, and drops what has stood at its beginning for longest. */
function remember<T>(map: Map<string, T>, key: string, value: T, most: number): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= most) return
  const oldest = map.keys().next()
  if (!oldest.done) map.delete(oldest.value)
}

/** Of what callers send, only a digest is kept: names have no bound, and some type their password into that field. */
const keyOf = (...parts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64')

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
