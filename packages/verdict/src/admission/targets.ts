import type { FieldPath, KubernetesObject, Resource } from '@bulkhead/resources'
import { pluralOf } from '@bulkhead/resources/plural'
import { groupOf, rawField } from '../model/kinds.js'
import type { Requester } from './types.js'

/** `pods`, `networkpolicies`: the plural that a request, a rule or a role names the kind by. */
export { pluralOf as resourceOf } from '@bulkhead/resources/plural'

/*
 * What kinds are called in requests, where the pod template of each is, and who makes its pods.
 */

/** `pods`, `deployments.apps`: how the API server's messages name the resource. */
export function groupResourceOf(object: KubernetesObject): string {
  const group = groupOf(object)
  return group === '' ? pluralOf(object.kind) : `${pluralOf(object.kind)}.${group}`
}

/** Kinds that belong to no namespace, of the groups that policies make objects of. */
const clusterKinds = new Set([
  ...['Namespace', 'Node', 'PersistentVolume', 'ClusterRole', 'ClusterRoleBinding', 'StorageClass', 'PriorityClass'],
  ...['CustomResourceDefinition', 'APIService', 'IngressClass', 'RuntimeClass', 'CSIDriver', 'GatewayClass'],
  ...['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding', 'MutatingAdmissionPolicy'],
  ...['MutatingAdmissionPolicyBinding', 'ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'],
  ...['ClusterPolicy', 'ValidatingPolicy', 'MutatingPolicy', 'GeneratingPolicy', 'ImageValidatingPolicy'],
  ...['DeletingPolicy', 'CiliumClusterwideNetworkPolicy', 'CiliumCIDRGroup', 'CertificateSigningRequest'],
])

/** Whether an object of the kind has no namespace; a kind that nobody here has heard of has one. */
export const isClusterScoped = (kind: string): boolean => clusterKinds.has(kind)

interface Controller {
  readonly template: FieldPath
  /** The ServiceAccount in kube-system whose token makes the pods. */
  readonly account: string
}

const template = ['spec', 'template']

const controllers: Readonly<Record<string, Controller>> = {
  'apps/Deployment': { template, account: 'replicaset-controller' },
  'apps/ReplicaSet': { template, account: 'replicaset-controller' },
  'apps/StatefulSet': { template, account: 'statefulset-controller' },
  'apps/DaemonSet': { template, account: 'daemon-set-controller' },
  'batch/Job': { template, account: 'job-controller' },
  'batch/CronJob': { template: ['spec', 'jobTemplate', 'spec', 'template'], account: 'job-controller' },
  '/ReplicationController': { template, account: 'replication-controller' },
  // Nobody makes pods of it; Pod Security reads it all the same.
  '/PodTemplate': { template: ['template'], account: '' },
}

/** Of a kind that makes pods: where its template is, and as whom its pods are made. */
export function controllerOf(object: KubernetesObject): Controller | undefined {
  const key = `${groupOf(object)}/${object.kind}`
  return Object.hasOwn(controllers, key) ? controllers[key] : undefined
}

/** The template's pod, as it is written; undefined where there is none. */
export function templateOf(
  object: KubernetesObject,
): { readonly path: FieldPath; readonly template: unknown } | undefined {
  const path = controllerOf(object)?.template
  if (path === undefined) return undefined
  const found = rawField(object, ...path)
  return typeof found === 'object' && found !== null ? { path, template: found } : undefined
}

export const isPod = (object: KubernetesObject): boolean => object.kind === 'Pod' && groupOf(object) === ''
export const isNamespace = (object: KubernetesObject): boolean => object.kind === 'Namespace' && groupOf(object) === ''

/** The administrator that kubectl is, as kind's and kubeadm's kubeconfig has him. */
export const administrator: Requester = {
  username: 'kubernetes-admin',
  groups: ['kubeadm:cluster-admins', 'system:authenticated'],
}

const accountPrefix = 'system:serviceaccount:'

/** Who a name of a user is, with the groups that the API server adds. A ServiceAccount's: `system:serviceaccount:<namespace>:<name>`. */
export function requesterOf(username: string): Requester {
  if (username === administrator.username) return administrator
  if (!username.startsWith(accountPrefix)) return { username, groups: ['system:authenticated'] }
  const namespace = username.slice(accountPrefix.length).split(':')[0] ?? ''
  return {
    username,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
  }
}

/** A controller of Kubernetes' own. */
export const controllerAccount = (name: string): Requester => requesterOf(`${accountPrefix}kube-system:${name}`)

/** Kyverno's policies of kyverno.io, which it has deprecated: they have webhooks of their own. */
export const isOldForm = (policy = ''): boolean => /^(Cluster)?Policy\//.test(policy)

/** Such a policy itself, of whichever version: they read alike. */
export const isOldFormObject = ({ kind, object }: Pick<Resource, 'kind' | 'object'>): boolean =>
  object.apiVersion.startsWith('kyverno.io/') && (kind === 'ClusterPolicy' || kind === 'Policy')
