import type { Snapshot } from '../../api.js'
import { internalsOf } from '../../model/internals.js'
import { routeRequest } from '../../routes/route.js'
import { requestText } from '../../routes/step.js'
import type { GatewayEvidence, RequestVerdict } from '../../types.js'
import { httpSubject } from '../http/subject.js'
import { judgePolicies } from '../policy/judge.js'
import { readIdentity } from '../policy/subject.js'
import { tokenReader } from './authorization.js'

/**
 * A gateway's word on a request: its policies first, then its routes (Envoy's RBAC filter stands before its router).
 * The routes are asked even for a request that is denied. Throws TypeError for a pod that is no gateway's.
 */
export function judgeGateway(evidence: GatewayEvidence, snapshot: Snapshot): RequestVerdict {
  const { gateway, port, peer, request } = evidence
  const { routes, policiesOf } = internalsOf(snapshot)
  const { requests } = policiesOf(gateway)
  if (requests === undefined || gateway.gateway === undefined) {
    throw new TypeError(`${JSON.stringify(gateway.key)} is no pod of a Gateway in this snapshot`)
  }
  const { policies, requestAuthentications, altered } = requests
  const caller = peer.identity === undefined ? undefined : readIdentity(peer.identity)
  const subject = httpSubject({ ip: peer.ip, port, destinationIp: gateway.ip, caller }, request)
  const facts = {
    gateway: `Gateway/${gateway.gateway}`,
    request: requestText(request),
    ...(peer.identity !== undefined && { identity: peer.identity }),
    ip: peer.ip,
    port,
  }
  const reader = requestAuthentications.length === 0 ? undefined : tokenReader(requestAuthentications, subject)
  const authorization = judgePolicies(
    'gateway',
    policies,
    subject,
    facts,
    altered ?? (reader && { what: 'the check of the token', by: reader }),
  )
  const decision = routeRequest(routes, gateway.gateway, port, request)
  const steps = [authorization, decision.step]
  const deny = authorization.outcome === 'deny' || decision.step.outcome === 'deny'
  const unknown = authorization.outcome === 'unknown' || decision.step.outcome === 'unknown'
  return { point: 'gateway', outcome: deny ? 'deny' : unknown ? 'unknown' : 'allow', steps, decision }
}
