import type { Resource } from '@bulkhead/resources'
import { labelsMatch } from '@bulkhead/resources/selectors'
import { namespaceOf } from '../../model/kinds.js'
import {
  arrange,
  authorizationPolicies,
  type IgnoredPolicy,
  isDryRun,
  type PodAuthorization,
  type PolicyModel,
  policyModel,
  targetsOf,
} from '../policy/policies.js'
import { compileRule } from './rules.js'

interface Selecting {
  readonly selector: Readonly<Record<string, string>> | undefined
}

/** By namespace; each list sorted by id. */
export interface Authorizations {
  readonly enforced: ReadonlyMap<string, readonly (PolicyModel & Selecting)[]>
  readonly ignored: ReadonlyMap<string, readonly (IgnoredPolicy & Selecting)[]>
}

/** The policies as ztunnel receives them. */
export function readAuthorizations(resources: readonly Resource[]): Authorizations {
  const enforced = new Map<string, (PolicyModel & Selecting)[]>()
  const ignored = new Map<string, (IgnoredPolicy & Selecting)[]>()
  for (const resource of authorizationPolicies(resources)) {
    // Attached to a waypoint or gateway: none of ztunnel's business (C.4).
    if (targetsOf(resource).length > 0) continue
    const { spec } = resource.object
    const namespace = namespaceOf(resource)
    const selector = spec?.selector?.matchLabels
    const action = spec?.action ?? 'ALLOW'
    const ignore = (says: string): void => add(ignored, namespace, { says, selector })
    if (isDryRun(resource)) ignore(`${resource.id} (dry run)`)
    else if (action === 'AUDIT' || action === 'CUSTOM') ignore(`${resource.id} (action ${action})`)
    else {
      const rules = (spec?.rules ?? []).map((rule, index) => compileRule(resource, rule, index))
      for (const { by, emptiedBy } of rules) {
        if (emptiedBy.length > 0) ignore(`rule ${by.rule} of ${resource.id} (it needs ${emptiedBy.join(', ')})`)
      }
      add(enforced, namespace, { ...policyModel(resource, action, rules), selector })
    }
  }
  return { enforced, ignored }
}

function add<T>(map: Map<string, T[]>, namespace: string, value: T): void {
  const same = map.get(namespace)
  if (same === undefined) map.set(namespace, [value])
  else same.push(value)
}

/**
 * The policies that select pods of that namespace with those labels. Those of the root namespace apply in every
 * namespace; without a selector, to all pods there (C.4).
 */
export function authorizationFor(
  all: Authorizations,
  rootNamespace: string,
  namespace: string,
  labels: Readonly<Record<string, string>>,
): PodAuthorization {
  const select = <T extends Selecting>(policies: ReadonlyMap<string, readonly T[]>): T[] =>
    [...new Set([namespace, rootNamespace])]
      .flatMap((where) => policies.get(where) ?? [])
      .filter((policy) => labelsMatch(policy.selector ?? {}, labels))
  return arrange(select(all.enforced), select(all.ignored))
}
