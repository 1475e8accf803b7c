import type { Intent } from '@bulkhead/intents'

/** All that a node's scheduler has to know: always the whole set, since it replaces what it had (contract M15). */
export interface NodeIntents {
  readonly node: string
  /** Of two sets the one with the higher version is the later one, whichever arrives first. */
  readonly version: number
  /** In the order in which they were made. */
  readonly intents: readonly Intent[]
  /** Of these intents (contract 1.10). */
  readonly rootHash: string
}

/** What runs in the pods of a node, as its scheduler has read it from /proc. */
export interface NodeProcesses {
  readonly pods: readonly {
    readonly podUid: string
    readonly podId?: string | undefined
    readonly processes: readonly {
      readonly pid: number
      readonly command: string
      readonly ppid?: number | undefined
      readonly containerId?: string | undefined
    }[]
  }[]
  /** When it was read. */
  readonly timestamp: string
  readonly nodeName: string
  readonly nodeId?: string | undefined
}

/** A scheduler has a set of this version or of a higher one already: this one was not taken. */
export class OutdatedSet extends Error {
  override readonly name = 'OutdatedSet'
}

/** The way to the schedulers on the nodes. */
export interface SchedulerPush {
  /**
   * Resolves `sent` when the node's scheduler has taken the set, `no-scheduler` when none is known there. Rejects when it
   * could not be reached or refused, within its own deadline.
   * @throws OutdatedSet when it has a later one
   */
  push(set: NodeIntents): Promise<'sent' | 'no-scheduler'>
  /** The roots of what the node's schedulers have: one each, none where none is known. Rejects as `push` does. */
  roots(node: string): Promise<readonly string[]>
  /** Asks the node's scheduler what runs there; rejects as `push` does. */
  processes(node: string): Promise<NodeProcesses | 'no-scheduler'>
  close(): Promise<void>
}
