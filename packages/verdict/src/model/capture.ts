type Labels = Readonly<Record<string, string>>

/** Namespaces that istio-cni leaves alone (the chart's `excludeNamespaces`). */
const excludedNamespaces: ReadonlySet<string> = new Set(['kube-system'])
const dataplaneMode = 'istio.io/dataplane-mode'

export interface CaptureSubject {
  readonly namespace: string
  readonly namespaceLabels: Labels
  readonly labels: Labels
  readonly hostNetwork: boolean
  readonly sidecar?: boolean
}

/**
 * Whether ztunnel captures the pod, as istio-cni decides (semantics C.1): the label `istio.io/dataplane-mode: ambient`
 * on the namespace or the pod, unless the pod says `none`; never a pod on the host's network or with a sidecar, never
 * in an excluded namespace.
 */
export function isCaptured(pod: CaptureSubject): boolean {
  if (pod.hostNetwork || pod.sidecar === true || excludedNamespaces.has(pod.namespace)) return false
  if (pod.labels[dataplaneMode] === 'none') return false
  return pod.labels[dataplaneMode] === 'ambient' || pod.namespaceLabels[dataplaneMode] === 'ambient'
}
