import {
  compile,
  type HttpRequest,
  type Pod,
  type RouteDecision,
  type ServiceModel,
  type Snapshot,
  type Step,
  type WaypointEvidence,
  type WaypointModel,
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
