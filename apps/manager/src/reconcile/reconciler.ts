import type { Logger } from '@bulkhead/service-kit'
import type { ClusterView } from '../kubernetes/types.js'
import type { NodeSync } from '../push/node-sync.js'
import type { SchedulerPush } from '../push/types.js'
import { type SchedulerIdentity, schedulersByNode } from '../schedulers/identity.js'
import type { Store } from '../store/types.js'
import type { Lease } from './lease.js'
import type { ReconcileMetrics } from './metrics.js'
import { Deposed, type Refreshed, refresh } from './refresh.js'
import { type Resynced, resync } from './resync.js'

/** For all of one run. What is not done by then is begun with in the next one. */
export const RUN_MS = 60_000

export interface ReconcilerDeps {
  readonly store: Store
  readonly cluster: ClusterView
  readonly push: Pick<SchedulerPush, 'roots'>
  readonly sync: Pick<NodeSync, 'sync'>
  readonly lease: Pick<Lease, 'hold' | 'term'>
  readonly identity: SchedulerIdentity
  readonly log: Pick<Logger, 'info' | 'warn' | 'debug'>
  readonly metrics?: Pick<ReconcileMetrics, 'ran'>
  readonly runMs?: number
  readonly youngMs?: number
}

/**
 * `done`: all was looked at. `follower`: another replica does it. `cluster-unknown`: nobody knows which pods there are, so no intent is
 * taken away for want of one; schedulers are compared all the same. `late`: its time was over, or the lease was lost. `failed`: the
 * database did not answer.
 */
export type Outcome = 'done' | 'follower' | 'cluster-unknown' | 'late' | 'failed'

export interface Run {
  readonly outcome: Outcome
  readonly refreshed?: Refreshed
  readonly resynced?: Resynced
  /** Milliseconds. */
  readonly took: { readonly refresh: number; readonly resync: number }
}

/** Brings intents to the pods that there are, and schedulers to the intents that there are (contract 1.10). */
export class Reconciler {
  readonly #deps: ReconcilerDeps
  #running: Promise<Run> | undefined

  constructor(deps: ReconcilerDeps) {
    this.#deps = deps
  }

  /** One run; who asks while one is under way shares it. Never rejects. */
  run(signal: AbortSignal = new AbortController().signal): Promise<Run> {
    this.#running ??= this.#run(signal).finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #run(stopped: AbortSignal): Promise<Run> {
    const { lease, log, metrics, runMs = RUN_MS } = this.#deps
    const over = new AbortController()
    const signal = AbortSignal.any([stopped, over.signal])
    const timer = setTimeout(() => over.abort(), runMs)
    const run: { -readonly [K in keyof Run]: Run[K] } = { outcome: 'failed', took: { refresh: 0, resync: 0 } }
    try {
      const term = await lease.hold()
      if (term === undefined) run.outcome = 'follower'
      else {
        // Another one may have it since: what is begun from then on is his.
        const still = setInterval(() => lease.term !== term && over.abort(), 250)
        try {
          await this.#work(term, run, signal)
        } finally {
          clearInterval(still)
        }
        run.outcome = signal.aborted ? 'late' : run.outcome
      }
    } catch (err) {
      run.outcome = err instanceof Deposed ? 'late' : 'failed'
      log.warn({ err }, 'a reconciliation did not come to its end; the next one begins anew')
    } finally {
      clearTimeout(timer)
    }
    metrics?.ran(run)
    tell(log, run)
    return run
  }

  async #work(term: number, run: { -readonly [K in keyof Run]: Run[K] }, signal: AbortSignal): Promise<void> {
    const { store, cluster, push, sync, identity, log, youngMs } = this.#deps
    const began = performance.now()
    run.outcome = cluster.synced ? 'done' : 'cluster-unknown'
    let failed: unknown
    if (cluster.synced) {
      try {
        run.refreshed = await refresh({ store, cluster, term, signal, ...(youngMs === undefined ? {} : { youngMs }) })
      } catch (error) {
        if (error instanceof Deposed) throw error
        // Schedulers are compared all the same: the original's tests ask for that (contract 1.17.11).
        failed = error
      }
    }
    const refreshed = performance.now()
    run.resynced = await resync(schedulersByNode(cluster.pods(), identity).keys(), { store, push, sync, log, signal })
    if (cluster.synced) await forget(store, cluster)
    run.took = { refresh: refreshed - began, resync: performance.now() - refreshed }
    if (failed !== undefined) throw failed
  }
}

/** What schedulers said of nodes that are no more. */
async function forget({ schedulers }: Pick<Store, 'schedulers'>, cluster: Pick<ClusterView, 'nodes'>): Promise<void> {
  const nodes = cluster.nodes().map(({ name }) => name)
  if (nodes.length > 0) await schedulers.deleteMany({ _id: { $nin: nodes } })
}

/** A line at `info` when something was done or is wrong, and at `debug` when all was as it should be. */
function tell(log: ReconcilerDeps['log'], { outcome, refreshed, resynced, took }: Run): void {
  if (outcome === 'follower') return
  const { failed = [], tooSlow = [], ...counts } = refreshed ?? {}
  const line = {
    outcome,
    ...counts,
    ...(resynced === undefined ? {} : { nodes: resynced }),
    ...(tooSlow.length === 0 ? {} : { tooSlow }),
    refreshMs: Math.round(took.refresh),
    resyncMs: Math.round(took.resync),
  }
  for (const err of failed) log.warn({ err }, 'a strategy’s intents could not be brought up to date')
  if (outcome !== 'done' || tooSlow.length > 0 || (resynced?.failed ?? 0) > 0) log.warn(line, 'reconciled in part')
  else if ((refreshed?.added ?? 0) + (refreshed?.removed ?? 0) + (resynced?.sent ?? 0) > 0) log.info(line, 'reconciled')
  else log.debug(line, 'reconciled: nothing was to be done')
}
