import type { Snapshot } from '../../api.js'
import { internalsOf } from '../../model/internals.js'
import { routeRequest } from '../../routes/route.js'
import { requestText } from '../../routes/step.js'
import type { GatewayModel, ListenerModel } from '../../routes/types.js'
import type { GatewayEvidence, RequestVerdict, Step } from '../../types.js'
import { tokenReader } from '../http/authorization.js'
import { httpSubject } from '../http/subject.js'
import { judgePolicies } from '../policy/judge.js'
import { istioStep } from '../policy/step.js'
import { readIdentity } from '../policy/subject.js'

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
  const model = snapshot.gateways.get(gateway.gateway)
  const other = model?.listeners.find((listener) => listener.port === port && listener.protocol !== 'HTTP')
  const reader = requestAuthentications.length === 0 ? undefined : tokenReader(requestAuthentications, subject)
  const mayDeny = altered ?? (reader && { what: 'the check of the token', by: reader })
  const authorization =
    other === undefined
      ? judgePolicies('gateway', policies, subject, facts, mayDeny)
      : atOtherProtocol(other, model, facts)
  const decision = routeRequest(routes, gateway.gateway, port, request)
  const steps = [authorization, decision.step]
  const deny = authorization.outcome === 'deny' || decision.step.outcome === 'deny'
  const unknown = authorization.outcome === 'unknown' || decision.step.outcome === 'unknown'
  return { point: 'gateway', outcome: deny ? 'deny' : unknown ? 'unknown' : 'allow', steps, decision }
}

/** With TLS there is a server name, and with TCP no request: what policies would read there is not known. */
function atOtherProtocol(
  { protocol, at }: ListenerModel,
  { id, layer }: Partial<Pick<GatewayModel, 'id' | 'layer'>> = {},
  facts: NonNullable<Step['facts']>,
): Step {
  const what = `a listener with protocol ${protocol}`
  return istioStep('gateway', 'unknown', 'not-modelled', { ...facts, what }, { layer, at, ...(id && { policy: id }) })
}
