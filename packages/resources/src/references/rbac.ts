import { quote } from '../diagnostics.js'
import type { RoleBinding } from '../kinds-rbac.js'
import type { Diagnostic, Resource } from '../types.js'
import { type Cluster, warning } from './cluster.js'

const GROUP = 'rbac.authorization.k8s.io'
/** Made by every cluster, like those that begin with `system:`. */
const ALWAYS_THERE = ['cluster-admin', 'admin', 'edit', 'view']

/** What bindings name: a role, and accounts. A binding to nothing grants nothing, without a word. */
export function checkBindings(cluster: Cluster): Diagnostic[] {
  return cluster.resources.flatMap((resource) => {
    const { kind, object } = resource
    if (!object.apiVersion.startsWith(`${GROUP}/`) || (kind !== 'RoleBinding' && kind !== 'ClusterRoleBinding'))
      return []
    return [...checkRole(cluster, resource), ...checkAccounts(cluster, resource)]
  })
}

function checkRole(cluster: Cluster, resource: Resource): Diagnostic[] {
  const { kind, name } = (resource.object as RoleBinding).roleRef
  const namespace = kind === 'Role' ? resource.namespace : undefined
  if (cluster.get(GROUP, kind, namespace, name) !== undefined) return []
  if (kind === 'ClusterRole' && (ALWAYS_THERE.includes(name) || name.startsWith('system:'))) return []
  const other = kind === 'Role' ? 'ClusterRole' : 'Role'
  const isOther = cluster.get(GROUP, other, other === 'Role' ? resource.namespace : undefined, name) !== undefined
  const where = namespace === undefined ? '' : ` in ${namespace}`
  return [
    warning(
      resource,
      'reference.role',
      ['roleRef', isOther ? 'kind' : 'name'],
      `there is no ${kind} ${quote(name)}${where}, so the binding grants nothing${isOther ? `; there is a ${other} of that name` : ''}`,
    ),
  ]
}

function checkAccounts(cluster: Cluster, resource: Resource): Diagnostic[] {
  return [...((resource.object as RoleBinding).subjects ?? []).entries()].flatMap(([index, subject]) => {
    const namespace = subject.namespace ?? resource.namespace
    if (subject.kind !== 'ServiceAccount' || namespace === undefined) return []
    if (cluster.hasServiceAccount(namespace, subject.name)) return []
    return [
      warning(
        resource,
        'reference.service-account',
        ['subjects', index, 'name'],
        `it binds nobody here: there is no ServiceAccount ${quote(subject.name)} in ${namespace}`,
      ),
    ]
  })
}
