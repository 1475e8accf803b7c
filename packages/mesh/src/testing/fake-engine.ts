import type {
  CniEvidence,
  CniVerdict,
  EvidenceAt,
  GatewayEvidence,
  HopRequest,
  JudgeAt,
  NextHop,
  Pod,
  PointVerdict,
  RequestVerdict,
  Snapshot,
  Step,
  VerdictAt,
  WaypointEvidence,
  WaypointVerdict,
} from '@bulkhead/verdict'
import { type EgressRules, forward, type Rules, WAYPOINT } from './fake-snapshot.js'

const rulesOf = (snapshot: Snapshot): Rules => ('rules' in snapshot ? (snapshot.rules as Rules) : {})

const verdict = (point: keyof EvidenceAt, step: Pick<Step, 'outcome' | 'code' | 'policy'>): PointVerdict => ({
  point,
  outcome: step.outcome === 'not-applicable' ? 'allow' : step.outcome,
  steps: [{ hop: 0, point, engine: point === 'ztunnel' ? 'istio' : 'kubernetes', ...step }],
})

function judgeZtunnel({ destination, peer }: EvidenceAt['ztunnel'], rules: Rules): PointVerdict {
  const { key } = destination
  if (rules.unknown?.includes(key))
    return verdict('ztunnel', { outcome: 'unknown', code: 'not-modelled', policy: 'AuthorizationPolicy/shop/odd' })
  if (rules.strict?.includes(key) && peer.identity === undefined)
    return verdict('ztunnel', {
      outcome: 'deny',
      code: 'mtls.strict-no-identity',
      policy: 'PeerAuthentication/shop/strict',
    })
  const allowed = rules.allow?.[key]
  if (allowed === undefined) return verdict('ztunnel', { outcome: 'allow', code: 'authz.no-allow-policy' })
  return peer.identity !== undefined && allowed.includes(peer.identity)
    ? verdict('ztunnel', { outcome: 'allow', code: 'authz.rule-allows', policy: 'AuthorizationPolicy/shop/own' })
    : verdict('ztunnel', { outcome: 'deny', code: 'authz.no-rule-allows' })
}

function judgeCni(point: 'cni-egress' | 'cni-ingress', evidence: CniEvidence, rules: Rules): CniVerdict {
  const { pod, peer, tuple } = evidence
  const other = 'key' in peer ? peer.key : peer.ip
  const [from, to] = point === 'cni-egress' ? [pod.key, other] : [other, pod.key]
  // Only the ingress side drops, so that a test can tell whose word it was.
  const dropped = point === 'cni-ingress' && rules.drop?.includes(`${from} > ${to}:${tuple.port}`)
  const mine = point === 'cni-egress' ? rules.egress?.[pod.key] : undefined
  if (mine !== undefined) return { ...judgeEgress(mine, evidence), point }
  const said = verdict(
    point,
    dropped ? { outcome: 'deny', code: 'not-modelled' } : { outcome: 'allow', code: 'network.no-policy' },
  )
  return { ...said, point }
}

function judgeEgress(rules: EgressRules, { tuple, payload, learned = [] }: CniEvidence): Omit<CniVerdict, 'point'> {
  const said = (outcome: Step['outcome'], code: Step['code'], reads?: CniVerdict['reads']) => ({
    ...verdict('cni-egress', { outcome, code, policy: 'CiliumNetworkPolicy/shop/way-out' }),
    ...(reads !== undefined && { reads }),
  })
  const { dst, port, protocol } = tuple
  if (rules.drop?.some((place) => place === `${dst}:${port}` || place === `*:${port}`))
    return said('deny', 'cni.default-deny')
  if (protocol === 'UDP' && port === 53 && rules.dns !== undefined) {
    const listed = payload === undefined || (payload.kind === 'dns' && rules.dns.includes(payload.query))
    return listed ? said('allow', 'cni.rule-allows', 'dns') : said('deny', 'cni.dns-denied', 'dns')
  }
  if (port === rules.http) return said(payload === undefined ? 'allow' : 'deny', 'cni.http-denied', 'http')
  if (port !== 443) return said('allow', 'network.no-policy')
  if (rules.fqdns !== undefined && !rules.fqdns.some((name) => learned.includes(name)))
    return said('deny', 'cni.default-deny')
  if (rules.sni === undefined) return said('allow', 'cni.rule-allows')
  const listed = payload === undefined || (payload.kind === 'tls' && rules.sni.includes(payload.sni ?? ''))
  return listed ? said('allow', 'cni.rule-allows', 'tls') : said('deny', 'cni.sni-denied', 'tls')
}

/** The verdict engine's place taken by a few words: what a test is about stands in the test. */
export const fakeJudgeAt: JudgeAt = (point, evidence, snapshot) => fakePoints[point](evidence, rulesOf(snapshot))

const fakePoints: { [P in keyof EvidenceAt]: (evidence: EvidenceAt[P], rules: Rules) => VerdictAt[P] } = {
  ztunnel: judgeZtunnel,
  'cni-egress': (evidence, rules) => judgeCni('cni-egress', evidence, rules),
  'cni-ingress': (evidence, rules) => judgeCni('cni-ingress', evidence, rules),
  gateway: judgeGateway,
  waypoint: judgeWaypoint,
}

function judgeGateway({ gateway, request }: GatewayEvidence, { gateway: rules }: Rules): RequestVerdict {
  if (gateway.gateway === undefined || rules === undefined) throw new TypeError(`${gateway.key} is no gateway's pod`)
  const policy = rules.policy?.(request) ?? 'allow'
  const decision = rules.route?.(request) ?? forward(request)
  const codes = { allow: 'authz.no-allow-policy', deny: 'authz.no-rule-allows', unknown: 'not-modelled' } as const
  const own: Step = { hop: 0, point: 'gateway', engine: 'istio', outcome: policy, code: codes[policy] }
  const steps = [own, decision.step]
  const said = (outcome: Step['outcome']) => steps.some((step) => step.outcome === outcome)
  const outcome = said('deny') ? 'deny' : said('unknown') ? 'unknown' : 'allow'
  return { point: 'gateway', outcome, steps, decision }
}

function judgeWaypoint(evidence: WaypointEvidence, { waypoint: rules }: Rules): WaypointVerdict {
  if (evidence.waypoint.waypoint === undefined || rules === undefined)
    throw new TypeError(`${evidence.waypoint.key} is no waypoint's pod`)
  const outcome = rules.policy?.(evidence) ?? 'allow'
  const codes = { allow: 'authz.no-allow-policy', deny: 'authz.no-rule-allows', unknown: 'not-modelled' } as const
  const step: Step = { hop: 0, point: 'waypoint', engine: 'istio', outcome, code: codes[outcome] }
  return { point: 'waypoint', outcome, steps: [step] }
}

/** What a CONNECT to an address means at the waypoint. */
export function fakeServedAt(
  { waypoint }: Pod,
  { ip, port }: { readonly ip: string; readonly port: number },
  snapshot: Snapshot,
): WaypointEvidence['to'] | undefined {
  const { services = ['web-api'], pods = [] } = rulesOf(snapshot).waypoint ?? {}
  const service = snapshot.serviceByIp(ip)
  if (service !== undefined) {
    const has = service.ports.some((candidate) => candidate.port === port && candidate.protocol === 'TCP')
    return waypoint !== undefined && has && services.includes(service.name) ? { service, port } : undefined
  }
  const pod = snapshot.podByIp(ip)
  return pod !== undefined && pods.includes(pod.name) ? { pod, port } : undefined
}

/** Who goes by the waypoint, and what is asked of it. */
function waypointOf({ source, destination, port, service, servicePort }: HopRequest, snapshot: Snapshot) {
  const { waypoint: rules } = rulesOf(snapshot)
  if (rules === undefined || !('key' in source) || source.waypoint !== undefined) return undefined
  const { services = ['web-api'], pods = [], ingress = false, past = [] } = rules
  const byService = service?.clusterIP !== undefined
  const named = byService ? services.includes(service.name) : 'key' in destination && pods.includes(destination.name)
  if (!named || !(source.mesh || (source.gateway !== undefined && ingress))) return undefined
  if (past.includes(source.key)) return { past: { key: WAYPOINT, why: 'never-ready' as const } }
  const pod = [...snapshot.pods.values()].find(({ waypoint }) => waypoint === WAYPOINT)
  const target = byService ? { ip: service.clusterIP, port: servicePort ?? port } : { ip: destination.ip, port }
  return { waypoint: { key: WAYPOINT, pod, target } }
}

/** Mesh to mesh is HBONE, and so are gateways and waypoints to the mesh; everything else goes as it is. */
export const fakeNextHop = (request: HopRequest, snapshot: Snapshot): NextHop => {
  const { source, destination, port, protocol = 'TCP' } = request
  const by = waypointOf(request, snapshot)
  if (by?.waypoint !== undefined) {
    const dst = by.waypoint.pod?.ip ?? ''
    return { transport: 'hbone', tuple: { src: source.ip, dst, port: 15008, protocol }, waypoint: by.waypoint }
  }
  const speaks = 'key' in source && (source.mesh || source.gateway !== undefined || source.waypoint !== undefined)
  const hbone = speaks && 'key' in destination && destination.mesh
  const tuple = { src: source.ip, dst: destination.ip, port: hbone ? 15008 : port, protocol }
  return { transport: hbone ? 'hbone' : 'plaintext', tuple, ...(by?.past && { past: by.past }) }
}
