import type { KubernetesAccess } from './access.js'
import { readNode, readPod } from './objects.js'
import { defaultPatience, type Patience, Reflector } from './reflector.js'
import type { ClusterView, NodeView, PodView } from './types.js'

/** A watch that broke is usually back within a moment, and what was known until then is not wrong yet. */
const GRACE_MS = 15_000

export interface ClusterOptions {
  readonly access: KubernetesAccess
  readonly patience?: Partial<Patience>
  readonly graceMs?: number
  /** For the log: what stopped or came back, by resource. */
  readonly note?: (resource: 'pods' | 'nodes', problem: string | undefined) => void
}

/**
 * The pods of all namespaces and the nodes, from the Kubernetes API. It needs `list` and `watch` on the two, and asks nothing else. It
 * is there at once, empty and not synced: nothing waits for the API server to start (contract M29).
 */
export function connectCluster({ access, patience, graceMs = GRACE_MS, note = () => {} }: ClusterOptions): ClusterView {
  const all = { ...defaultPatience, ...patience }
  const pods = new Reflector<PodView>({
    access,
    path: '/api/v1/pods',
    read: readPod,
    patience: all,
    note: (problem) => note('pods', problem),
  })
  const nodes = new Reflector<NodeView>({
    access,
    path: '/api/v1/nodes',
    read: readNode,
    patience: all,
    note: (problem) => note('nodes', problem),
  })
  const both = [pods, nodes] as const
  const fresh = ({ listed, problem, problemSince }: Reflector<unknown>): boolean =>
    listed && (problem === undefined || performance.now() - problemSince < graceMs)
  return {
    get synced() {
      return both.every(fresh)
    },
    get problem() {
      return both.find((reflector) => !fresh(reflector))?.problem
    },
    pods: () => pods.values(),
    nodes: () => [...nodes.values()],
    close: async () => {
      await Promise.all(both.map((reflector) => reflector.close()))
    },
  }
}
