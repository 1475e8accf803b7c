import { quote, type Report } from '../diagnostics.js'
import type { ClusterRole, PolicyRule, RbacSubject, Role, RoleBinding } from '../kinds-rbac.js'
import { resourceOfKind } from '../schema/kinds-known.js'
import { didYouMean, nearest } from '../suggest.js'
import type { FieldPath } from '../types.js'

const GROUP = 'rbac.authorization.k8s.io'

/** Verbs that somebody reads. Kubernetes takes any word, and then waits for ever for somebody to ask with it. */
const VERBS = [
  ...['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection', '*'],
  ...['impersonate', 'bind', 'escalate', 'approve', 'sign', 'attest', 'use', 'proxy', 'head', 'options', 'post', 'put'],
]

/** Role and ClusterRole. */
export function checkRole(role: Role | ClusterRole, report: Report): void {
  for (const [index, rule] of (role.rules ?? []).entries()) checkRule(rule, role.kind, ['rules', index], report)
  if (role.kind === 'ClusterRole' && role.aggregationRule !== undefined) {
    report(
      'warning',
      'rbac.aggregation',
      ['aggregationRule'],
      'the rules of an aggregated ClusterRole are gathered by a controller that is not modelled, so here it grants nothing',
    )
  }
}

function checkRule(rule: PolicyRule, kind: string, path: FieldPath, report: Report): void {
  const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } = rule
  const missing = (field: string, why: string) =>
    report('error', 'field.missing', [...path, field], `a rule ${why}; set ${field} to a list with at least one entry`)
  if (verbs.length === 0) missing('verbs', 'without verbs allows nothing')
  for (const [index, verb] of verbs.entries()) {
    const meant = VERBS.includes(verb) ? undefined : nearest(verb, VERBS)
    if (meant !== undefined)
      report(
        'warning',
        'rbac.verb',
        [...path, 'verbs', index],
        `nobody asks with the verb ${quote(verb)}; did you mean ${quote(meant)}?`,
      )
  }
  if (nonResourceURLs !== undefined && nonResourceURLs.length > 0) {
    const at = [...path, 'nonResourceURLs']
    if (kind === 'Role')
      report(
        'error',
        'rbac.non-resource',
        at,
        'a Role is of one namespace, and paths are of none; put nonResourceURLs into a ClusterRole',
      )
    if ([apiGroups, resources, resourceNames].some((list) => list !== undefined && list.length > 0))
      report(
        'error',
        'rbac.non-resource',
        at,
        'a rule is about resources or about nonResourceURLs, and not about both; write two rules',
      )
    return
  }
  if ((apiGroups ?? []).length === 0)
    missing('apiGroups', 'about resources says of which API groups ("" is the core group)')
  if ((resources ?? []).length === 0) missing('resources', 'says which resources')
  if (!(apiGroups ?? []).includes('')) return
  for (const [index, resource] of (resources ?? []).entries()) {
    const plural = resourceOfKind(resource)
    if (plural !== undefined)
      report(
        'warning',
        'rbac.resource',
        [...path, 'resources', index],
        `there is no resource ${quote(resource)}, so this allows nothing; did you mean ${quote(plural)}?`,
      )
  }
}

/** RoleBinding and ClusterRoleBinding. */
export function checkRoleBinding({ kind, roleRef, subjects = [] }: RoleBinding, report: Report): void {
  if (roleRef.apiGroup !== GROUP)
    report(
      'error',
      'field.value',
      ['roleRef', 'apiGroup'],
      `roleRef.apiGroup is ${quote(roleRef.apiGroup)}, and must be ${GROUP}`,
    )
  const kinds = kind === 'RoleBinding' ? ['Role', 'ClusterRole'] : ['ClusterRole']
  if (!kinds.includes(roleRef.kind))
    report(
      'error',
      'field.value',
      ['roleRef', 'kind'],
      `roleRef.kind is ${quote(roleRef.kind)}, and of a ${kind} it must be ${kinds.join(' or ')}${didYouMean(roleRef.kind, kinds)}`,
    )
  if (roleRef.name === '')
    report('error', 'field.missing', ['roleRef', 'name'], 'roleRef.name is empty, and must be set')
  for (const [index, subject] of subjects.entries()) checkSubject(subject, kind, ['subjects', index], report)
}

const SUBJECTS = ['ServiceAccount', 'User', 'Group']

function checkSubject(
  { kind, name, namespace, apiGroup }: RbacSubject,
  binding: string,
  path: FieldPath,
  report: Report,
): void {
  if (!SUBJECTS.includes(kind)) {
    report(
      'error',
      'field.value',
      [...path, 'kind'],
      `a subject is a ${SUBJECTS.join(', a ')}, and not a ${quote(kind)}${didYouMean(kind, SUBJECTS)}`,
    )
    return
  }
  if (name === '')
    report('error', 'field.missing', [...path, 'name'], 'the name of a subject is empty, and must be set')
  const group = kind === 'ServiceAccount' ? '' : GROUP
  if (apiGroup !== undefined && apiGroup !== '' && apiGroup !== group)
    report(
      'error',
      'field.value',
      [...path, 'apiGroup'],
      `the apiGroup of a ${kind} is ${quote(group)}, and not ${quote(apiGroup)}`,
    )
  if (kind === 'ServiceAccount' && binding === 'ClusterRoleBinding' && (namespace ?? '') === '')
    report(
      'error',
      'field.missing',
      path,
      `the ServiceAccount ${quote(name)} is of a namespace, and a ClusterRoleBinding is of none; set namespace beside its name`,
    )
}
