import type { Snapshot } from '../../api.js'
import { internalsOf } from '../../model/internals.js'
import type { PointVerdict, Step, ZtunnelEvidence } from '../../types.js'
import { fold } from '../fold.js'
import { judgePolicies } from '../policy/judge.js'
import { istioStep } from '../policy/step.js'
import { readIdentity, type Subject } from '../policy/subject.js'
import type { EffectiveMtls } from './peer-authentication.js'

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
      return fold('ztunnel', [istioStep('ztunnel', 'unknown', 'not-modelled', { pod, what }, { policy: id, at })])
    }
    return fold('ztunnel', [istioStep('ztunnel', 'not-applicable', 'not-in-mesh', { pod })])
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
    judgePolicies('ztunnel', authorization, subject, facts),
  ])
}

function judgePeerAuthentication(mtls: EffectiveMtls, port: number, identified: boolean, facts: Facts): Step {
  // A mode for the port comes before the workload's, the namespace's and the mesh's (C.2).
  const source = mtls.ports.get(port) ?? mtls.base
  if (source === undefined) return istioStep('ztunnel', 'allow', 'mtls.no-policy', facts)
  // DISABLE cannot switch HBONE off, so plaintext is accepted and so is mutual TLS: PERMISSIVE (C.2).
  if (source.mode !== 'STRICT') {
    return istioStep('ztunnel', 'allow', 'mtls.permissive', { ...facts, mode: source.mode }, source)
  }
  // STRICT reaches ztunnel as a DENY of every peer without an identity (C.2).
  if (identified) return istioStep('ztunnel', 'allow', 'mtls.strict-identity', facts, source)
  return istioStep('ztunnel', 'deny', 'mtls.strict-no-identity', facts, source)
}
