import type { LabelSelector, Resource } from '@bulkhead/resources'
import { selectorMatches } from '@bulkhead/resources/selectors'
import type { Snapshot } from '../api.js'
import { internalsOf } from '../model/internals.js'
import { at, groupOf, namespaceOf, rawField } from '../model/kinds.js'
import type { CniEvidence, Engine, Pod, PointVerdict, Step } from '../types.js'
import { fold } from './fold.js'

/** An object that may isolate pods at the CNI, and whether it could select one. */
export interface NetworkObject {
  readonly step: Pick<Step, 'engine' | 'layer' | 'policy' | 'at'>
  readonly what: string
  couldSelect(pod: Pod): boolean
}

/** Kinds that a CNI enforces, by `group/Kind`; true for those that reach every namespace. */
const networkKinds: Readonly<Record<string, { readonly engine: Engine; readonly everywhere: boolean }>> = {
  'networking.k8s.io/NetworkPolicy': { engine: 'kubernetes', everywhere: false },
  'cilium.io/CiliumNetworkPolicy': { engine: 'cilium', everywhere: false },
  'cilium.io/CiliumClusterwideNetworkPolicy': { engine: 'cilium', everywhere: true },
  'policy.networking.k8s.io/ClusterNetworkPolicy': { engine: 'kubernetes', everywhere: true },
  'policy.networking.k8s.io/AdminNetworkPolicy': { engine: 'kubernetes', everywhere: true },
  'policy.networking.k8s.io/BaselineAdminNetworkPolicy': { engine: 'kubernetes', everywhere: true },
}

export function readNetworkObjects(resources: readonly Resource[]): NetworkObject[] {
  return resources.flatMap((resource) => {
    const kind = networkKinds[`${groupOf(resource.object)}/${resource.kind}`]
    if (kind === undefined) return []
    const namespace = namespaceOf(resource)
    const layer = resource.layer === undefined ? {} : { layer: resource.layer }
    return {
      step: { engine: kind.engine, ...layer, policy: resource.id, at: at(resource) },
      what: resource.kind,
      couldSelect: (pod) =>
        kind.everywhere ||
        (!pod.hostNetwork &&
          pod.namespace === namespace &&
          (resource.kind !== 'NetworkPolicy' || selects(resource, pod.labels))),
    }
  })
}

/** Only NetworkPolicy's own selector is plain enough to be read here; Cilium's keys carry sources and namespaces. */
function selects(resource: Resource, labels: Readonly<Record<string, string>>): boolean {
  const selector = rawField(resource.object, 'spec', 'podSelector')
  if (typeof selector !== 'object' || selector === null) return true
  return selectorMatches(selector as LabelSelector, labels)
}

/** What the CNI says at one pod. Its policies are not modelled yet: where one could speak, the answer is unknown. */
export function judgeCni(point: 'cni-egress' | 'cni-ingress', { pod }: CniEvidence, snapshot: Snapshot): PointVerdict {
  const direction = point === 'cni-egress' ? 'egress' : 'ingress'
  const [object] = networkObjectsOf(pod, snapshot)
  if (object === undefined) {
    return fold(point, [
      {
        hop: 0,
        point,
        engine: 'kubernetes',
        outcome: 'allow',
        code: 'network.no-policy',
        facts: { pod: pod.workload, direction },
      },
    ])
  }
  const { engine, ...by } = object.step
  return fold(point, [
    {
      hop: 0,
      point,
      engine,
      outcome: 'unknown',
      code: 'not-modelled',
      ...by,
      facts: { what: object.what, pod: pod.workload },
    },
  ])
}

function networkObjectsOf(pod: Pod, snapshot: Snapshot): readonly NetworkObject[] {
  return internalsOf(snapshot).policiesOf(pod).network
}
