import type { ClusterRole, PolicyRule, RbacSubject, Resource, RoleBinding } from '@bulkhead/resources'
import { defaultBindings, defaultRoles } from './default-roles.js'
import type { RequestAttributes, User } from './types.js'

/*
 * Kubernetes' RBAC, of what is in force. Pure: permissions only ever add up, and what no rule lists is not allowed.
 */

export interface Role {
  /** Absent: a ClusterRole. */
  readonly namespace?: string
  readonly name: string
  readonly rules: readonly PolicyRule[]
}

export interface Binding {
  /** Absent: a ClusterRoleBinding. */
  readonly namespace?: string
  readonly subjects: readonly RbacSubject[]
  readonly role: { readonly kind: string; readonly name: string }
}

export interface Rbac {
  readonly roles: readonly Role[]
  readonly bindings: readonly Binding[]
}

const GROUP = 'rbac.authorization.k8s.io/'

/** The roles and bindings of a set of objects, with those that every cluster has. A role of the same name counts for more. */
export function readRbac(resources: readonly Resource[]): Rbac {
  const roles: Role[] = []
  const bindings: Binding[] = []
  for (const { kind, name, namespace, object } of resources) {
    if (!object.apiVersion.startsWith(GROUP)) continue
    const where = namespace === undefined ? {} : { namespace }
    if (kind === 'Role' || kind === 'ClusterRole') {
      const { rules = [], aggregationRule } = object as ClusterRole
      // Its rules are written by a controller that is not here.
      roles.push({ ...where, name, rules: aggregationRule === undefined ? rules : [] })
    }
    if (kind === 'RoleBinding' || kind === 'ClusterRoleBinding') {
      const { subjects = [], roleRef } = object as RoleBinding
      bindings.push({ ...where, subjects, role: roleRef })
    }
  }
  const own = new Set(roles.flatMap(({ namespace, name }) => (namespace === undefined ? [name] : [])))
  return {
    roles: [...roles, ...defaultRoles.filter(({ name }) => !own.has(name))],
    bindings: [...bindings, ...defaultBindings],
  }
}

/** Whether a rule lets this user do this. */
export function allows(rbac: Rbac, user: User, request: RequestAttributes): boolean {
  return rbac.bindings.some((binding) => {
    if (!isIn(binding, request)) return false
    if (!binding.subjects.some((subject) => isSubject(subject, binding, user))) return false
    const role = roleOf(rbac, binding)
    return role?.rules.some((rule) => ruleAllows(rule, request)) ?? false
  })
}

/** A RoleBinding grants what is in its namespace: nothing of the cluster's, and no path. */
function isIn({ namespace }: Binding, request: RequestAttributes): boolean {
  return namespace === undefined || (request.kind === 'resource' && request.namespace === namespace)
}

function isSubject({ kind, name, namespace }: RbacSubject, binding: Binding, user: User): boolean {
  switch (kind) {
    case 'User':
      return user.name === name
    case 'Group':
      return user.groups.includes(name)
    case 'ServiceAccount': {
      const home = namespace ?? binding.namespace
      return home !== undefined && user.name === `system:serviceaccount:${home}:${name}`
    }
  }
}

/** A binding in a namespace may name a Role of that namespace or a ClusterRole, another one a ClusterRole only. */
function roleOf({ roles }: Rbac, { namespace, role }: Binding): Role | undefined {
  if (role.kind === 'ClusterRole') return roles.find((one) => one.namespace === undefined && one.name === role.name)
  if (role.kind !== 'Role' || namespace === undefined) return undefined
  return roles.find((one) => one.namespace === namespace && one.name === role.name)
}

export function ruleAllows(rule: PolicyRule, request: RequestAttributes): boolean {
  if (!hasOrAll(rule.verbs, request.verb)) return false
  if (request.kind === 'path') return (rule.nonResourceURLs ?? []).some((pattern) => pathMatches(pattern, request.path))
  const { group, resource, subresource, name } = request
  return (
    hasOrAll(rule.apiGroups ?? [], group) &&
    (rule.resources ?? []).some((pattern) => resourceMatches(pattern, resource, subresource)) &&
    // A list of names allows nothing that has no name: not a list of all, nor a create.
    (rule.resourceNames === undefined ||
      rule.resourceNames.length === 0 ||
      (name !== undefined && rule.resourceNames.includes(name)))
  )
}

const hasOrAll = (list: readonly string[], one: string): boolean => list.includes('*') || list.includes(one)

/** `pods` is no `pods/log`; the whole of a pattern before the slash may be `*`. */
function resourceMatches(pattern: string, resource: string, subresource: string | undefined): boolean {
  if (pattern === '*') return true
  if (subresource === undefined) return pattern === resource
  return pattern === `${resource}/${subresource}` || pattern === `*/${subresource}`
}

/** `*` stands at the end only. */
function pathMatches(pattern: string, path: string): boolean {
  return pattern === '*' || pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1)))
}
