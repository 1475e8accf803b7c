import type { ClusterView, NodeView, PodView } from './types.js'

/** A pod with whatever a test does not care for filled in. */
export function podView(given: Partial<PodView> & { readonly name: string; readonly command?: string }): PodView {
  const { command, ...rest } = given
  return {
    uid: `uid-of-${given.name}`,
    namespace: 'default',
    nodeName: 'node-1',
    phase: 'Running',
    podIP: '10.244.1.9',
    hostIP: '172.18.0.3',
    serviceAccount: 'default',
    labels: {},
    containers: [{ name: 'main', commandLine: command ?? '', ports: [] }],
    ...rest,
  }
}

/** A cluster that a test says everything about. */
export class MemoryCluster implements ClusterView {
  synced = true
  problem: string | undefined = undefined
  readonly #pods = new Map<string, PodView>()
  readonly #nodes = new Map<string, NodeView>()

  constructor(pods: readonly PodView[] = [], nodes: readonly NodeView[] = []) {
    for (const pod of pods) this.setPod(pod)
    for (const node of nodes) this.setNode(node)
  }

  /** Adds or replaces. */
  setPod(pod: PodView): void {
    this.#pods.set(pod.uid, pod)
  }

  removePod(uid: string): void {
    this.#pods.delete(uid)
  }

  /** Adds or replaces. */
  setNode(node: NodeView): void {
    this.#nodes.set(node.name, node)
  }

  removeNode(name: string): void {
    this.#nodes.delete(name)
  }

  pods(): Iterable<PodView> {
    return this.#pods.values()
  }

  nodes(): readonly NodeView[] {
    return [...this.#nodes.values()]
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
