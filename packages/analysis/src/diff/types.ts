import type { Verdict } from '@bulkhead/verdict'

/** A question whose answer is not what it was. A side is absent where the workload or the port is not there. */
export interface FlowChange {
  readonly from: string
  readonly to: string
  readonly before?: Verdict
  readonly after?: Verdict
  /** The workloads that may take the connection, where they are not those of before: a Service selects others, or more. */
  readonly behind?: { readonly before: readonly string[]; readonly after: readonly string[] }
}

/** What the change from one set of manifests to another does to who may call whom. Each list is sorted by from, then to. */
export interface PolicyDiff {
  /** Not allowed before (or not there), allowed now. */
  readonly opened: readonly FlowChange[]
  /** Allowed before, not allowed now (or not there any more). */
  readonly closed: readonly FlowChange[]
  /** Allowed as before, or not allowed as before, for another reason: another rule, policy or layer decides; or it leads elsewhere. */
  readonly decidedElsewhere: readonly FlowChange[]
  /** Ids of the objects that differ. */
  readonly objects: {
    readonly added: readonly string[]
    readonly changed: readonly string[]
    readonly removed: readonly string[]
  }
  /** How many questions there were: those of either side's matrix, asked of both. */
  readonly asked: number
}
