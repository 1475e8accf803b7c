import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '@bulkhead/service-kit'
import { LEASE_MS, type Lease } from './lease.js'
import type { Reconciler } from './reconciler.js'

/** After the start: the pods are listed by then. */
export const FIRST_MS = 5_000
/** Of each wait, a random part: replicas and schedulers that were started together do not go on together. */
const JITTER = 0.1

export interface ScheduleOptions {
  readonly intervalMs: number
  readonly firstMs?: number
  /** How often the lease is kept or asked for. */
  readonly beatMs?: number
  readonly log: Pick<Logger, 'info' | 'warn'>
}

/** Runs it now and then, one run after the other, while the lease is kept; the end of it gives the lease back. */
export class Schedule {
  readonly #stopped = new AbortController()
  readonly #loops: readonly Promise<void>[]
  readonly #lease: Pick<Lease, 'hold' | 'release' | 'term'>

  constructor(
    reconciler: Pick<Reconciler, 'run'>,
    lease: Pick<Lease, 'hold' | 'release' | 'term'>,
    { intervalMs, firstMs = FIRST_MS, beatMs = LEASE_MS / 3, log }: ScheduleOptions,
  ) {
    this.#lease = lease
    const { signal } = this.#stopped
    let leads = false
    const beat = async (): Promise<void> => {
      try {
        await lease.hold()
      } catch (err) {
        if (lease.term === undefined && leads) log.warn({ err }, 'the database does not answer: the lease is lost')
      }
      if ((lease.term !== undefined) !== leads) {
        leads = !leads
        log.info({ term: lease.term }, leads ? 'this replica reconciles from now on' : 'another replica reconciles')
      }
    }
    this.#loops = [
      every(Math.min(firstMs, intervalMs), intervalMs, signal, () => reconciler.run(signal)),
      every(0, beatMs, signal, beat),
    ]
  }

  /** Waits for what is under way. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    await Promise.all(this.#loops)
    await this.#lease.release()
  }
}

async function every(firstMs: number, ms: number, signal: AbortSignal, work: () => Promise<unknown>): Promise<void> {
  const pause = (mean: number): Promise<unknown> =>
    sleep(mean * (1 + JITTER * (2 * Math.random() - 1)), undefined, { signal }).catch(() => {})
  await pause(firstMs)
  while (!signal.aborted) {
    await work()
    await pause(ms)
  }
}
