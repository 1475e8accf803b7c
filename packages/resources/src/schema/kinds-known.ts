import { pluralOf } from '../plural.js'
import { nearest } from '../suggest.js'

/*
 * Which kinds there are, and whether they live in a namespace. Kubernetes' own, by API group, and the cluster-scoped
 * kinds of the projects whose manifests Bulkhead reads: for those, a namespace would be part of no identity.
 */

interface Group {
  readonly namespaced: readonly string[]
  readonly cluster: readonly string[]
}

const BUILT_IN: Readonly<Record<string, Group>> = {
  '': {
    namespaced: [
      ...['ConfigMap', 'Endpoints', 'Event', 'LimitRange', 'PersistentVolumeClaim', 'Pod', 'PodTemplate'],
      ...['ReplicationController', 'ResourceQuota', 'Secret', 'Service', 'ServiceAccount', 'Binding'],
    ],
    cluster: ['Namespace', 'Node', 'PersistentVolume', 'ComponentStatus'],
  },
  apps: { namespaced: ['ControllerRevision', 'DaemonSet', 'Deployment', 'ReplicaSet', 'StatefulSet'], cluster: [] },
  batch: { namespaced: ['CronJob', 'Job'], cluster: [] },
  autoscaling: { namespaced: ['HorizontalPodAutoscaler'], cluster: [] },
  policy: { namespaced: ['PodDisruptionBudget'], cluster: [] },
  'networking.k8s.io': {
    namespaced: ['Ingress', 'NetworkPolicy'],
    cluster: ['IngressClass', 'IPAddress', 'ServiceCIDR'],
  },
  'rbac.authorization.k8s.io': { namespaced: ['Role', 'RoleBinding'], cluster: ['ClusterRole', 'ClusterRoleBinding'] },
  'storage.k8s.io': {
    namespaced: ['CSIStorageCapacity'],
    cluster: ['CSIDriver', 'CSINode', 'StorageClass', 'VolumeAttachment'],
  },
  'scheduling.k8s.io': { namespaced: [], cluster: ['PriorityClass'] },
  'node.k8s.io': { namespaced: [], cluster: ['RuntimeClass'] },
  'coordination.k8s.io': { namespaced: ['Lease'], cluster: [] },
  'discovery.k8s.io': { namespaced: ['EndpointSlice'], cluster: [] },
  'events.k8s.io': { namespaced: ['Event'], cluster: [] },
  'certificates.k8s.io': { namespaced: [], cluster: ['CertificateSigningRequest'] },
  'apiextensions.k8s.io': { namespaced: [], cluster: ['CustomResourceDefinition'] },
  'apiregistration.k8s.io': { namespaced: [], cluster: ['APIService'] },
  'admissionregistration.k8s.io': {
    namespaced: [],
    cluster: [
      ...['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'],
      ...['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'],
      ...['MutatingAdmissionPolicy', 'MutatingAdmissionPolicyBinding'],
    ],
  },
  'flowcontrol.apiserver.k8s.io': { namespaced: [], cluster: ['FlowSchema', 'PriorityLevelConfiguration'] },
}

const OTHERS: Readonly<Record<string, Group>> = {
  'security.istio.io': {
    namespaced: ['AuthorizationPolicy', 'PeerAuthentication', 'RequestAuthentication'],
    cluster: [],
  },
  'networking.istio.io': {
    namespaced: [
      'DestinationRule',
      'EnvoyFilter',
      'Gateway',
      'ProxyConfig',
      'ServiceEntry',
      'Sidecar',
      'VirtualService',
      'WorkloadEntry',
      'WorkloadGroup',
    ],
    cluster: [],
  },
  'telemetry.istio.io': { namespaced: ['Telemetry'], cluster: [] },
  'gateway.networking.k8s.io': {
    namespaced: [
      ...['Gateway', 'HTTPRoute', 'GRPCRoute', 'TCPRoute', 'TLSRoute', 'UDPRoute', 'ReferenceGrant'],
      ...['ListenerSet', 'BackendTLSPolicy'],
    ],
    cluster: ['GatewayClass'],
  },
  'cilium.io': {
    namespaced: ['CiliumNetworkPolicy'],
    cluster: ['CiliumClusterwideNetworkPolicy', 'CiliumCIDRGroup', 'CiliumNode'],
  },
  'kyverno.io': {
    namespaced: ['Policy', 'PolicyException', 'CleanupPolicy'],
    cluster: ['ClusterPolicy', 'ClusterCleanupPolicy', 'GlobalContextEntry'],
  },
  'policies.kyverno.io': {
    namespaced: [
      ...['PolicyException', 'NamespacedValidatingPolicy', 'NamespacedMutatingPolicy', 'NamespacedGeneratingPolicy'],
      ...['NamespacedImageValidatingPolicy', 'NamespacedDeletingPolicy'],
    ],
    cluster: ['ValidatingPolicy', 'MutatingPolicy', 'GeneratingPolicy', 'ImageValidatingPolicy', 'DeletingPolicy'],
  },
  'argoproj.io': { namespaced: ['Application', 'ApplicationSet', 'AppProject', 'Rollout'], cluster: [] },
  'policy.networking.k8s.io': {
    namespaced: [],
    cluster: ['AdminNetworkPolicy', 'BaselineAdminNetworkPolicy', 'ClusterNetworkPolicy'],
  },
}

/** `unknown`: a kind that Bulkhead has never heard of, which may be either. */
export type Scope = 'namespaced' | 'cluster' | 'unknown'

export function scopeOf(group: string, kind: string): Scope {
  const known = kindsOf(group)
  if (known?.cluster.includes(kind)) return 'cluster'
  return known?.namespaced.includes(kind) ? 'namespaced' : 'unknown'
}

const kindsOf = (group: string): Group | undefined =>
  Object.hasOwn(BUILT_IN, group) ? BUILT_IN[group] : Object.hasOwn(OTHERS, group) ? OTHERS[group] : undefined

/** The resource that a word in its place may mean: of `pod` or `Pod` it is `pods`. Undefined for what is no kind of the core group. */
export function resourceOfKind(word: string): string | undefined {
  const core = BUILT_IN['']
  const kinds = [...(core?.namespaced ?? []), ...(core?.cluster ?? [])].map((kind) => kind.toLowerCase())
  const lower = word.toLowerCase()
  // Endpoints is the one whose kind is a plural.
  if (kinds.includes(lower)) return lower === 'endpoints' ? undefined : pluralOf(lower)
  return undefined
}

/** Whether a group of Kubernetes' own has that resource; undefined of a group that is somebody else's. */
export function hasResource(group: string, plural: string): { is: boolean | undefined; names: readonly string[] } {
  const own = Object.hasOwn(BUILT_IN, group) ? BUILT_IN[group] : undefined
  if (own === undefined) return { is: undefined, names: [] }
  const names = [...own.namespaced, ...own.cluster].map(pluralOf)
  return { is: names.includes(plural), names }
}

/** Whether any group that is known here has the kind; and the kind that is nearly written so. */
export function hasKind(kind: string): { is: boolean; meant: string | undefined } {
  const all = [...Object.values(BUILT_IN), ...Object.values(OTHERS)].flatMap((one) => [
    ...one.namespaced,
    ...one.cluster,
  ])
  return { is: all.includes(kind), meant: nearest(kind, all) }
}

/** Kubernetes' own API groups: a kind that such a group does not have is a mistake, not a custom resource. */
export const isBuiltInGroup = (group: string): boolean => Object.hasOwn(BUILT_IN, group)

/**
 * A kind of another project that is nearly one that its group has, or a group that is nearly one that has the kind. A
 * policy with such a name is refused by a cluster; taken for somebody else's, it would guard nothing without a word.
 */
export function misspelt(group: string, kind: string): { field: 'kind' | 'apiVersion'; name: string } | undefined {
  if (scopeOf(group, kind) !== 'unknown') return undefined
  const own = kindsOf(group)
  const isHome = (one: Group) => one.namespaced.includes(kind) || one.cluster.includes(kind)
  const homes = Object.entries(OTHERS).flatMap(([name, one]) => (isHome(one) ? [name] : []))
  const name = own === undefined ? nearest(group, homes) : nearest(kind, [...own.namespaced, ...own.cluster])
  return name === undefined ? undefined : { field: own === undefined ? 'apiVersion' : 'kind', name }
}

/** What was probably meant by a kind that its group does not have: the kind in another group, or one spelt alike. */
export function kindHint(group: string, kind: string): string {
  const all = [...Object.entries(BUILT_IN), ...Object.entries(OTHERS)]
  const home = all.find(([, one]) => one.namespaced.includes(kind) || one.cluster.includes(kind))?.[0]
  if (home !== undefined && home !== group)
    return `; ${kind} belongs to ${home === '' ? 'apiVersion v1' : `the group ${home}`}`
  const own = kindsOf(group)
  const meant =
    nearest(kind, [...(own?.namespaced ?? []), ...(own?.cluster ?? [])]) ??
    nearest(
      kind,
      all.flatMap(([, one]) => [...one.namespaced, ...one.cluster]),
    )
  return meant === undefined ? '' : `; did you mean ${meant}?`
}
