import type { PodView } from '../kubernetes/types.js'

/** Who schedulers are: pods of this namespace and this ServiceAccount with their label, whatever others call themselves (contract M17). */
export interface SchedulerIdentity {
  readonly namespace: string
  readonly serviceAccount: string
}

/** As the manifests have them. */
export const defaultSchedulers: SchedulerIdentity = { namespace: 'gthulhu-node', serviceAccount: 'gthulhu' }

/** What schedulers' pods are labelled with (contract 1.8.5). */
const LABEL = { key: 'app', value: 'decisionmaker' } as const

/** As the Kubernetes API has it: nobody becomes a scheduler by what he says. */
export function isScheduler(pod: PodView, { namespace, serviceAccount }: SchedulerIdentity): boolean {
  return (
    pod.namespace === namespace &&
    pod.serviceAccount === serviceAccount &&
    Object.hasOwn(pod.labels, LABEL.key) &&
    pod.labels[LABEL.key] === LABEL.value
  )
}

/**
 * The schedulers that can be spoken to, by node: one each, but for moments in which one follows another. The node's own address, which
 * the original falls back to, is not the pod's alone.
 */
export function schedulersByNode(
  pods: Iterable<PodView>,
  identity: SchedulerIdentity,
): ReadonlyMap<string, readonly PodView[]> {
  const found = new Map<string, PodView[]>()
  for (const pod of pods) {
    if (pod.nodeName === '' || pod.phase !== 'Running' || pod.podIP === '' || !isScheduler(pod, identity)) continue
    const others = found.get(pod.nodeName)
    if (others === undefined) found.set(pod.nodeName, [pod])
    else others.push(pod)
  }
  return found
}
