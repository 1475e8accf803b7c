import type { AuthorizationPolicy, Resource } from '@bulkhead/resources'
import { labelsMatch } from '@bulkhead/resources/selectors'
import { at, namespaceOf, ofKind, rawField } from '../../model/kinds.js'
import type { Step } from '../../types.js'
import { compileRule, type Rule } from './rules.js'

interface Selecting {
  readonly id: string
  readonly namespace: string
  readonly selector: Readonly<Record<string, string>> | undefined
}

/** An AuthorizationPolicy as ztunnel receives it. */
export interface AuthorizationModel extends Selecting {
  readonly layer: string | undefined
  readonly at: string
  readonly action: 'ALLOW' | 'DENY'
  readonly rules: readonly Rule[]
}

/** A policy that ztunnel never enforces, though it selects pods, or a rule of one: which, and why. */
export interface IgnoredAuthorization extends Selecting {
  readonly says: string
}

/** By namespace; each list sorted by id, so that the order of files never decides which policy is named. */
export interface Authorizations {
  readonly enforced: ReadonlyMap<string, readonly AuthorizationModel[]>
  readonly ignored: ReadonlyMap<string, readonly IgnoredAuthorization[]>
}

/** What holds for one class of pods. */
export interface PodAuthorization {
  readonly deny: readonly AuthorizationModel[]
  readonly allow: readonly AuthorizationModel[]
  readonly ignored: readonly IgnoredAuthorization[]
  /** What a default deny says: every ALLOW policy, and their layer when they are all of one. */
  readonly isolatedBy: NonNullable<Step['isolatedBy']>
  readonly allowLayer: string | undefined
}

export function readAuthorizations(resources: readonly Resource[]): Authorizations {
  const enforced: AuthorizationModel[] = []
  const ignored: IgnoredAuthorization[] = []
  const all = ofKind<AuthorizationPolicy>(resources, 'security.istio.io', 'AuthorizationPolicy')
  for (const resource of [...all].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const { spec } = resource.object
    const common = { id: resource.id, namespace: namespaceOf(resource), selector: spec?.selector?.matchLabels }
    // Attached to a waypoint or gateway: none of ztunnel's business (C.4).
    if ((spec?.targetRefs?.length ?? 0) > 0 || rawField(spec, 'targetRef') !== undefined) continue
    const action = spec?.action ?? 'ALLOW'
    if (isDryRun(resource)) ignored.push({ ...common, says: `${resource.id} (dry run)` })
    else if (action === 'AUDIT' || action === 'CUSTOM')
      ignored.push({ ...common, says: `${resource.id} (action ${action})` })
    else {
      const rules = (spec?.rules ?? []).map((rule, index) => compileRule(resource, rule, index))
      for (const { by, emptiedBy } of rules) {
        if (emptiedBy.length === 0) continue
        ignored.push({ ...common, says: `rule ${by.rule} of ${resource.id} (it needs ${emptiedBy.join(', ')})` })
      }
      enforced.push({
        ...common,
        layer: resource.layer,
        // The line that closes: the list of rules, or what stands in its place when there is none.
        at: at(resource, ['spec', 'rules']),
        action,
        rules,
      })
    }
  }
  return { enforced: byNamespace(enforced), ignored: byNamespace(ignored) }
}

function byNamespace<T extends { readonly namespace: string }>(policies: readonly T[]): Map<string, T[]> {
  const map = new Map<string, T[]>()
  for (const policy of policies) {
    const same = map.get(policy.namespace)
    if (same === undefined) map.set(policy.namespace, [policy])
    else same.push(policy)
  }
  return map
}

/** The annotation as istiod parses it (Go's ParseBool); what is no boolean is not a dry run. */
function isDryRun(resource: Resource): boolean {
  const value = resource.object.metadata.annotations?.['istio.io/dry-run']
  return value !== undefined && ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)
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
  const enforced = select(all.enforced).sort((a, b) => (a.id < b.id ? -1 : 1))
  const allow = enforced.filter((policy) => policy.action === 'ALLOW')
  return {
    deny: enforced.filter((policy) => policy.action === 'DENY'),
    allow,
    ignored: select(all.ignored),
    isolatedBy: allow.map(({ id, layer, at: place }) => ({
      policy: id,
      ...(layer !== undefined && { layer }),
      at: place,
    })),
    allowLayer: new Set(allow.map(({ layer }) => layer)).size === 1 ? allow[0]?.layer : undefined,
  }
}
