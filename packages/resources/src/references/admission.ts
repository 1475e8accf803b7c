import { quote } from '../diagnostics.js'
import { apiGroup } from '../group.js'
import { isObject, itemsOf, textsOf } from '../plain.js'
import { hasKind, hasResource } from '../schema/kinds-known.js'
import { filtersOf } from '../schema/kyverno/cluster-policy/filters.js'
import { didYouMean } from '../suggest.js'
import type { Diagnostic, FieldPath, Resource } from '../types.js'
import { type Cluster, warning } from './cluster.js'

/*
 * What policies of admission name: kinds, policies, and the namespace where exceptions count. A name that nothing has
 * makes a policy that is never asked, or an exception that excepts nothing.
 */

const CURRENT = 'policies.kyverno.io'
const OLDER = 'kyverno.io'
const NATIVE = 'admissionregistration.k8s.io'

/** Kyverno reads exceptions of this namespace alone, as k8s/platform's values set it. */
export const EXCEPTION_NAMESPACE = 'kyverno'

export function checkAdmission(cluster: Cluster): Diagnostic[] {
  return cluster.resources.flatMap((resource) => {
    const group = apiGroup(resource.object.apiVersion)
    switch (`${group}/${resource.kind}`) {
      case `${NATIVE}/ValidatingAdmissionPolicy`:
        return [...checkRules(resource), ...checkBound(cluster, resource)]
      case `${NATIVE}/ValidatingAdmissionPolicyBinding`:
        return checkBinding(cluster, resource)
      case `${CURRENT}/PolicyException`:
        return [...checkHome(resource), ...checkRefs(cluster, resource)]
      case `${OLDER}/PolicyException`:
        return [...checkHome(resource), ...checkRuleNames(cluster, resource)]
      case `${OLDER}/ClusterPolicy`:
      case `${OLDER}/Policy`:
        return checkKinds(resource)
      default:
        return group === CURRENT ? checkRules(resource) : []
    }
  })
}

const specOf = ({ object }: Resource): Readonly<Record<string, unknown>> => {
  const { spec } = object as { spec?: unknown }
  return isObject(spec) ? spec : {}
}

/** Resources of Kubernetes' own groups that there are not: of other groups nothing is known. */
function checkRules(resource: Resource): Diagnostic[] {
  const { matchConstraints } = specOf(resource)
  if (!isObject(matchConstraints)) return []
  return ['resourceRules', 'excludeResourceRules'].flatMap((name) =>
    itemsOf(matchConstraints[name]).flatMap((rule, index) => {
      if (!isObject(rule)) return []
      const groups = textsOf(rule.apiGroups)
      const path = ['spec', 'matchConstraints', name, index, 'resources']
      return textsOf(rule.resources).flatMap((plural, at) => checkResource(resource, groups, plural, [...path, at]))
    }),
  )
}

function checkResource(resource: Resource, groups: readonly string[], text: string, path: FieldPath): Diagnostic[] {
  const [plural = ''] = text.split('/')
  if (plural === '*' || groups.length === 0) return []
  const found = groups.map((group) => hasResource(group, plural))
  if (found.some((one) => one.is !== false)) return []
  const where = groups.map((group) => quote(group)).join(' and ')
  const known = found.flatMap((one) => one.names)
  return [
    warning(
      resource,
      'match.nothing',
      path,
      `it matches nothing: there is no resource ${quote(plural)} in ${groups.length > 1 ? 'the groups' : 'the group'} ${where}${didYouMean(plural, known)}`,
    ),
  ]
}

function checkKinds(resource: Resource): Diagnostic[] {
  return itemsOf(specOf(resource).rules).flatMap((rule, index) => {
    if (!isObject(rule) || !isObject(rule.match)) return []
    return filtersOf(rule.match).flatMap(({ filter, path }) => {
      const kinds = isObject(filter.resources) ? textsOf(filter.resources.kinds) : []
      return kinds.flatMap((text, at) => {
        const kind = text.split('/').findLast((part) => /^[A-Z]/.test(part) && !part.includes('*'))
        const { is, meant } = kind === undefined ? { is: true, meant: undefined } : hasKind(kind)
        // Somebody else's kind has a name of its own; one that is nearly a known one is mistyped.
        if (is || meant === undefined) return []
        const place = ['spec', 'rules', index, 'match', ...path, 'resources', 'kinds', at]
        return [
          warning(resource, 'match.nothing', place, `no kind ${quote(kind)} is known; did you mean ${quote(meant)}?`),
        ]
      })
    })
  })
}

function checkBinding(cluster: Cluster, resource: Resource): Diagnostic[] {
  const { policyName } = specOf(resource)
  if (
    typeof policyName !== 'string' ||
    cluster.get(NATIVE, 'ValidatingAdmissionPolicy', undefined, policyName) !== undefined
  )
    return []
  const hint = didYouMean(policyName, cluster.namesOf(NATIVE, 'ValidatingAdmissionPolicy'))
  return [
    warning(
      resource,
      'reference.policy',
      ['spec', 'policyName'],
      `there is no ValidatingAdmissionPolicy ${quote(policyName)}, so the binding puts nothing in force${hint}`,
    ),
  ]
}

function checkBound(cluster: Cluster, resource: Resource): Diagnostic[] {
  const isBound = cluster.resources.some(
    (one) =>
      one.kind === 'ValidatingAdmissionPolicyBinding' &&
      apiGroup(one.object.apiVersion) === NATIVE &&
      specOf(one).policyName === resource.name,
  )
  return isBound
    ? []
    : [
        warning(
          resource,
          'policy.unbound',
          ['metadata', 'name'],
          'no ValidatingAdmissionPolicyBinding names it, so it is in force nowhere',
        ),
      ]
}

function checkHome(resource: Resource): Diagnostic[] {
  if (resource.namespace === EXCEPTION_NAMESPACE) return []
  return [
    warning(
      resource,
      'exception.namespace',
      ['metadata', 'namespace'],
      `an exception counts in the namespace ${quote(EXCEPTION_NAMESPACE)} alone, so one in ${quote(resource.namespace)} excepts nothing; put it there`,
    ),
  ]
}

function checkRefs(cluster: Cluster, resource: Resource): Diagnostic[] {
  return itemsOf(specOf(resource).policyRefs).flatMap((ref, index) => {
    if (!isObject(ref) || typeof ref.kind !== 'string' || typeof ref.name !== 'string') return []
    const { kind, name } = ref
    const isThere = cluster.resources.some(
      (one) => one.kind === kind && one.name === name && apiGroup(one.object.apiVersion) === CURRENT,
    )
    const path = ['spec', 'policyRefs', index, 'name']
    return isThere
      ? []
      : [
          warning(
            resource,
            'reference.policy',
            path,
            `there is no ${kind} ${quote(name)}, so nothing is excepted from it${didYouMean(name, cluster.namesOf(CURRENT, kind))}`,
          ),
        ]
  })
}

/** `name` of a ClusterPolicy, `namespace/name` of a Policy; rules by name, those that autogen makes included. */
function checkRuleNames(cluster: Cluster, resource: Resource): Diagnostic[] {
  return itemsOf(specOf(resource).exceptions).flatMap((exception, index) => {
    if (!isObject(exception) || typeof exception.policyName !== 'string') return []
    const { policyName } = exception
    const [first = '', second] = policyName.split('/')
    const policy =
      second === undefined
        ? cluster.get(OLDER, 'ClusterPolicy', undefined, first)
        : cluster.get(OLDER, 'Policy', first, second)
    const path = ['spec', 'exceptions', index]
    if (policy === undefined) {
      const kind = second === undefined ? 'ClusterPolicy' : 'Policy'
      return [
        warning(
          resource,
          'reference.policy',
          [...path, 'policyName'],
          `there is no ${kind} ${quote(policyName)}, so nothing is excepted from it`,
        ),
      ]
    }
    const rules = itemsOf(specOf(policy).rules).flatMap((rule) =>
      isObject(rule) && typeof rule.name === 'string' ? [rule.name] : [],
    )
    return textsOf(exception.ruleNames).flatMap((name, at) => {
      const bare = name.replace(/^autogen-(cronjob-)?/, '')
      return /[*?]/.test(name) || rules.includes(name) || rules.includes(bare)
        ? []
        : [
            warning(
              resource,
              'reference.rule',
              [...path, 'ruleNames', at],
              `${policy.id} has no rule ${quote(name)}${didYouMean(bare, rules)}`,
            ),
          ]
    })
  })
}
