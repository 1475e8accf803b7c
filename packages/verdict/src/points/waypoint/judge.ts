import type { Snapshot } from '../../api.js'
import { internalsOf } from '../../model/internals.js'
import { requestText } from '../../routes/step.js'
import type { HttpRequest } from '../../routes/types.js'
import type { WaypointEvidence, WaypointVerdict } from '../../types.js'
import { tokenReader } from '../http/authorization.js'
import { refusedStep, whyRefused } from '../http/refused.js'
import { connectionSubject, subjectAtWaypoint } from '../http/subject.js'
import { judgePolicies } from '../policy/judge.js'
import { readIdentity } from '../policy/subject.js'

/**
 * A waypoint's word on a request, or on a connection that carries none: the policies that are attached to the Service
 * that was called, to the waypoint and to its class. Throws TypeError for a pod that is no waypoint's.
 */
export function judgeWaypoint(evidence: WaypointEvidence, snapshot: Snapshot): WaypointVerdict {
  const { waypoint, peer, to, request } = evidence
  const authorizations = internalsOf(snapshot).policiesOf(waypoint).waypoint
  if (authorizations === undefined) {
    throw new TypeError(`${JSON.stringify(waypoint.key)} is no pod of a waypoint in this snapshot`)
  }
  const facts = factsOf(evidence, request)
  const why = request && whyRefused(request)
  if (request !== undefined && why !== undefined) {
    return { point: 'waypoint', outcome: 'deny', steps: [refusedStep('waypoint', why, request, facts)] }
  }
  const service = 'service' in to ? to.service : undefined
  const { policies, requestAuthentications, altered } = authorizations.to(service?.key, request === undefined)
  const connection = {
    ip: peer.ip,
    // As it was addressed: the Service's port, or the pod's.
    port: to.port,
    destinationIp: 'service' in to ? (to.service.clusterIP ?? '') : to.pod.ip,
    caller: readIdentity(peer.identity),
  }
  const subject = request === undefined ? connectionSubject(connection) : subjectAtWaypoint(connection, request)
  const reader = requestAuthentications.length === 0 ? undefined : tokenReader(requestAuthentications, subject)
  const mayDeny = altered ?? (reader && { what: 'the check of the token', by: reader })
  const step = judgePolicies('waypoint', policies, subject, facts, mayDeny)
  const { outcome } = step
  return { point: 'waypoint', outcome: outcome === 'not-applicable' ? 'allow' : outcome, steps: [step] }
}

function factsOf(
  { waypoint, peer, to }: WaypointEvidence,
  request: HttpRequest | undefined,
): Readonly<Record<string, string | number>> {
  const facts: Record<string, string | number> = { waypoint: waypoint.waypoint ?? waypoint.workload }
  if ('service' in to) facts.service = to.service.key
  else facts.pod = to.pod.workload
  if (request !== undefined) facts.request = requestText(request)
  facts.identity = peer.identity
  facts.ip = peer.ip
  facts.port = to.port
  return facts
}
