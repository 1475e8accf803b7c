/** Something that has to work before this service may have traffic. It rejects, or answers too late, when it does not. */
export type Check = (signal: AbortSignal) => Promise<unknown> | unknown

export type CheckResult = 'ok' | 'failed' | 'timed out'

export interface Readiness {
  readonly ready: boolean
  /** Why not, when it is not for a check: it starts, or it shuts down. */
  readonly reason: string | undefined
  readonly checks: Readonly<Record<string, CheckResult>>
}

export interface HealthOptions {
  readonly checks?: Readonly<Record<string, Check>>
  readonly timeoutMs?: number
  /** How long an answer serves for further questions: a storm of probes becomes one query per dependency. */
  readonly cacheMs?: number
  /** Told of each failure with its cause; callers learn only the result. */
  readonly onFailure?: (check: string, cause: unknown) => void
}

/** A dependency that hangs must not make the probe hang: the kubelet would see a timeout and not learn which one it was. */
export const CHECK_TIMEOUT_MS = 2_000
export const CHECK_CACHE_MS = 500

/** The health of one service instance: its own state, never the process's. */
export class Health {
  readonly #options: Required<HealthOptions>
  #reason: string | undefined = 'starting'
  #latest: Promise<Readonly<Record<string, CheckResult>>> | undefined
  #latestAt = Number.NEGATIVE_INFINITY

  constructor(options: HealthOptions = {}) {
    this.#options = {
      checks: {},
      timeoutMs: CHECK_TIMEOUT_MS,
      cacheMs: CHECK_CACHE_MS,
      onFailure: () => {},
      ...options,
    }
  }

  markReady(): void {
    this.#reason = undefined
  }

  /** From here on not ready, whatever the checks say. */
  markUnready(reason: string): void {
    this.#reason = reason
  }

  async readiness(): Promise<Readiness> {
    if (this.#reason !== undefined) return { ready: false, reason: this.#reason, checks: {} }
    const checks = await this.#run()
    // It may have begun to shut down while the checks ran.
    return {
      ready: this.#reason === undefined && Object.values(checks).every((result) => result === 'ok'),
      reason: this.#reason,
      checks,
    }
  }

  #run(): Promise<Readonly<Record<string, CheckResult>>> {
    const now = performance.now()
    if (this.#latest !== undefined && now - this.#latestAt < this.#options.cacheMs) return this.#latest
    const started = Promise.all(
      Object.entries(this.#options.checks).map(async ([name, check]) => [name, await this.#one(name, check)] as const),
    ).then((results) => Object.fromEntries(results))
    this.#latest = started
    // Counted from the end: a check that takes long is not started again beside itself.
    this.#latestAt = Number.POSITIVE_INFINITY
    void started.then(() => {
      this.#latestAt = performance.now()
    })
    return started
  }

  async #one(name: string, check: Check): Promise<CheckResult> {
    const controller = new AbortController()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'timed out'>((resolve) => {
      timer = setTimeout(() => resolve('timed out'), this.#options.timeoutMs)
    })
    try {
      const result = await Promise.race([Promise.resolve(check(controller.signal)).then(() => 'ok' as const), late])
      if (result === 'timed out')
        this.#options.onFailure(name, new Error(`no answer within ${this.#options.timeoutMs} ms`))
      return result
    } catch (cause) {
      this.#options.onFailure(name, cause)
      return 'failed'
    } finally {
      clearTimeout(timer)
      controller.abort()
    }
  }
}
