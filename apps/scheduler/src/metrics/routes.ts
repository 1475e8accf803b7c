import { uint64 } from '@bulkhead/intents'
import { z } from 'zod'
import { defineRoute, type Route } from '../http/route.js'
import type { SchedMetrics, SchedulerMetrics } from './sched-metrics.js'

/** All eleven: one that is missing is not 0. What a later scheduler may say beside them is left out. */
const body: z.ZodType<SchedulerMetrics> = z.object({
  usersched_last_run_at: uint64,
  nr_queued: uint64,
  nr_scheduled: uint64,
  nr_running: uint64,
  nr_online_cpus: uint64,
  nr_user_dispatches: uint64,
  nr_kernel_dispatches: uint64,
  nr_cancel_dispatches: uint64,
  nr_bounce_dispatches: uint64,
  nr_failed_dispatches: uint64,
  nr_sched_congested: uint64,
})

export const metricsRoutes = (metrics: Pick<SchedMetrics, 'set'>): readonly Route[] => [
  defineRoute({
    method: 'POST',
    path: '/api/v1/metrics',
    operationId: 'postMetrics',
    summary: 'What the sched_ext scheduler says of itself; GET /metrics has it then',
    caller: 'sched-ext',
    body,
    errors: [],
    handle(told) {
      metrics.set(told)
      return {}
    },
  }),
]
