import type { NodeIntents, NodeProcesses, SchedulerPush } from './types.js'

/** Schedulers that a test says everything about; keeps what they were sent. */
export class RecordingPush implements SchedulerPush {
  readonly sets: NodeIntents[] = []
  /** Nodes whose processes were asked for. */
  readonly asked: string[] = []
  /** What becomes of a set; to fail, reject. Every node has a scheduler unless a test says otherwise. */
  take: (set: NodeIntents) => Promise<'sent' | 'no-scheduler'> = () => Promise.resolve('sent')
  read: (node: string) => Promise<NodeProcesses | 'no-scheduler'> = () => Promise.resolve('no-scheduler')

  push(set: NodeIntents): Promise<'sent' | 'no-scheduler'> {
    this.sets.push(set)
    return this.take(set)
  }

  processes(node: string): Promise<NodeProcesses | 'no-scheduler'> {
    this.asked.push(node)
    return this.read(node)
  }

  /** The last set that the node was sent, as pod UIDs. */
  podsOf(node: string): readonly string[] | undefined {
    return this.sets.findLast((set) => set.node === node)?.intents.map(({ podID }) => podID)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
