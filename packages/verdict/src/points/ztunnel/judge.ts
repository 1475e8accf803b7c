import type { Snapshot } from '../../api.js'
import { internalsOf } from '../../model/internals.js'
import type { PointVerdict, Step, ZtunnelEvidence } from '../../types.js'
import { fold } from '../fold.js'
import type { AuthorizationModel, PodAuthorization } from './authorization.js'
import { closestRule } from './closest.js'
import { readIdentity, type Subject } from './match.js'
import type { EffectiveMtls } from './peer-authentication.js'
import { ruleMatches } from './rules.js'
import { type By, ztunnelStep } from './step.js'

type Facts = Readonly<Record<string, string | number>>

/**
 * The destination's ztunnel: first PeerAuthentication, then AuthorizationPolicy. Both are always judged: a STRICT mode
 * is a DENY policy to ztunnel, so it comes before every ALLOW and cannot be overridden by one (C.2).
 */
export function judgeZtunnel(evidence: ZtunnelEvidence, snapshot: Snapshot): PointVerdict {
  const { destination, port, peer } = evidence
  const pod = destination.workload
  // A destination counts as mesh only if it is captured; policies that select it otherwise are not enforced (C.8).
  if (!destination.mesh) {
    const sidecar = internalsOf(snapshot).sidecars.get(pod)
    if (sidecar !== undefined) {
      const { id, at, what } = sidecar
      return fold('ztunnel', [ztunnelStep('unknown', 'not-modelled', { pod, what }, { policy: id, at })])
    }
    return fold('ztunnel', [ztunnelStep('not-applicable', 'not-in-mesh', { pod })])
  }
  const { mtls, authorization } = internalsOf(snapshot).policiesOf(destination)
  const { ip, identity } = peer
  const facts: Facts = identity === undefined ? { pod, port, ip } : { pod, port, identity, ip }
  const subject: Subject = {
    ip,
    port,
    destinationIp: destination.ip,
    caller: identity === undefined ? undefined : readIdentity(identity),
  }
  return fold('ztunnel', [
    judgePeerAuthentication(mtls, port, identity !== undefined, facts),
    judgeAuthorization(authorization, subject, facts),
  ])
}

function judgePeerAuthentication(mtls: EffectiveMtls, port: number, identified: boolean, facts: Facts): Step {
  // A mode for the port comes before the workload's, the namespace's and the mesh's (C.2).
  const source = mtls.ports.get(port) ?? mtls.base
  if (source === undefined) return ztunnelStep('allow', 'mtls.no-policy', facts)
  // DISABLE cannot switch HBONE off, so plaintext is accepted and so is mutual TLS: PERMISSIVE (C.2).
  if (source.mode !== 'STRICT') {
    return ztunnelStep('allow', 'mtls.permissive', { ...facts, mode: source.mode }, source)
  }
  // STRICT reaches ztunnel as a DENY of every peer without an identity (C.2).
  if (identified) return ztunnelStep('allow', 'mtls.strict-identity', facts, source)
  return ztunnelStep('deny', 'mtls.strict-no-identity', facts, source)
}

function judgeAuthorization(policies: PodAuthorization, subject: Subject, callFacts: Facts): Step {
  const facts = withIgnored(callFacts, policies)
  // 1. A DENY policy that matches refuses, whatever else allows (C.3).
  const denied = firstMatch(policies.deny, subject)
  if (denied !== undefined) return ztunnelStep('deny', 'authz.rule-denies', facts, denied)

  // A field that we do not know might have denied, or might have allowed.
  const unread = notModelled(policies)
  if (unread !== undefined) return ztunnelStep('unknown', 'not-modelled', { ...facts, what: unread.what }, unread.by)

  // 2. Without an ALLOW policy for the pod, everything is allowed (C.3).
  if (policies.allow.length === 0) return ztunnelStep('allow', 'authz.no-allow-policy', facts)

  // 3. With some, one matching rule of any of them settles it (C.3).
  const allowed = firstMatch(policies.allow, subject)
  if (allowed !== undefined) return ztunnelStep('allow', 'authz.rule-allows', facts, allowed)

  // 4. Else it is denied (C.3). No rule said so: every ALLOW policy is named, and none accused.
  return ztunnelStep('deny', 'authz.no-rule-allows', facts, {
    layer: policies.allowLayer,
    isolatedBy: policies.isolatedBy,
    closest: closestRule(policies.allow, subject),
  })
}

function firstMatch(policies: readonly AuthorizationModel[], subject: Subject): By | undefined {
  for (const policy of policies) {
    for (const rule of policy.rules) if (ruleMatches(rule, subject)) return rule.by
  }
  return undefined
}

function notModelled(policies: PodAuthorization): { readonly what: string; readonly by: By } | undefined {
  for (const policy of [...policies.deny, ...policies.allow]) {
    for (const rule of policy.rules) {
      const [what] = rule.notModelled
      if (what !== undefined) return { what, by: rule.by }
    }
  }
  return undefined
}

/** ztunnel leaves these out, and reports it only in the policy's status: say it where people look. */
function withIgnored(facts: Facts, policies: PodAuthorization): Facts {
  if (policies.ignored.length === 0) return facts
  return { ...facts, ignored: policies.ignored.map(({ says }) => says).join(', ') }
}
