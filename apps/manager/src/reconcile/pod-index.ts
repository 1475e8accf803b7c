import type { PodView } from '../kubernetes/types.js'
import type { Criteria } from '../strategies/expand.js'

/** The pods of a cluster at one moment, by what strategies ask for. */
export interface PodIndex {
  /** Pods among which all that match are; far fewer than all, wherever the criteria allow it. */
  candidates(criteria: Pick<Criteria, 'labelSelectors' | 'k8sNamespace'>): Iterable<PodView>
  /** Whether there is a pod of this UID. */
  has(uid: string): boolean
}

const NONE: readonly PodView[] = []

/**
 * Each strategy asks for labels or namespaces, so hundreds of strategies over thousands of pods need not look at each pair: the shortest
 * of the lists that a strategy's criteria name has all of its pods in it.
 */
export function indexPods(pods: Iterable<PodView>): PodIndex {
  const byNamespace = new Map<string, PodView[]>()
  const byKey = new Map<string, PodView[]>()
  const byLabel = new Map<string, PodView[]>()
  const uids = new Set<string>()
  for (const pod of pods) {
    uids.add(pod.uid)
    put(byNamespace, pod.namespace, pod)
    for (const key of Object.keys(pod.labels)) {
      put(byKey, key, pod)
      put(byLabel, labelOf(key, pod.labels[key] ?? ''), pod)
    }
  }
  const listsOf = ({ labelSelectors, k8sNamespace }: Pick<Criteria, 'labelSelectors' | 'k8sNamespace'>) => {
    const lists = labelSelectors.map(
      ({ key, value }) => (value === '' ? byKey.get(key) : byLabel.get(labelOf(key, value))) ?? NONE,
    )
    if (k8sNamespace.length > 0)
      lists.push([...new Set(k8sNamespace)].flatMap((namespace) => byNamespace.get(namespace) ?? NONE))
    return lists
  }
  return {
    has: (uid) => uids.has(uid),
    candidates: (criteria) => {
      let shortest: readonly PodView[] | undefined
      for (const list of listsOf(criteria)) if (shortest === undefined || list.length < shortest.length) shortest = list
      return shortest ?? [...byNamespace.values()].flat()
    },
  }
}

/** Keys have no `=` in them. */
const labelOf = (key: string, value: string): string => `${key}=${value}`

function put(lists: Map<string, PodView[]>, key: string, pod: PodView): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [pod])
  else list.push(pod)
}
