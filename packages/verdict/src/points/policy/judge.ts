import type { Point, Step } from '../../types.js'
import { closestRule } from './closest.js'
import type { PodAuthorization, PolicyModel } from './policies.js'
import { firstMatch } from './rule.js'
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
  const denied = firstMatch(policies.deny, subject)
  if (denied !== undefined) return istioStep(point, 'deny', 'authz.rule-denies', facts, denied.by)

  // 2. With ALLOW policies, and no rule of theirs that matches, it is denied by default. No rule said so: every ALLOW
  //    policy is named, and none accused. A rule that cannot be read might have allowed it.
  const allowed = firstMatch(policies.allow, subject)
  const mayAllow = allowed === undefined ? unreadRule(policies.allow) : undefined
  if (policies.allow.length > 0 && allowed === undefined && mayAllow === undefined) {
    return istioStep(point, 'deny', 'authz.no-rule-allows', facts, {
      layer: policies.allowLayer,
      isolatedBy: policies.isolatedBy,
      closest: closestRule(policies.allow, subject),
    })
  }

  // 3. What could still close it, or was needed to open it, and cannot be read.
  const unread = unreadRule(policies.deny) ?? mayAllow ?? asksOthers(policies.custom, subject) ?? mayDeny
  if (unread !== undefined) {
    return istioStep(point, 'unknown', 'not-modelled', { ...facts, what: unread.what }, unread.by)
  }

  // 4. Without an ALLOW policy, everything is allowed; with some, one matching rule of any of them settles it.
  if (allowed === undefined) return istioStep(point, 'allow', 'authz.no-allow-policy', facts)
  return istioStep(point, 'allow', 'authz.rule-allows', facts, allowed.by)
}

/** A field that we do not know might have denied, or might have allowed. */
function unreadRule<S extends Subject>(policies: readonly PolicyModel<S>[]): Unread | undefined {
  for (const policy of policies) {
    for (const rule of policy.rules) {
      const [what] = rule.notModelled
      if (what !== undefined) return { what, by: rule.by }
    }
  }
  return undefined
}

/** A CUSTOM policy asks a server of somebody's own, for what its rules match. */
function asksOthers<S extends Subject>(policies: readonly PolicyModel<S>[], subject: S): Unread | undefined {
  const asked = firstMatch(policies, subject)
  return asked === undefined ? unreadRule(policies) : { what: 'action CUSTOM (another server decides)', by: asked.by }
}

/** The proxy leaves these out, and reports it only in the policy's status: say it where people look. */
function withIgnored<S extends Subject>(facts: Facts, policies: PodAuthorization<S>): Facts {
  if (policies.ignored.length === 0) return facts
  return { ...facts, ignored: policies.ignored.map(({ says }) => says).join(', ') }
}
