import type { Flow, Verdict } from '@bulkhead/verdict'

/** One question of the matrix: who, whom, and how. */
export interface Cell {
  /** `namespace/workload`, or `outside`. */
  readonly from: string
  /** `namespace/service:port`, `namespace/workload:port` for the pods themselves, or `gateway host` for a gateway. */
  readonly to: string
  /** Equal for the same question of two snapshots. */
  readonly key: string
  readonly flow: Flow
  readonly verdict: Verdict
}

/** Who may call whom: every workload (and the outside) against every port that something listens on. */
export interface Matrix {
  /** In the order of the rows. */
  readonly sources: readonly string[]
  /** In the order of the columns. */
  readonly destinations: readonly string[]
  /** Row by row. A source is not asked about itself. */
  readonly cells: readonly Cell[]
}
