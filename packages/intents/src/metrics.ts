/** What the sched_ext scheduler tells of itself: each a whole number that is not negative (contract scheduler 2.1). */
export const schedulerMetricNames = [
  'usersched_last_run_at',
  'nr_queued',
  'nr_scheduled',
  'nr_running',
  'nr_online_cpus',
  'nr_user_dispatches',
  'nr_kernel_dispatches',
  'nr_cancel_dispatches',
  'nr_bounce_dispatches',
  'nr_failed_dispatches',
  'nr_sched_congested',
] as const
export type SchedulerMetricName = (typeof schedulerMetricNames)[number]
