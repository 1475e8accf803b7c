import type { ClusterStatus, LocalClusterOptions, ProgressEvent, ToldOnce } from '@bulkhead/local-cluster'

/** What a background supervisor tells the `up` that started it. */
export type SupervisorMessage =
  | { readonly type: 'progress'; readonly event: ProgressEvent }
  | ({ readonly type: 'up' } & Started)
  | { readonly type: 'failed'; readonly message: string }

export interface NotReady {
  readonly pod: string
  readonly workload: string
  /** The last lines of its log. */
  readonly log: string
}

/** What came of a start. */
export interface Started {
  readonly report: UpReport
  /** For the terminal alone: no report holds it, and no log. */
  readonly toldOnce: readonly ToldOnce[]
}

/** `up --json` */
export interface UpReport {
  readonly url: string
  readonly tookMs: number
  /** Pods that did not become ready in time, with what they said last. */
  readonly notReady: readonly NotReady[]
  readonly status: ClusterStatus
}

/** What a supervisor is started with. */
export interface SupervisorOptions extends Pick<LocalClusterOptions, 'outside' | 'connectTimeoutMs'> {
  readonly manifests: readonly string[]
  /** What files are named relative to. */
  readonly relativeTo: string
  readonly stateDir: string
  readonly port: number
  readonly publishPorts: 'pinned' | 'any'
  readonly layers?: readonly string[]
  readonly fresh?: boolean
}
