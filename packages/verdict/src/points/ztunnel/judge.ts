import type { Snapshot } from '../../api.js'
import { internalsOf } from '../../model/internals.js'
import type { PointVerdict, Step, ZtunnelEvidence } from '../../types.js'
import { fold } from '../fold.js'
import type { AuthorizationModel, PodAuthorization } from './authorization.js'
import { closestRule } from './closest.js'
import { readIdentity, type Subject } from './match.js'
import type { EffectiveMtls } from './peer-authentication.js'
import { ruleMatches } from './rules.js'

type Facts = Readonly<Record<string, string | number>>
const step = { hop: 0, point: 'ztunnel', engine: 'istio' } as const

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
      return fold('ztunnel', [
        { ...step, outcome: 'unknown', code: 'not-modelled', policy: id, at, facts: { pod, what } },
      ])
    }
    return fold('ztunnel', [{ ...step, outcome: 'not-applicable', code: 'not-in-mesh', facts: { pod } }])
  }
  const { mtls, authorization } = internalsOf(snapshot).policiesOf(destination)
  const caller = peer.identity === undefined ? { ip: peer.ip } : { identity: peer.identity, ip: peer.ip }
  const facts = { pod, port, ...caller }
  const subject: Subject = {
    ip: peer.ip,
    port,
    destinationIp: destination.ip,
    ...(peer.identity !== undefined && readIdentity(peer.identity)),
  }
  return fold('ztunnel', [
    judgePeerAuthentication(mtls, port, peer.identity !== undefined, facts),
    judgeAuthorization(authorization, subject, facts),
  ])
}

function judgePeerAuthentication(mtls: EffectiveMtls, port: number, identified: boolean, facts: Facts): Step {
  // A mode for the port comes before the workload's, the namespace's and the mesh's (C.2).
  const source = mtls.ports.get(port) ?? mtls.base
  if (source === undefined) return { ...step, outcome: 'allow', code: 'mtls.no-policy', facts }
  const by = { policy: source.policy, at: source.at, facts: { ...facts, mode: source.mode } }
  const layer = source.layer === undefined ? {} : { layer: source.layer }
  // DISABLE cannot switch HBONE off, so plaintext is accepted and so is mutual TLS: PERMISSIVE (C.2).
  if (source.mode !== 'STRICT') return { ...step, ...layer, outcome: 'allow', code: 'mtls.permissive', ...by }
  // STRICT reaches ztunnel as a DENY of every peer without an identity (C.2).
  if (identified) return { ...step, ...layer, outcome: 'allow', code: 'mtls.strict-identity', ...by }
  return { ...step, ...layer, outcome: 'deny', code: 'mtls.strict-no-identity', ...by }
}

function judgeAuthorization(policies: PodAuthorization, subject: Subject, callFacts: Facts): Step {
  const facts = withIgnored(callFacts, policies)
  // 1. A DENY policy that matches refuses, whatever else allows (C.3).
  const denied = firstMatch(policies.deny, subject)
  if (denied !== undefined) return { ...step, ...denied, outcome: 'deny', code: 'authz.rule-denies', facts }

  // A field that we do not know might have denied, or might have allowed.
  const unread = notModelled(policies)
  if (unread !== undefined) return { ...unread, facts: { ...facts, ...unread.facts } }

  // 2. Without an ALLOW policy for the pod, everything is allowed (C.3).
  if (policies.allow.length === 0) return { ...step, outcome: 'allow', code: 'authz.no-allow-policy', facts }

  // 3. With some, one matching rule of any of them settles it (C.3).
  const allowed = firstMatch(policies.allow, subject)
  if (allowed !== undefined) return { ...step, ...allowed, outcome: 'allow', code: 'authz.rule-allows', facts }

  // 4. Else it is denied (C.3). No rule said so: every ALLOW policy is named, and none accused.
  const layers = new Set(policies.allow.map((policy) => policy.layer))
  const [layer] = layers.size === 1 ? layers : []
  const closest = closestRule(policies.allow, subject)
  return {
    ...step,
    ...(layer !== undefined && { layer }),
    outcome: 'deny',
    code: 'authz.no-rule-allows',
    isolatedBy: policies.allow.map((policy) => ({
      policy: policy.id,
      ...(policy.layer !== undefined && { layer: policy.layer }),
      at: policy.at,
    })),
    ...(closest && { closest }),
    facts,
  }
}

function firstMatch(
  policies: readonly AuthorizationModel[],
  subject: Subject,
): Pick<Step, 'layer' | 'policy' | 'rule' | 'at'> | undefined {
  for (const policy of policies) {
    for (const rule of policy.rules) {
      if (!ruleMatches(rule, subject)) continue
      return {
        ...(policy.layer !== undefined && { layer: policy.layer }),
        policy: policy.id,
        rule: rule.index,
        at: rule.at,
      }
    }
  }
  return undefined
}

function notModelled(policies: PodAuthorization): Step | undefined {
  for (const policy of [...policies.deny, ...policies.allow]) {
    for (const rule of policy.rules) {
      const [field] = rule.notModelled
      if (field === undefined) continue
      return {
        ...step,
        ...(policy.layer !== undefined && { layer: policy.layer }),
        outcome: 'unknown',
        code: 'not-modelled',
        policy: policy.id,
        rule: rule.index,
        at: rule.at,
        facts: { what: field },
      }
    }
  }
  return undefined
}

/** ztunnel leaves these out, and reports it only in the policy's status: say it where people look. */
function withIgnored(facts: Facts, policies: PodAuthorization): Facts {
  if (policies.ignored.length === 0) return facts
  return { ...facts, ignored: policies.ignored.map((policy) => `${policy.id} (${policy.why})`).join(', ') }
}
