import { EMPTY_ROOT } from '@bulkhead/intents'
import type { NodeIntents, NodeProcesses, SchedulerPush } from './types.js'

/** Schedulers that a test says everything about; keeps what they were sent. */
export class RecordingPush implements SchedulerPush {
  readonly sets: NodeIntents[] = []
  /** Nodes whose processes were asked for. */
  readonly asked: string[] = []
  /** Nodes whose roots were asked for. */
  readonly compared: string[] = []
  /** The root of the last set that each node has taken. */
  readonly #roots = new Map<string, string>()
  /** What becomes of a set; to fail, reject. Every node has a scheduler unless a test says otherwise. */
  take: (set: NodeIntents) => Promise<'sent' | 'no-scheduler'> = () => Promise.resolve('sent')
  read: (node: string) => Promise<NodeProcesses | 'no-scheduler'> = () => Promise.resolve('no-scheduler')
  /** What a node's schedulers say that they have; as they were told, unless a test says otherwise. */
  compare: (node: string) => Promise<readonly string[]> = this.#asTold

  async #asTold(node: string): Promise<readonly string[]> {
    return [this.#roots.get(node) ?? EMPTY_ROOT]
  }

  /** As after their start: they have nothing. */
  forget(): void {
    this.#roots.clear()
    this.compared.length = 0
    this.compare = this.#asTold
  }

  async push(set: NodeIntents): Promise<'sent' | 'no-scheduler'> {
    this.sets.push(set)
    const taken = await this.take(set)
    if (taken === 'sent') this.#roots.set(set.node, set.rootHash)
    return taken
  }

  roots(node: string): Promise<readonly string[]> {
    this.compared.push(node)
    return this.compare(node)
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
