import {
  type CniEvidence,
  type CniVerdict,
  compile,
  type EvidenceAt,
  type GatewayEvidence,
  type HopRequest,
  type HttpRequest,
  type JudgeAt,
  type NextHop,
  type Pod,
  type PointVerdict,
  type RequestVerdict,
  type RouteDecision,
  type ServiceModel,
  type Snapshot,
  type Step,
  type VerdictAt,
  type WaypointEvidence,
  type WaypointModel,
  type WaypointVerdict,
} from '@bulkhead/verdict'

export const identityOf = (account: string): string => {
  const [namespace, name] = account.split('/')
  return `spiffe://cluster.local/ns/${namespace}/sa/${name}`
}

export interface Rules {
  /** `destination key` -> identities that its ztunnel lets in; a pod without an entry lets everybody in. */
  readonly allow?: Readonly<Record<string, readonly string[]>>
  /** Pods that take no plaintext. */
  readonly strict?: readonly string[]
  /** `source key > destination key:port` of packets that the CNI drops. */
  readonly drop?: readonly string[]
  /** What the CNI says of what leaves a pod, by the pod's key. */
  readonly egress?: Readonly<Record<string, EgressRules>>
  /** Pods that ztunnel cannot judge. */
  readonly unknown?: readonly string[]
  /** There is a gateway, `shop/front`, and this is what its policies and its routes say. */
  readonly gateway?: {
    /** Of its listeners. Default 80. */
    readonly ports?: readonly number[]
    readonly policy?: (request: HttpRequest) => 'allow' | 'deny' | 'unknown'
    /** Default: everything goes to web-api. */
    readonly route?: (request: HttpRequest) => RouteDecision
  }
  /** There is a waypoint, `shop/waypoint`, that has been ready once. */
  readonly waypoint?: {
    /** The Services that name it. Default web-api. */
    readonly services?: readonly string[]
    /** The pods that name it, where it serves workloads. */
    readonly pods?: readonly string[]
    /** How many pods it has. Default 1. */
    readonly replicas?: number
    /** What port 80 of each Service is declared to carry; default: nobody says. */
    readonly application?: 'http' | 'tcp'
    readonly policy?: (evidence: WaypointEvidence) => 'allow' | 'deny' | 'unknown'
    /** Gateways go by it. */
    readonly ingress?: boolean
    /** Callers that go past it all the same, by their keys. */
    readonly past?: readonly string[]
  }
}

/** A pod without an entry may go anywhere. */
export interface EgressRules {
  /** `address:port` of packets that are dropped; `*` for any address. */
  readonly drop?: readonly string[]
  /** Names that it may ask kube-dns for, which the CNI reads and learns from. */
  readonly dns?: readonly string[]
  /** At port 443 it may go only to addresses that were learned with one of these names. */
  readonly fqdns?: readonly string[]
  /** At port 443 the ClientHello is read, and names one of these. */
  readonly sni?: readonly string[]
  /** At that port a request is read, and nobody allows it. */
  readonly http?: number
}

/** What every cluster has. */
const empty = compile([])

const routeStep = (outcome: Step['outcome'], code: Step['code']): Step => ({
  hop: 0,
  point: 'gateway',
  engine: 'gateway-api',
  outcome,
  code,
  policy: 'HTTPRoute/shop/front',
})

/** A route to backends of that name, port 80, all of the same weight unless said. */
export const forward = (
  request: HttpRequest,
  services: readonly string[] = ['web-api'],
  more: Partial<Extract<RouteDecision, { kind: 'forward' }>> = {},
): RouteDecision => ({
  kind: 'forward',
  step: routeStep('allow', 'route.forwards'),
  route: 'HTTPRoute/shop/front',
  backends: services.map((name) => ({
    service: `shop/${name}`,
    port: 80,
    weight: 1,
    requestHeaders: [],
    responseHeaders: [],
  })),
  request,
  responseHeaders: [],
  ...more,
})

export const respond = (status: 404 | 500): RouteDecision => ({
  kind: 'respond',
  status,
  step: routeStep('deny', status === 404 ? 'route.no-match' : 'route.no-backend'),
})

export const redirect = (location: string): RouteDecision => ({
  kind: 'redirect',
  step: routeStep('allow', 'route.redirects'),
  route: 'HTTPRoute/shop/front',
  status: 302,
  location,
  responseHeaders: [],
})

export const undecided: RouteDecision = { kind: 'unknown', step: routeStep('unknown', 'not-modelled') }

/** The gateway's pod, Service and ServiceAccount. */
export const FRONT = 'shop/front-istio'

function addFront(pods: Map<string, Pod>, services: Map<string, ServiceModel>, ports: readonly number[]): void {
  pods.set(FRONT, {
    key: FRONT,
    namespace: 'shop',
    name: 'front-istio',
    workload: FRONT,
    labels: { 'gateway.networking.k8s.io/gateway-name': 'front' },
    serviceAccount: 'front-istio',
    identity: identityOf(FRONT),
    mesh: false,
    hostNetwork: false,
    node: 'bulkhead-worker',
    ip: '10.244.1.80',
    ports: ports.map((port) => ({ port, protocol: 'TCP' })),
    gateway: 'shop/front',
  })
  services.set(FRONT, {
    key: FRONT,
    namespace: 'shop',
    name: 'front-istio',
    clusterIP: '10.96.0.80',
    ports: ports.map((port) => ({ port, targetPort: port, protocol: 'TCP' })),
    external: true,
    endpoints: [FRONT],
  })
}

/** The waypoint's Service and ServiceAccount; its pods are `shop/waypoint`, `shop/waypoint-2` and so on. */
export const WAYPOINT = 'shop/waypoint'

function addWaypoint(pods: Map<string, Pod>, services: Map<string, ServiceModel>, replicas: number): void {
  const keys = Array.from({ length: replicas }, (_, index) => (index === 0 ? WAYPOINT : `${WAYPOINT}-${index + 1}`))
  keys.forEach((key, index) => {
    pods.set(key, {
      key,
      namespace: 'shop',
      name: key.slice('shop/'.length),
      workload: WAYPOINT,
      labels: { 'gateway.networking.k8s.io/gateway-name': 'waypoint' },
      serviceAccount: 'waypoint',
      identity: identityOf(WAYPOINT),
      mesh: false,
      hostNetwork: false,
      node: 'bulkhead-worker',
      ip: `10.244.1.${90 + index}`,
      ports: [{ port: 15008, protocol: 'TCP' }],
      waypoint: WAYPOINT,
    })
  })
  services.set(WAYPOINT, {
    key: WAYPOINT,
    namespace: 'shop',
    name: 'waypoint',
    clusterIP: '10.96.0.90',
    ports: [15008, 15021].map((port) => ({ port, targetPort: port, protocol: 'TCP' })),
    external: false,
    endpoints: keys,
  })
}

const names = ['web-api', 'recommendation', 'sleep', 'notsleep', 'outsider', 'plain'] as const
const outside = new Set<string>(['outsider', 'plain'])

/** A small shop: `shop/<name>` for each name, all with a Service; outsider and plain are not in the mesh. */
export function shop(rules: Rules = {}, without: readonly string[] = []): Snapshot & { readonly rules: Rules } {
  const pods = new Map<string, Pod>()
  const services = new Map<string, ServiceModel>()
  names.forEach((name, index) => {
    const key = `shop/${name}`
    if (without.includes(key)) return
    pods.set(key, {
      key,
      namespace: 'shop',
      name,
      workload: key,
      labels: { app: name },
      serviceAccount: name,
      identity: identityOf(key),
      mesh: !outside.has(name),
      hostNetwork: false,
      node: index % 2 === 0 ? 'bulkhead-worker' : 'bulkhead-worker2',
      ip: `10.244.${(index % 2) + 1}.${index + 2}`,
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    })
    services.set(key, {
      key,
      namespace: 'shop',
      name,
      clusterIP: `10.96.0.${index + 10}`,
      ports: [
        {
          name: 'http',
          port: 80,
          targetPort: 8080,
          protocol: 'TCP',
          ...(rules.waypoint?.application && { application: rules.waypoint.application }),
        },
        { name: 'dead', port: 81, targetPort: 8081, protocol: 'TCP' },
        { name: 'udp', port: 5353, targetPort: 5353, protocol: 'UDP' },
      ],
      external: false,
      endpoints: [key],
    })
  })
  services.set('shop/headless', {
    key: 'shop/headless',
    namespace: 'shop',
    name: 'headless',
    ports: [],
    external: false,
    endpoints: ['shop/web-api'],
  })
  const ports = rules.gateway?.ports ?? [80]
  if (rules.gateway !== undefined && !without.includes(FRONT)) addFront(pods, services, ports)
  if (rules.waypoint !== undefined) addWaypoint(pods, services, rules.waypoint.replicas ?? 1)
  const waypoint: WaypointModel = {
    key: WAYPOINT,
    id: `Gateway/${WAYPOINT}`,
    at: 'waypoint.yaml:1',
    workload: WAYPOINT,
    serves: 'all',
  }
  const front = {
    key: 'shop/front',
    id: 'Gateway/shop/front',
    at: 'front.yaml:1',
    workload: FRONT,
    listeners: ports.map((port) => ({
      name: `http-${port}`,
      port,
      protocol: 'HTTP',
      at: 'front.yaml:2',
      hosts: ['*'],
    })),
  }
  return {
    rules,
    resources: [],
    nodes: [
      { name: 'bulkhead-worker', ip: '172.18.0.3' },
      { name: 'bulkhead-worker2', ip: '172.18.0.4' },
    ],
    pods,
    platform: empty.platform,
    services,
    gateways: new Map(rules.gateway === undefined ? [] : [[front.key, front]]),
    waypoints: new Map(rules.waypoint === undefined ? [] : [[WAYPOINT, waypoint]]),
    waypointsReadyOnce: new Set(rules.waypoint === undefined ? [] : [WAYPOINT]),
    podByIp: (ip) => [...pods.values()].find((pod) => pod.ip === ip) ?? empty.podByIp(ip),
    serviceByIp: (ip) => [...services.values()].find((service) => service.clusterIP === ip) ?? empty.serviceByIp(ip),
    resolveName: (name, namespace) => {
      const [short = '', space = namespace] = name.split('.')
      const service = services.get(`${space}/${short}`)
      if (service) return { kind: 'service', name, service }
      // What every cluster has.
      if (/^(kube-dns|istiod|kubernetes)\./.test(name)) return empty.resolveName(name, namespace)
      return { kind: name.includes('.') ? 'external' : 'none', name }
    },
    targetPort: (service, port) => {
      const found = service.ports.find((candidate) => candidate.port === port)
      return typeof found?.targetPort === 'number' ? found.targetPort : undefined
    },
    notModelled: [],
  }
}

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
