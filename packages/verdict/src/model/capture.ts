type Labels = Readonly<Record<string, string>>

/** Namespaces that istio-cni leaves alone (the chart's `excludeNamespaces`). */
const excludedNamespaces: ReadonlySet<string> = new Set(['kube-system'])
const dataplaneMode = 'istio.io/dataplane-mode'

export interface CaptureSubject {
  readonly namespace: string
  readonly namespaceLabels: Labels
  readonly labels: Labels
  readonly hostNetwork: boolean
  readonly annotations?: Labels
}

/**
 * A pod that runs Istio's sidecar instead: injected already, or about to be by the webhook. It is in the mesh, but by a
 * proxy that is not modelled.
 */
export function hasSidecar(pod: CaptureSubject): boolean {
  if (pod.annotations?.['sidecar.istio.io/status'] !== undefined) return true
  // The webhook leaves the host's network alone.
  if (pod.hostNetwork) return false
  const inject = pod.labels['sidecar.istio.io/inject']
  return inject === 'true' || (inject !== 'false' && injects(pod.namespaceLabels))
}

/** By name, or by the revision that is to do it; an ambient namespace carries a revision for its waypoints. */
function injects(labels: Labels): boolean {
  const injection = labels['istio-injection']
  if (injection !== undefined) return injection === 'enabled'
  return labels['istio.io/rev'] !== undefined && labels[dataplaneMode] !== 'ambient'
}

/**
 * Whether ztunnel captures the pod, as istio-cni decides (semantics C.1): the label `istio.io/dataplane-mode: ambient`
 * on the namespace or the pod, unless the pod says `none`; never a pod on the host's network or with a sidecar, never
 * in an excluded namespace.
 */
export function isCaptured(pod: CaptureSubject): boolean {
  if (pod.hostNetwork || hasSidecar(pod) || excludedNamespaces.has(pod.namespace)) return false
  if (pod.labels[dataplaneMode] === 'none') return false
  return pod.labels[dataplaneMode] === 'ambient' || pod.namespaceLabels[dataplaneMode] === 'ambient'
}
