import type { AuthorizationPolicy, Resource } from '@bulkhead/resources'
import { labelsMatch } from '@bulkhead/resources/selectors'
import type { Pod, Snapshot } from '@bulkhead/verdict'
import { type Candidate, fieldName, placeOf, replaced } from './edits.js'

/**
 * An ALLOW policy beside the pod whose selector selects no pod at all was meant for one: with the pod\'s own values of the
 * labels that it names it selects this one.
 */
export function mendSelector(pod: Pod | undefined, snapshot: Snapshot): readonly Candidate[] {
  if (pod === undefined) return []
  return snapshot.resources.filter(isPolicy).flatMap((policy): Candidate[] => {
    const { selector, action = 'ALLOW' } = policy.object.spec ?? {}
    const wanted = selector?.matchLabels
    if (wanted === undefined || action !== 'ALLOW' || (policy.namespace ?? 'default') !== pod.namespace) return []
    const pods = [...snapshot.pods.values()]
    if (pods.some(({ namespace, labels }) => namespace === pod.namespace && labelsMatch(wanted, labels))) return []
    const mended = Object.entries(wanted).map(([key, value]) => ({ key, value, own: pod.labels[key] }))
    const wrong = mended.filter(({ value, own }) => own !== value)
    // One slip of the pen; a policy with more of them was meant for something else.
    const [slip, ...more] = wrong
    if (slip?.own === undefined || more.length > 0) return []
    const matchLabels = { ...wanted, [slip.key]: slip.own }
    const object = { ...policy.object, spec: { ...policy.object.spec, selector: { matchLabels } } }
    const place = ['spec', 'selector', 'matchLabels']
    const edit = {
      object: policy.id,
      at: placeOf(policy, [...place, slip.key]),
      says: `let the selector, which selects no pod, select ${pod.workload}: ${slip.key} is ${JSON.stringify(slip.own)} there, not ${JSON.stringify(slip.value)}`,
      field: fieldName(place),
      value: `${slip.key}: ${slip.own}`,
    }
    return [{ edit, resources: replaced(snapshot, policy, object), meant: true }]
  })
}

const isPolicy = (resource: Resource): resource is Resource<AuthorizationPolicy> =>
  resource.kind === 'AuthorizationPolicy' && resource.object.apiVersion.startsWith('security.istio.io/')
