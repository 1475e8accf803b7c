import { selectorMatches } from '@bulkhead/resources/selectors'
import type { Review } from '../types.js'
import { field, labelsOf, list, selector, text, texts } from './fields.js'

/*
 * `matchConstraints` and `matchResources`: which requests a policy is about. ValidatingAdmissionPolicy and Kyverno's
 * policies of policies.kyverno.io share the form (API reference, admissionregistration.k8s.io/v1 MatchResources).
 */

export type Matches = (review: Review) => boolean

interface Rule {
  readonly operations: readonly string[]
  readonly groups: readonly string[]
  readonly versions: readonly string[]
  readonly resources: readonly (readonly [resource: string, sub: string])[]
  readonly scope: string
  readonly names: readonly string[]
}

/** A policy without rules is about nothing for Kyverno; with an empty list for Kubernetes it is about everything. */
export function compileMatch(constraints: unknown): Matches {
  const rules = list(field(constraints, 'resourceRules')).map(readRule)
  const excluded = list(field(constraints, 'excludeResourceRules')).map(readRule)
  const namespaces = selector(field(constraints, 'namespaceSelector'))
  const objects = selector(field(constraints, 'objectSelector'))
  // Equivalent, the default, takes every version of what a rule names.
  const exact = field(constraints, 'matchPolicy') === 'Exact'
  return (review) => {
    if (excluded.some((rule) => ruleMatches(rule, review, exact))) return false
    if (rules.length > 0 && !rules.some((rule) => ruleMatches(rule, review, exact))) return false
    // Who is in no namespace, and is none, is left out by no namespaceSelector.
    if (namespaces !== undefined && (review.namespace !== undefined || review.resource === 'namespaces')) {
      if (!selectorMatches(namespaces, review.namespaceLabels)) return false
    }
    if (objects === undefined) return true
    return [review.object, review.oldObject].some(
      (object) => object !== null && selectorMatches(objects, labelsOf(field(object, 'metadata', 'labels'))),
    )
  }
}

function readRule(rule: unknown): Rule {
  return {
    operations: texts(field(rule, 'operations')),
    groups: texts(field(rule, 'apiGroups')),
    versions: texts(field(rule, 'apiVersions')),
    resources: texts(field(rule, 'resources')).map((name) => {
      const slash = name.indexOf('/')
      return slash === -1 ? [name, ''] : [name.slice(0, slash), name.slice(slash + 1)]
    }),
    scope: text(field(rule, 'scope')) ?? '*',
    names: texts(field(rule, 'resourceNames')),
  }
}

function ruleMatches(rule: Rule, review: Review, exact: boolean): boolean {
  const { request, resource } = review
  const [group, version] = groupVersionOf(text(review.object.apiVersion) ?? '')
  const sub = request.subResource ?? ''
  return (
    has(rule.operations, request.operation) &&
    has(rule.groups, group) &&
    (has(rule.versions, version) || (!exact && rule.versions.length > 0)) &&
    rule.resources.some(
      ([wanted, wantedSub]) => (wanted === '*' || wanted === resource) && (wantedSub === '*' || wantedSub === sub),
    ) &&
    inScope(rule.scope, review) &&
    (rule.names.length === 0 || rule.names.includes(request.object.name))
  )
}

const has = (wanted: readonly string[], value: string): boolean => wanted.includes('*') || wanted.includes(value)

/** A Namespace is the cluster's own. */
function inScope(scope: string, { namespace, resource }: Review): boolean {
  const namespaced = namespace !== undefined && resource !== 'namespaces'
  return scope === '*' || (scope === 'Namespaced') === namespaced
}

/** `['', 'v1']`, `['apps', 'v1']`. */
export function groupVersionOf(apiVersion: string): readonly [group: string, version: string] {
  const slash = apiVersion.indexOf('/')
  return slash === -1 ? ['', apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)]
}
