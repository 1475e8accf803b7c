import type { Probe } from '@bulkhead/resources'
import { type ProbeTarget, probeOnce, probePort } from './probe-once.js'

/**
 * Until a container answers for the first time, its probes are looked at this often instead of once a period, so that
 * starting does not wait for a period to end. Such an early look is no failure: failures count once a period, as on a
 * cluster.
 */
const eagerMs = 25

export interface ProberOptions extends ProbeTarget {
  /** Whether something listens on the port: asked before an early dial. */
  listens(port: number): boolean
  readonly started: () => void
  readonly ready: (ready: boolean, reason: string) => void
  /** The liveness or startup probe gave up. */
  readonly failed: (reason: string) => void
}

/** The probes of one run of one container, as the kubelet makes them: startup first, then liveness and readiness. */
export class Prober {
  readonly #options: ProberOptions
  readonly #over = new AbortController()

  constructor(options: ProberOptions) {
    this.#options = options
  }

  start(): void {
    const { startupProbe, livenessProbe, readinessProbe } = this.#options.container
    const begin = () => {
      if (this.#over.signal.aborted) return
      this.#options.started()
      if (livenessProbe !== undefined) {
        this.#watch(
          livenessProbe,
          (failure) => failure !== undefined && this.#options.failed(`liveness probe failed: ${failure}`),
          false,
        )
      }
      if (readinessProbe === undefined) this.#options.ready(true, 'it has no readiness probe')
      else
        this.#watch(
          readinessProbe,
          (failure) => this.#options.ready(failure === undefined, failure ?? 'readiness probe succeeded'),
          true,
        )
    }
    if (startupProbe === undefined) {
      begin()
      return
    }
    const stop = this.#watch(
      startupProbe,
      (failure) => {
        stop()
        if (failure === undefined) begin()
        else this.#options.failed(`startup probe failed: ${failure}`)
      },
      true,
    )
  }

  stop(): void {
    this.#over.abort()
  }

  /** Calls `tell` whenever a threshold is reached: undefined for success, else the last failure. Returns the way to stop. */
  #watch(probe: Probe, tell: (failure: string | undefined) => void, eager: boolean): () => void {
    const own = new AbortController()
    const signal = AbortSignal.any([own.signal, this.#over.signal])
    const period = (probe.periodSeconds ?? 10) * 1000
    const wanted = { ok: probe.successThreshold ?? 1, failed: probe.failureThreshold ?? 3 }
    const port = probePort(probe, this.#options.container)
    let run = { failed: false, count: 0 }
    let early = eager
    const delay = (probe.initialDelaySeconds ?? 0) * 1000
    let nextCounted = eager ? Date.now() + delay + period : 0
    let timer: NodeJS.Timeout | undefined

    const look = async () => {
      const counted = Date.now() >= nextCounted
      // An early look does not knock where nobody can open.
      const idle = early && !counted && port !== undefined && !this.#options.listens(port)
      const failure = idle ? 'nothing listens yet' : await probeOnce(probe, this.#options)
      if (signal.aborted) return
      if (failure === undefined) early = false
      if (failure === undefined || counted) {
        nextCounted = Date.now() + period
        const failed = failure !== undefined
        run = { failed, count: run.failed === failed ? run.count + 1 : 1 }
        if (run.count === (failed ? wanted.failed : wanted.ok)) tell(failure)
      }
      if (!signal.aborted) timer = setTimeout(look, early ? Math.min(eagerMs, period) : period)
    }
    timer = setTimeout(look, delay)
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
    return () => own.abort()
  }
}
