import type { Check, Outcome } from '../checks/check.js'
import { type Code, codes, type State } from '../checks/codes.js'

/** One check's result, as of the last round. */
export interface Report {
  readonly check: Check
  readonly code: Code
  readonly state: State
  readonly status?: number
  /** How long the check took. */
  readonly ms: number
  /** When this code was first seen, rounds with the same one in between. */
  readonly since: Date
}

/** One round of all checks. */
export interface Status {
  readonly checkedAt: Date
  readonly reports: readonly Report[]
}

export interface BoardOptions {
  /** How long a round serves, whoever asks and however often. */
  readonly cacheMs: number
  /** Told of every result; `changed` when the code is another than in the round before. */
  readonly onResult?: (report: Report, outcome: Outcome, changed: boolean) => void
}

/**
 * The state of everything that this app depends on. All checks run side by side, one round at a time, and never more
 * often than once in `cacheMs`: page views cannot multiply outgoing calls. Who asks when a round is too old waits for the
 * next one rather than being shown the old: whoever has just taken a wall down wants to see what is, and the checks'
 * deadlines bound the wait.
 */
export class Board {
  readonly #checks: readonly Check[]
  readonly #options: BoardOptions
  #latest: Status | undefined
  #until = Number.NEGATIVE_INFINITY
  #round: Promise<Status> | undefined

  constructor(checks: readonly Check[], options: BoardOptions) {
    this.#checks = checks
    this.#options = options
  }

  /** The latest round, when it is fresh; undefined when {@link current} would wait. */
  fresh(): Status | undefined {
    return performance.now() < this.#until ? this.#latest : undefined
  }

  async current(): Promise<Status> {
    const fresh = this.fresh()
    if (fresh !== undefined) return fresh
    this.#round ??= this.#run().finally(() => {
      this.#round = undefined
    })
    return this.#round
  }

  async #run(): Promise<Status> {
    const before = this.#latest
    const reports = await Promise.all(this.#checks.map((check, index) => this.#one(check, before?.reports[index])))
    this.#latest = { checkedAt: new Date(), reports }
    this.#until = performance.now() + this.#options.cacheMs
    return this.#latest
  }

  async #one(check: Check, before: Report | undefined): Promise<Report> {
    const started = performance.now()
    const outcome = await check.run().catch((cause: unknown): Outcome => ({ code: 'failed', cause }))
    const { code, status } = outcome
    const changed = before?.code !== code
    const report: Report = {
      check,
      code,
      state: codes[code].state,
      ...(status === undefined ? {} : { status }),
      ms: Math.round(performance.now() - started),
      since: changed || before === undefined ? new Date() : before.since,
    }
    this.#options.onResult?.(report, outcome, changed)
    return report
  }
}
