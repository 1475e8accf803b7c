import type { LabelSelector } from './kinds.js'
import type { KubernetesObject } from './types.js'

/*
 * rbac.authorization.k8s.io/v1: who may ask the API server for what.
 */

export interface PolicyRule {
  readonly verbs: readonly string[]
  /** `""` is the core group, `*` all of them. */
  readonly apiGroups?: readonly string[]
  /** `pods`, `pods/log`, `*` */
  readonly resources?: readonly string[]
  readonly resourceNames?: readonly string[]
  /** Paths that are no resources, `*` at the end. Of a ClusterRole only. */
  readonly nonResourceURLs?: readonly string[]
}

export interface Role extends KubernetesObject {
  readonly kind: 'Role'
  readonly rules?: readonly PolicyRule[]
}

export interface ClusterRole extends KubernetesObject {
  readonly kind: 'ClusterRole'
  readonly rules?: readonly PolicyRule[]
  /** Its rules are then a controller's, which gathers those of other roles. */
  readonly aggregationRule?: { readonly clusterRoleSelectors?: readonly LabelSelector[] }
}

export interface RbacSubject {
  readonly kind: 'ServiceAccount' | 'User' | 'Group'
  readonly name: string
  readonly namespace?: string
  readonly apiGroup?: string
}

export interface RoleBinding extends KubernetesObject {
  readonly kind: 'RoleBinding' | 'ClusterRoleBinding'
  readonly roleRef: { readonly apiGroup: string; readonly kind: 'Role' | 'ClusterRole'; readonly name: string }
  readonly subjects?: readonly RbacSubject[]
}
