import type { Processes } from '../api/types.js'

/** Pods as people know them, those that are known by name first. */
export function byName(pods: Processes['pods']) {
  const name = ({ k8sNamespace, podName, podId, podUid }: Processes['pods'][number]): string =>
    podName === undefined ? (podId ?? podUid) : `${k8sNamespace}/${podName}`
  return pods
    .map((pod) => ({ ...pod, name: name(pod) }))
    .sort(
      (a, b) => Number(a.podName === undefined) - Number(b.podName === undefined) || a.name.localeCompare(b.name, 'en'),
    )
}
