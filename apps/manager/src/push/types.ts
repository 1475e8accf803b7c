import type { IntentDoc } from '../store/documents.js'

/** All that a node's scheduler has to know: always the whole set, since it replaces what it had. */
export interface NodeIntents {
  readonly node: string
  readonly intents: readonly IntentDoc[]
}

/** The way to the schedulers on the nodes. */
export interface SchedulerPush {
  /**
   * Resolves `sent` when the node's scheduler has taken the set, `no-scheduler` when none is known there. Rejects when it
   * could not be reached or refused, within its own deadline.
   */
  push(set: NodeIntents): Promise<'sent' | 'no-scheduler'>
}
