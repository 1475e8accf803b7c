import type { Pod, Snapshot } from '@bulkhead/verdict'

/** Labels that a controller writes, and that change with the template or from pod to pod. */
const controllerLabels: ReadonlySet<string> = new Set([
  'pod-template-hash',
  'statefulset.kubernetes.io/pod-name',
  'apps.kubernetes.io/pod-index',
])

/** The labels that stand in the manifest. */
export function ownLabels({ labels }: Pick<Pod, 'labels'>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !controllerLabels.has(name)))
}

/** Labels by which a workload is usually told apart. */
const usual = ['app', 'app.kubernetes.io/name', 'k8s-app', 'gateway.networking.k8s.io/gateway-name']

/** The fewest labels that select this workload's pods and no others of its namespace: a usual one, or all of them. */
export function tellingLabels(pod: Pod, snapshot: Snapshot): Readonly<Record<string, string>> {
  const own = ownLabels(pod)
  const others = [...snapshot.pods.values()].filter(
    ({ namespace, workload }) => namespace === pod.namespace && workload !== pod.workload,
  )
  const telling = usual.find((key) => own[key] !== undefined && others.every(({ labels }) => labels[key] !== own[key]))
  return telling === undefined ? own : { [telling]: own[telling] ?? '' }
}
