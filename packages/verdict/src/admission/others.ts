import type { Admission } from './types.js'

/** How many policies refuse it beside the one that decided. */
export function othersRefusing({
  outcome,
  steps,
  decidedBy,
}: Pick<Admission, 'outcome' | 'steps' | 'decidedBy'>): number {
  if (outcome !== 'deny') return 0
  const policies = new Set(steps.flatMap((step) => (step.outcome === 'deny' ? (step.policy ?? []) : [])))
  policies.delete(steps[decidedBy ?? -1]?.policy ?? '')
  return policies.size
}
