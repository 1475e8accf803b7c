/** What a node's scheduler is to do with the processes of one pod. The wire's own names (both sides speak JSON of this shape). */
export interface Intent {
  readonly podName: string
  /** The pod's UID. */
  readonly podID: string
  /** The node's name. */
  readonly nodeID: string
  readonly k8sNamespace: string
  /** RE2, found anywhere; over the container's command line when pods are chosen, over `comm` when processes are. Empty: every process. */
  readonly commandRegex: string
  /** 0 to 20; the lower one comes first. */
  readonly priority: number
  /** A time slice in nanoseconds, a whole number from 1,000,000 to 1,000,000,000. */
  readonly executionTime: number
  readonly podLabels: Readonly<Record<string, string>>
}

/** All that a node's scheduler has to know: it replaces what was known before, if its version is higher. */
export interface IntentSet {
  /** Of two sets of one node the one with the higher version is the later one, whichever arrives first. */
  readonly version: number
  readonly intents: readonly Intent[]
}

/** What a scheduler tells the manager of itself, at its start and from time to time (PUT /api/v1/schedulers/{node}). */
export interface SchedulerReport {
  readonly podName: string
  /** RFC 3339, UTC. */
  readonly startedAt: string
  /** Of the set in force; 0: none has come since the start. */
  readonly setVersion: number
  /** Of the set in force, as `merkleRoot` has it. */
  readonly rootHash: string
  readonly intents: number
  /** The last word of the sched_ext scheduler beside it, by the names of its metrics; absent: it has said nothing yet. */
  readonly metrics?: Readonly<Record<string, number>>
}
