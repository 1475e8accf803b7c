import type { WorkloadStatus } from '../cluster-types.js'
import type { PodPlan } from '../plan.js'

/** With the workloads whose controllers may create no pods: they are there, and less is ready than they ask for. */
export function withFailedCreate(
  workloads: readonly WorkloadStatus[],
  plans: Iterable<PodPlan>,
): readonly WorkloadStatus[] {
  const all = new Map(workloads.map((one) => [one.workload, one]))
  const missing = new Map<string, PodPlan[]>()
  for (const plan of plans) {
    if (plan.refused === undefined) continue
    const { workload } = plan.pod
    missing.set(workload, [...(missing.get(workload) ?? []), plan])
  }
  for (const [workload, wanted] of missing) {
    const [{ kind, refused } = { kind: '' }] = wanted
    if (refused === undefined) continue
    const there = all.get(workload) ?? { workload, kind, ready: 0, of: 0, pods: [] }
    all.set(workload, { ...there, of: Math.max(there.of, wanted.length), failedCreate: refused })
  }
  return [...all.values()].sort((a, b) => (a.workload < b.workload ? -1 : 1))
}
