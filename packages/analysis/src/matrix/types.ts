import type { Flow, Verdict } from '@bulkhead/verdict'

/** One question of the matrix: who, whom, and how. */
export interface Cell {
  /** `namespace/workload`, or `outside`. */
  readonly from: string
  /**
   * `shop/web-api:8080` for a Service, `shop/web-api:8080 (pod)` for the pods themselves past every Service, with `/UDP` behind
   * the port where it is UDP; `shop/shop-gateway http://istioexplained.io/` for a request to a gateway; `api.github.com:443` for a
   * host outside that a policy names, and `world:443` for anything else there.
   */
  readonly to: string
  /** Equal for the same question of two snapshots. */
  readonly key: string
  readonly flow: Flow
  /** Asked of the snapshot each time that it is read: thousands of verdicts at once are not held. */
  readonly verdict: Verdict
}

/** Who may call whom: every workload (and the outside) against every port that something listens on. */
export interface Matrix {
  /** In the order of the rows. */
  readonly sources: readonly string[]
  /** In the order of the columns: what is outside of the cluster last. */
  readonly destinations: readonly string[]
  /** Row by row. A source is not asked about itself. */
  readonly cells: readonly Cell[]
}
