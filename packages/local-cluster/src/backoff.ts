/** Kubernetes waits 10 s, doubled up to 300 s, and forgets after 10 min; here a tenth of it, and it forgets sooner. */
export const restartTimes = {
  firstMs: 1_000,
  capMs: 30_000,
  stableMs: 10_000,
  says: 'restart back-off: at once, then 1 s doubling to 30 s here (10 s doubling to 300 s on a cluster); forgotten after 10 s of running (10 min)',
} as const

/** How long to wait before each restart of one container. */
export class Backoff {
  #next = 0

  /** The wait before the next restart, after a run of `ranMs`. */
  after(ranMs: number): number {
    if (ranMs >= restartTimes.stableMs) this.#next = 0
    const wait = this.#next
    this.#next = Math.min(wait === 0 ? restartTimes.firstMs : wait * 2, restartTimes.capMs)
    return wait
  }
}
