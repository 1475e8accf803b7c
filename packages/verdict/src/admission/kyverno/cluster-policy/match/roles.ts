import type { Resource } from '@bulkhead/resources'
import { rawField } from '../../../../model/kinds.js'
import type { Requester } from '../../../types.js'
import { field, isList, textOf } from '../data.js'
import type { Roles } from '../types.js'

/*
 * The roles of whoever asks, as bindings among the objects give them; a Role by `<namespace>:<name>`.
 */

interface Binding {
  readonly namespace: string
  readonly role: string
  readonly cluster: boolean
  readonly subjects: readonly unknown[]
}

/** What every cluster binds by itself. */
const bootstrap: readonly Binding[] = [
  group('system:masters', 'cluster-admin'),
  group('system:authenticated', 'system:basic-user'),
  group('system:authenticated', 'system:discovery'),
  group('system:authenticated', 'system:public-info-viewer'),
  group('system:serviceaccounts', 'system:service-account-issuer-discovery'),
]

function group(name: string, role: string): Binding {
  return { namespace: '', role, cluster: true, subjects: [{ kind: 'Group', name }] }
}

export function rolesFrom(resources: readonly Resource[]): (user: Requester) => Roles {
  const bindings = [...bootstrap, ...resources.flatMap(bindingOf)]
  return (user) => {
    const [roles, clusterRoles] = [new Set<string>(), new Set<string>()]
    for (const { namespace, role, cluster, subjects } of bindings) {
      if (!subjects.some((subject) => isAbout(subject, namespace, user))) continue
      if (cluster) clusterRoles.add(role)
      else roles.add(`${namespace}:${role}`)
    }
    return { roles: [...roles], clusterRoles: [...clusterRoles] }
  }
}

function bindingOf({ kind, namespace = '', object }: Resource): Binding[] {
  if (!object.apiVersion.startsWith('rbac.authorization.k8s.io/')) return []
  if (kind !== 'RoleBinding' && kind !== 'ClusterRoleBinding') return []
  const [role, subjects] = [textOf(rawField(object, 'roleRef', 'name')), rawField(object, 'subjects')]
  if (role === undefined || !isList(subjects)) return []
  const cluster = kind === 'ClusterRoleBinding' || rawField(object, 'roleRef', 'kind') === 'ClusterRole'
  return [{ namespace, role, cluster, subjects }]
}

function isAbout(subject: unknown, namespace: string, { username, groups }: Requester): boolean {
  const name = textOf(field(subject, 'name')) ?? ''
  switch (field(subject, 'kind')) {
    case 'ServiceAccount':
      return username === `system:serviceaccount:${textOf(field(subject, 'namespace')) ?? namespace}:${name}`
    case 'Group':
      return groups.includes(name)
    case 'User':
      return username === name
    default:
      return false
  }
}
