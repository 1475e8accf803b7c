import type { Point, Step } from '../../types.js'
import { closest } from './closest.js'
import type { PodAuthorization } from './policies.js'
import type { RuleSet } from './rule-set.js'
import { type By, istioStep } from './step.js'
import type { Subject } from './subject.js'

type Facts = Readonly<Record<string, string | number>>

/** Something that decides here too and is not modelled. */
export interface Unread {
  readonly what: string
  readonly by: By
}

/**
 * The AuthorizationPolicies that apply, in the order of the specification: DENY, then ALLOW (C.3). CUSTOM stands before
 * both, but can only close: it is asked about when nothing else has closed.
 */
export function judgePolicies<S extends Subject>(
  point: Point,
  policies: PodAuthorization<S>,
  subject: S,
  callFacts: Facts,
  mayDeny?: Unread,
): Step {
  const facts = withIgnored(callFacts, policies)
  // 1. A DENY policy that matches refuses, whatever else allows.
  const denied = policies.deny.ask(subject).matched
  if (denied !== undefined) return istioStep(point, 'deny', 'authz.rule-denies', facts, denied.by)

  // 2. With ALLOW policies, and no rule of theirs that matches, it is denied by default. No rule said so: every ALLOW
  //    policy is named, and none accused. A rule that cannot be read might have allowed it.
  const { matched: allowed, nearest } = policies.allow.ask(subject)
  const mayAllow = allowed === undefined ? policies.allow.unread : undefined
  if (policies.isolatedBy.length > 0 && allowed === undefined && mayAllow === undefined) {
    return istioStep(point, 'deny', 'authz.no-rule-allows', facts, {
      layer: policies.allowLayer,
      isolatedBy: policies.isolatedBy,
      closest: nearest && closest(nearest, subject),
    })
  }

  // 3. What could still close it, or was needed to open it, and cannot be read.
  const unread = policies.deny.unread ?? mayAllow ?? asksOthers(policies.custom, subject) ?? mayDeny
  if (unread !== undefined) {
    return istioStep(point, 'unknown', 'not-modelled', { ...facts, what: unread.what }, unread.by)
  }

  // 4. Without an ALLOW policy, everything is allowed; with some, one matching rule of any of them settles it.
  if (allowed === undefined) return istioStep(point, 'allow', 'authz.no-allow-policy', facts)
  return istioStep(point, 'allow', 'authz.rule-allows', facts, allowed.by)
}

/** A CUSTOM policy asks a server of somebody's own, for what its rules match. */
function asksOthers<S extends Subject>(custom: RuleSet<S>, subject: S): Unread | undefined {
  const asked = custom.ask(subject).matched
  return asked === undefined ? custom.unread : { what: 'action CUSTOM (another server decides)', by: asked.by }
}

/** The proxy leaves these out, and reports it only in the policy's status: say it where people look. */
function withIgnored<S extends Subject>(facts: Facts, { ignored }: PodAuthorization<S>): Facts {
  return ignored === undefined ? facts : { ...facts, ignored }
}
