import type { Requester, Review } from '../../../types.js'
import { type Dict, field, isDict, isList, pairsOf, textOf, textsOf } from '../data.js'
import type { Roles } from '../types.js'
import { wildcardMatches } from '../values/wildcard.js'
import { kindMatches, type ObjectKind } from './kinds.js'
import { annotationsFit, selectorFits } from './selector.js'

/*
 * match and exclude: `any` is one of its filters, `all` is each of them; inside of one filter everything that is said has to
 * fit, of each list one value.
 */

/** What a filter looks at. */
export interface Subject {
  readonly kind: ObjectKind
  readonly object: Dict
  readonly namespaceLabels: Readonly<Record<string, string>>
  readonly operation: string
  readonly user: Requester
  readonly roles: Roles
}

export function subjectOf(
  { request, namespaceLabels }: Review,
  object: Dict,
  operation: string,
  roles: Roles,
): Subject {
  const apiVersion = textOf(object.apiVersion) ?? request.object.object.apiVersion
  const slash = apiVersion.indexOf('/')
  return {
    kind: {
      group: apiVersion.slice(0, Math.max(0, slash)),
      version: apiVersion.slice(slash + 1),
      kind: textOf(object.kind) ?? request.object.kind,
      subResource: request.subResource ?? '',
    },
    object,
    namespaceLabels,
    operation,
    user: request.user,
    roles,
  }
}

export function ruleMatches(rule: Dict, subject: Subject): boolean {
  return blockMatches(rule.match, subject) && !blockExcludes(rule.exclude, subject)
}

function filtersOf(block: Dict, name: 'any' | 'all'): readonly unknown[] {
  const filters = block[name]
  return isList(filters) ? filters : []
}

/** match, also of a PolicyException. */
export function blockMatches(block: unknown, subject: Subject): boolean {
  if (!isDict(block)) return false
  const [any, all] = [filtersOf(block, 'any'), filtersOf(block, 'all')]
  if (any.length > 0) return any.some((filter) => filterMatches(filter, subject))
  if (all.length > 0) return all.every((filter) => filterMatches(filter, subject))
  return filterMatches(block, subject)
}

function blockExcludes(block: unknown, subject: Subject): boolean {
  return isDict(block) && blockMatches(block, subject)
}

/** A filter that says nothing matches nothing. */
function filterMatches(filter: unknown, subject: Subject): boolean {
  if (!isDict(filter)) return false
  const resources = isDict(filter.resources) ? filter.resources : {}
  if (Object.keys(resources).length === 0 && !asksForUser(filter)) return false
  return resourcesFit(resources, subject) && userFits(filter, subject)
}

function asksForUser(filter: Dict): boolean {
  return ['subjects', 'roles', 'clusterRoles'].some((name) => isList(filter[name]) && filter[name].length > 0)
}

function resourcesFit(resources: Dict, subject: Subject): boolean {
  const { kind, object, namespaceLabels, operation } = subject
  const metadata = field(object, 'metadata')
  const name = textOf(field(metadata, 'name')) ?? textOf(field(metadata, 'generateName')) ?? ''
  const isNamespace = kind.kind === 'Namespace'
  const namespace = isNamespace ? name : (textOf(field(metadata, 'namespace')) ?? '')
  const someFits = (list: unknown, fits: (one: string) => boolean) => {
    const values = textsOf(list)
    return values.length === 0 || values.some(fits)
  }
  return (
    someFits(resources.operations, (one) => one === operation) &&
    someFits(resources.kinds, (one) => kindMatches([one], kind)) &&
    someFits(textOf(resources.name) === undefined ? [] : [resources.name], (one) => wildcardMatches(one, name)) &&
    someFits(resources.names, (one) => wildcardMatches(one, name)) &&
    someFits(resources.namespaces, (one) => wildcardMatches(one, namespace)) &&
    annotationsFit(resources.annotations, pairsOf(field(metadata, 'annotations'))) &&
    (resources.selector === undefined || selectorFits(resources.selector, pairsOf(field(metadata, 'labels')))) &&
    (resources.namespaceSelector === undefined ||
      (!isNamespace && selectorFits(resources.namespaceSelector, namespaceLabels)))
  )
}

function userFits(filter: Dict, { user, roles }: Subject): boolean {
  const some = (wanted: unknown, given: readonly string[]) => {
    const values = textsOf(wanted)
    return values.length === 0 || values.some((one) => given.some((other) => wildcardMatches(one, other)))
  }
  return (
    some(filter.roles, roles.roles) &&
    some(filter.clusterRoles, roles.clusterRoles) &&
    subjectsFit(filter.subjects, user)
  )
}

function subjectsFit(subjects: unknown, { username, groups }: Requester): boolean {
  if (!isList(subjects) || subjects.length === 0) return true
  return subjects.some((subject) => {
    const name = textOf(field(subject, 'name')) ?? ''
    switch (field(subject, 'kind')) {
      case 'ServiceAccount': {
        const namespace = textOf(field(subject, 'namespace')) ?? ''
        return wildcardMatches(`system:serviceaccount:${namespace}:${name}`, username)
      }
      case 'Group':
        return groups.some((group) => wildcardMatches(name, group))
      case 'User':
        return wildcardMatches(name, username)
      default:
        return false
    }
  })
}
