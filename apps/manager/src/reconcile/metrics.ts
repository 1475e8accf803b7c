import { Counter, Gauge, Histogram, type Registry } from '@bulkhead/service-kit'
import type { Lease } from './lease.js'
import type { Run } from './reconciler.js'

/** From a cluster in which nothing changed to the end of a run's time. Seconds. */
const BUCKETS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** What reconciliation does, for Prometheus. */
export class ReconcileMetrics {
  readonly #runs: Counter<'outcome'>
  readonly #durations: Histogram<'step'>
  readonly #intents: Counter<'change'>
  readonly #nodes: Counter<'result'>

  constructor(registry: Registry, lease: Pick<Lease, 'term'>) {
    const registers = [registry]
    this.#runs = new Counter({
      name: 'manager_reconcile_runs_total',
      help: 'Reconciliations, by outcome; follower: another replica does it.',
      labelNames: ['outcome'],
      registers,
    })
    this.#durations = new Histogram({
      name: 'manager_reconcile_duration_seconds',
      help: 'What the steps of a reconciliation took: refresh of intents, resync of schedulers.',
      labelNames: ['step'],
      buckets: BUCKETS,
      registers,
    })
    this.#intents = new Counter({
      name: 'manager_reconcile_intents_total',
      help: 'Intents that a reconciliation added, removed, or put in the place of others.',
      labelNames: ['change'],
      registers,
    })
    this.#nodes = new Counter({
      name: 'manager_reconcile_nodes_total',
      help: 'Nodes whose scheduler was compared: equal, sent its set, failed, or gone meanwhile.',
      labelNames: ['result'],
      registers,
    })
    new Gauge({
      name: 'manager_reconcile_leader',
      help: 'Whether this replica is the one that reconciles.',
      registers,
      collect() {
        this.set(lease.term === undefined ? 0 : 1)
      },
    })
  }

  ran({ outcome, refreshed, resynced, took }: Run): void {
    this.#runs.inc({ outcome })
    if (outcome === 'follower') return
    this.#durations.observe({ step: 'refresh' }, took.refresh / 1_000)
    this.#durations.observe({ step: 'resync' }, took.resync / 1_000)
    if (refreshed !== undefined) {
      this.#intents.inc({ change: 'added' }, refreshed.added - refreshed.replaced)
      this.#intents.inc({ change: 'removed' }, refreshed.removed - refreshed.replaced)
      this.#intents.inc({ change: 'replaced' }, refreshed.replaced)
    }
    for (const [result, count] of Object.entries(resynced ?? {})) this.#nodes.inc({ result }, count)
  }
}
