import type { LabelSelector, Resource } from '@bulkhead/resources'
import { selectorMatches } from '@bulkhead/resources/selectors'
import type { Snapshot } from '../api.js'
import { internalsOf } from '../model/internals.js'
import { at, groupOf, isNetworkPolicy, namespaceOf, rawField } from '../model/kinds.js'
import type { CniEvidence, CniVerdict, Engine, Pod, Step } from '../types.js'
import { fold } from './fold.js'

/** An object that may isolate pods at the CNI, and whether it could select one. */
export interface NetworkObject {
  readonly step: Pick<Step, 'engine' | 'layer' | 'policy' | 'at'>
  readonly what: string
  couldSelect(pod: Pod): boolean
}

export function readNetworkObjects(resources: readonly Resource[]): NetworkObject[] {
  return resources.filter(isNetworkPolicy).map((resource) => {
    const { kind, layer } = resource
    const group = groupOf(resource.object)
    const engine: Engine = group === 'cilium.io' ? 'cilium' : 'kubernetes'
    const plain = group === 'networking.k8s.io'
    const namespace = plain ? namespaceOf(resource) : resource.namespace
    return {
      step: { engine, ...(layer !== undefined && { layer }), policy: resource.id, at: at(resource) },
      what: kind,
      // The host's network is not the pod's: a policy of a namespace does not select it, a cluster-wide one may (A.1).
      couldSelect: (pod) =>
        namespace === undefined ||
        (!pod.hostNetwork && pod.namespace === namespace && (!plain || selects(resource, pod.labels))),
    }
  })
}

/** Only NetworkPolicy's own selector is plain enough to be read here; others' keys carry sources and namespaces. */
function selects(resource: Resource, labels: Readonly<Record<string, string>>): boolean {
  const selector = rawField(resource.object, 'spec', 'podSelector')
  if (typeof selector !== 'object' || selector === null) return true
  return selectorMatches(selector as LabelSelector, labels)
}

/** What the CNI says at one pod. Its policies are not modelled yet: where one could speak, the answer is unknown. */
export function judgeCni(point: 'cni-egress' | 'cni-ingress', { pod }: CniEvidence, snapshot: Snapshot): CniVerdict {
  const direction = point === 'cni-egress' ? 'egress' : 'ingress'
  const [object] = networkObjectsOf(pod, snapshot)
  if (object === undefined) {
    return {
      ...fold(point, [
        {
          hop: 0,
          point,
          engine: 'kubernetes',
          outcome: 'allow',
          code: 'network.no-policy',
          facts: { pod: pod.workload, direction },
        },
      ]),
      point,
    }
  }
  const { engine, ...by } = object.step
  return {
    ...fold(point, [
      {
        hop: 0,
        point,
        engine,
        outcome: 'unknown',
        code: 'not-modelled',
        ...by,
        facts: { what: object.what, pod: pod.workload },
      },
    ]),
    point,
  }
}

function networkObjectsOf(pod: Pod, snapshot: Snapshot): readonly NetworkObject[] {
  return internalsOf(snapshot).policiesOf(pod).network
}
