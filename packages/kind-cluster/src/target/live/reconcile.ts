import type { KubernetesObject, Resource } from '@bulkhead/resources'
import { changedResource } from '@bulkhead/resources/made'
import type { NodeModel, RunningPod } from '@bulkhead/verdict'
import { platformNamespaces, platformServices, policyGroups } from './kinds.js'
import { controllerOf, isModelled, isRunning, nodesOf, runningPod } from './pods.js'
import { groupOf, idOf, keyOf, type LiveObject } from './raw.js'
import type { LiveRead } from './read.js'
import { asIs, found, podResource } from './resource.js'
import { sameAsWritten } from './same.js'

/** What is in force on the cluster, in the engine's terms. */
export interface InForce {
  /** Each with its file's place and layer where it is as the file says. */
  readonly resources: readonly Resource[]
  /** What istiod made of Gateways: the engine makes them itself, and takes these in their place. */
  readonly kept: readonly Resource[]
  readonly running: readonly RunningPod[]
  readonly nodes: readonly NodeModel[]
  /** Ids of objects that are there and not as their files say. */
  readonly drifted: readonly string[]
  /** Ids of files' objects that are not there. */
  readonly missing: readonly string[]
  /** What is there and could not be read. */
  readonly unread: readonly { readonly id: string; readonly why: string }[]
}

/** ConfigMaps that controllers put into every namespace. */
const everywhere: ReadonlySet<string> = new Set(['kube-root-ca.crt', 'istio-ca-root-cert', 'istio-ca-crl'])

/** @param files objects of k8s/, and of changes that stand; of two with one id the later counts */
export function reconcile({ objects, secrets, kinds }: LiveRead, files: readonly Resource[]): InForce {
  const wanted = new Map(files.map((one) => [keyOf(one.id, one.object), one]))
  const there = new Map(objects.map((one) => [keyOf(idOf(one), one), one]))
  const gateways = new Map(
    objects
      .filter((one) => one.kind === 'Gateway')
      .map((one) => [`${one.metadata.namespace}/${one.metadata.name}`, one]),
  )
  const drifted: string[] = []
  const unread: { id: string; why: string }[] = []
  const missing: string[] = []
  const take = (resource: Resource, live: LiveObject): readonly Resource[] => {
    if (sameAsWritten(resource.object, live)) return [asWritten(resource, live)]
    drifted.push(resource.id)
    return read(live, resource.layer)
  }
  const read = (live: LiveObject, layer?: string): readonly Resource[] => {
    const one = found(live, layer)
    if ('resource' in one) return [one.resource]
    unread.push({ id: idOf(live), why: one.unread })
    return []
  }
  const read_ = [...wanted].flatMap(([key, resource]): readonly Resource[] => {
    const live = there.get(key)
    if (live !== undefined) return take(resource, live)
    // What is in a Secret is nobody's business here: that it is there is all.
    if (isSecret(resource) && secrets.has(`${resource.namespace}/${resource.name}`)) return [resource]
    missing.push(resource.id)
    return []
  })
  const others = objects.filter((one) => !wanted.has(keyOf(idOf(one), one)) && counts(one))
  const made = others.filter((one) => gatewayOf(one, gateways) !== undefined)
  return {
    resources: [...read_, ...others.filter((one) => !made.includes(one)).flatMap((one) => read(one))],
    kept: made.map((one) => asIs(one, gatewayResource(one, read_))),
    running: objects
      .filter((one) => one.kind === 'Pod' && isModelled(one) && isRunning(one))
      .map((pod) => runningPod(pod, podResource(pod))),
    nodes: nodesOf(objects),
    drifted,
    missing: kinds.length === 0 ? [] : missing,
    unread,
  }
}

const isSecret = ({ object }: Resource): boolean => object.kind === 'Secret' && object.apiVersion === 'v1'

/** The file's, but for the addresses that the cluster has given. */
function asWritten(resource: Resource, live: LiveObject): Resource {
  if (live.kind !== 'Service' || groupOf(live) !== '') return resource
  return changedResource(resource, { ...resource.object, spec: live.spec, status: live.status } as KubernetesObject)
}

const bystanders = new Set([
  'PersistentVolumeClaim',
  'LimitRange',
  'ResourceQuota',
  'PodDisruptionBudget',
  'HorizontalPodAutoscaler',
])

/** Which of the objects that no file holds have a say, or are somebody. */
function counts(live: LiveObject): boolean {
  const { kind, metadata } = live
  if (kind === 'Node' || (kind === 'Pod' && controllerOf(live) !== undefined)) return false
  // The engine knows the API server's Service itself.
  if (idOf(live) === 'Service/default/kubernetes') return false
  if (kind === 'Namespace' || policyGroups.has(groupOf(live))) return !byHelmOfThePlatform(live)
  // Of these only what files have is held against them.
  if (groupOf(live) === 'rbac.authorization.k8s.io' || bystanders.has(kind)) return false
  if (kind === 'ConfigMap' && everywhere.has(metadata.name)) return false
  if (kind === 'ServiceAccount' && metadata.name === 'default') return false
  if (kind === 'ConfigMap' && Object.hasOwn(metadata.labels ?? {}, 'gateway.istio.io/defaults-for-class')) return true
  return !platformNamespaces.has(metadata.namespace ?? '') || platformServices.has(idOf(live))
}

/** NetworkPolicies and admission policies that charts bring for themselves: what they are about is not modelled. */
const byHelmOfThePlatform = ({ kind, metadata }: LiveObject): boolean =>
  kind !== 'Namespace' &&
  metadata.labels?.['app.kubernetes.io/managed-by'] === 'Helm' &&
  (metadata.namespace === undefined || platformNamespaces.has(metadata.namespace))

function gatewayOf({ metadata }: LiveObject, gateways: ReadonlyMap<string, LiveObject>): LiveObject | undefined {
  const owner = (metadata.ownerReferences ?? []).find(({ kind }) => kind === 'Gateway')
  return owner === undefined ? undefined : gateways.get(`${metadata.namespace}/${owner.name}`)
}

function gatewayResource({ metadata }: LiveObject, resources: readonly Resource[]): Resource | undefined {
  const owner = (metadata.ownerReferences ?? []).find(({ kind }) => kind === 'Gateway')
  return resources.find(({ id }) => id === `Gateway/${metadata.namespace}/${owner?.name}`)
}
