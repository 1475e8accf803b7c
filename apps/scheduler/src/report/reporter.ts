import type { SchedulerReport } from '@bulkhead/intents'
import type { Logger } from '@bulkhead/service-kit'
import type { Manager } from './manager.js'

/** Between two reports when all is well, give or take a fifth: nodes that started together do not report together for long. */
export const REPORT_EVERY_MS = 30_000
/** After a report that failed, doubled each time up to the above. */
export const FIRST_RETRY_MS = 500
/**
 * From a new set to its report: a burst of sets makes one. Doubled for each report in a row that the manager was not content with: were
 * the two never to agree, they would else push and report as fast as they can.
 */
export const SOON_MS = 200

/** When something is to be done; a test has one of its own. */
export interface Timers {
  /** @returns what takes it back */
  after(ms: number, act: () => void): () => void
  /** From 0 to 1. */
  random(): number
}

const realTimers: Timers = {
  after(ms, act) {
    const timer = setTimeout(act, ms)
    return () => clearTimeout(timer)
  },
  random: Math.random,
}

export interface ReporterDeps {
  readonly manager: Manager
  /** What there is to say now. */
  readonly report: () => SchedulerReport
  readonly log: Pick<Logger, 'info' | 'warn'>
  /** Told what became of each report. */
  readonly outcome?: (result: 'in sync' | 'not in sync' | 'failed') => void
  readonly timers?: Timers
}

/**
 * Tells the manager of this node: at the start, from time to time, and soon after a new set. The manager's answer is to push what is
 * missing, so that a scheduler without a set has it again within a second of its start (D10). A manager that is away is asked again, ever
 * more seldom, and told of in the log once.
 */
export class Reporter {
  readonly #deps: ReporterDeps
  readonly #timers: Timers
  readonly #stop = new AbortController()
  #cancel: (() => void) | undefined
  /** When the waiting one is due is not asked: a report that is wanted soon comes before any other. */
  #soon = false
  #running: Promise<void> | undefined
  #failures = 0
  /** Reports in a row after which the manager expected another set. */
  #outOfSync = 0
  #state = 'unknown'

  constructor(deps: ReporterDeps) {
    this.#deps = deps
    this.#timers = deps.timers ?? realTimers
  }

  start(): void {
    this.#wait(0)
  }

  /** A new set is in force. It came from the manager, which is there then, whatever became of the reports before. */
  soon(): void {
    if (this.#soon) return
    this.#soon = true
    // Before the start there is nobody to be told yet, and while a report is on its way the next one is told of it.
    if (this.#cancel !== undefined) this.#wait(this.#next())
  }

  async close(): Promise<void> {
    this.#stop.abort()
    this.#cancel?.()
    await this.#running
    await this.#deps.manager.close()
  }

  #wait(ms: number): void {
    this.#cancel?.()
    if (this.#stop.signal.aborted) return
    this.#cancel = this.#timers.after(ms, () => {
      this.#cancel = undefined
      this.#running = this.#tell().finally(() => {
        this.#running = undefined
        this.#wait(this.#next())
      })
    })
  }

  #next(): number {
    if (this.#soon) return doubled(SOON_MS, this.#outOfSync)
    // A random part of it: who lost the manager together does not come back together.
    if (this.#failures > 0) return doubled(FIRST_RETRY_MS, this.#failures) * (0.5 + this.#timers.random() / 2)
    return Math.round(REPORT_EVERY_MS * (0.8 + 0.4 * this.#timers.random()))
  }

  async #tell(): Promise<void> {
    this.#soon = false
    const { manager, report, log, outcome = () => {} } = this.#deps
    try {
      const { inSync } = await manager.report(report(), this.#stop.signal)
      this.#failures = 0
      this.#outOfSync = inSync ? 0 : this.#outOfSync + 1
      outcome(inSync ? 'in sync' : 'not in sync')
      this.#say(inSync ? 'in sync' : 'not in sync', () =>
        log.info(
          { inSync },
          inSync ? 'the manager knows this node as it is' : 'the manager has another set for this node',
        ),
      )
    } catch (error) {
      if (this.#stop.signal.aborted) return
      this.#failures++
      outcome('failed')
      const why = error instanceof Error ? error.message || error.name : String(error)
      this.#say('failed', () => log.warn({ why }, 'the manager could not be told of this node; it is tried again'))
    }
  }

  /** Once for each change of state, and not for each try. */
  #say(state: string, say: () => void): void {
    if (state === this.#state) return
    this.#state = state
    say()
  }
}

/** The first wait, doubled with each time after the first. */
const doubled = (first: number, times: number): number =>
  Math.min(REPORT_EVERY_MS, first * 2 ** Math.min(20, Math.max(0, times - 1)))
