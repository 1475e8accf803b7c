import { type SchedulerMetricName, schedulerMetricNames } from '@bulkhead/intents'
import { Gauge, type Registry } from '@bulkhead/service-kit'

export type SchedulerMetrics = Readonly<Record<SchedulerMetricName, number>>

/** The one whose gauge is called otherwise (contract 2.3). */
const gaugeName = (name: SchedulerMetricName): string =>
  name === 'usersched_last_run_at' ? 'user_sched_last_run_at' : name

/** The last word of the sched_ext scheduler, as gauges: there are none before the first one. */
export class SchedMetrics {
  readonly #registry: Registry
  readonly #machine: string
  readonly #gauges = new Map<SchedulerMetricName, Gauge<'machine_id'>>()
  #last: SchedulerMetrics | undefined

  constructor(registry: Registry, machine: string) {
    this.#registry = registry
    this.#machine = machine
  }

  get last(): SchedulerMetrics | undefined {
    return this.#last
  }

  set(metrics: SchedulerMetrics): void {
    this.#last = metrics
    for (const name of schedulerMetricNames) this.#gauge(name).set({ machine_id: this.#machine }, metrics[name])
  }

  #gauge(name: SchedulerMetricName): Gauge<'machine_id'> {
    const known = this.#gauges.get(name)
    if (known !== undefined) return known
    const gauge = new Gauge({
      name: gaugeName(name),
      help: `As the sched_ext scheduler of this node said it last: ${name}.`,
      labelNames: ['machine_id'] as const,
      registers: [this.#registry],
    })
    this.#gauges.set(name, gauge)
    return gauge
  }
}
