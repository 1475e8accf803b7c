import type { AuthorizationPolicy, Resource } from '@bulkhead/resources'
import { at, namespaceOf, ofKind, rawField } from '../../model/kinds.js'
import type { Step } from '../../types.js'
import type { Rule } from './rule.js'
import { RuleSet } from './rule-set.js'
import type { Subject } from './subject.js'

export type Action = 'ALLOW' | 'DENY' | 'CUSTOM'

/** An AuthorizationPolicy as the proxy that enforces it receives it. */
export interface PolicyModel<S extends Subject = Subject> {
  readonly id: string
  readonly layer: string | undefined
  readonly at: string
  readonly action: Action
  readonly rules: readonly Rule<S>[]
}

/** A policy that the proxy never enforces, though it selects it, or a rule of one: which, and why. */
export interface IgnoredPolicy {
  readonly says: string
}

/** What holds for one class of pods. */
export interface PodAuthorization<S extends Subject = Subject> {
  readonly deny: RuleSet<S>
  readonly allow: RuleSet<S>
  /** Asked of a server of somebody's own. */
  readonly custom: RuleSet<S>
  /** What the proxy leaves out, in one text; undefined for nothing. */
  readonly ignored: string | undefined
  /**
   * What a default deny says: every ALLOW policy, and the layer whose wall it is. That is the one of all policies that
   * have rules, and so speak for somebody; a policy without any only closes what others open. Undefined for several.
   */
  readonly isolatedBy: NonNullable<Step['isolatedBy']>
  readonly allowLayer: string | undefined
}

/** All AuthorizationPolicies, sorted by id, so that the order of files never decides which policy is named. */
export function authorizationPolicies(resources: readonly Resource[]): Resource<AuthorizationPolicy>[] {
  return ofKind<AuthorizationPolicy>(resources, 'security.istio.io', 'AuthorizationPolicy').sort(byId)
}

/** The model of a policy that is enforced. */
export function policyModel<S extends Subject>(
  resource: Resource<AuthorizationPolicy>,
  action: Action,
  rules: readonly Rule<S>[],
): PolicyModel<S> {
  // The line that closes: the list of rules, or what stands in its place when there is none.
  return { id: resource.id, layer: resource.layer, at: at(resource, ['spec', 'rules']), action, rules }
}

/** Policies that apply to one class of pods, in the order in which the proxy asks them. */
export function arrange<S extends Subject>(
  enforced: readonly PolicyModel<S>[],
  ignored: readonly IgnoredPolicy[],
): PodAuthorization<S> {
  const sorted = [...enforced].sort(byId)
  const allow = sorted.filter((policy) => policy.action === 'ALLOW')
  return {
    deny: new RuleSet(sorted.filter((policy) => policy.action === 'DENY')),
    allow: new RuleSet(allow),
    custom: new RuleSet(sorted.filter((policy) => policy.action === 'CUSTOM')),
    ignored: ignored.length === 0 ? undefined : ignored.map(({ says }) => says).join(', '),
    isolatedBy: allow.map(({ id, layer, at: place }) => ({
      policy: id,
      ...(layer !== undefined && { layer }),
      at: place,
    })),
    allowLayer: layerOf(
      allow.some(({ rules }) => rules.length > 0) ? allow.filter(({ rules }) => rules.length > 0) : allow,
    ),
  }
}

function layerOf(policies: readonly { readonly layer: string | undefined }[]): string | undefined {
  const [first, ...others] = new Set(policies.map(({ layer }) => layer))
  return others.length === 0 ? first : undefined
}

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}

export interface TargetRef {
  readonly group?: string
  readonly kind: string
  readonly name: string
  readonly namespace?: string
}

/** What the policy is attached to by name; the older single field counts where the list says nothing. */
export function targetsOf({ object }: Resource): readonly TargetRef[] {
  const targets = rawField(object, 'spec', 'targetRefs')
  if (Array.isArray(targets) && targets.length > 0) return targets
  const single = rawField(object, 'spec', 'targetRef')
  return single === undefined ? [] : [single as TargetRef]
}

/** The annotation as istiod parses it (Go's ParseBool); what is no boolean is not a dry run. */
export function isDryRun(resource: Resource): boolean {
  const value = resource.object.metadata.annotations?.['istio.io/dry-run']
  return value !== undefined && ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)
}

/** Whether a policy of that namespace speaks for pods of this one: its own, or the root's (C.4). */
export function inReach(policy: Resource, namespace: string, rootNamespace: string): boolean {
  const own = namespaceOf(policy)
  return own === namespace || own === rootNamespace
}
