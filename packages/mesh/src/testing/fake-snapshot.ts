import type {
  EvidenceAt,
  HopRequest,
  JudgeAt,
  NextHop,
  Pod,
  PointVerdict,
  ServiceModel,
  Snapshot,
  Step,
  VerdictAt,
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
  /** Pods that ztunnel cannot judge. */
  readonly unknown?: readonly string[]
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
        { name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' },
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
  return {
    rules,
    resources: [],
    nodes: [
      { name: 'bulkhead-worker', ip: '172.18.0.3' },
      { name: 'bulkhead-worker2', ip: '172.18.0.4' },
    ],
    pods,
    services,
    gateways: new Map(),
    podByIp: (ip) => [...pods.values()].find((pod) => pod.ip === ip),
    serviceByIp: (ip) => [...services.values()].find((service) => service.clusterIP === ip),
    resolveName: (name, namespace) => {
      const [short = '', space = namespace] = name.split('.')
      const service = services.get(`${space}/${short}`)
      if (service) return { kind: 'service', name, service }
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

function judgeCni(
  point: 'cni-egress' | 'cni-ingress',
  { pod, peer, tuple }: EvidenceAt['cni-egress'],
  rules: Rules,
): PointVerdict {
  const other = 'key' in peer ? peer.key : peer.ip
  const [from, to] = point === 'cni-egress' ? [pod.key, other] : [other, pod.key]
  // Only the ingress side drops, so that a test can tell whose word it was.
  const dropped = point === 'cni-ingress' && rules.drop?.includes(`${from} > ${to}:${tuple.port}`)
  return verdict(
    point,
    dropped ? { outcome: 'deny', code: 'not-modelled' } : { outcome: 'allow', code: 'network.no-policy' },
  )
}

/** The verdict engine's place taken by a few words: what a test is about stands in the test. */
export const fakeJudgeAt: JudgeAt = (point, evidence, snapshot) => fakePoints[point](evidence, rulesOf(snapshot))

const fakePoints: { [P in keyof EvidenceAt]: (evidence: EvidenceAt[P], rules: Rules) => VerdictAt[P] } = {
  ztunnel: judgeZtunnel,
  'cni-egress': (evidence, rules) => judgeCni('cni-egress', evidence, rules),
  'cni-ingress': (evidence, rules) => judgeCni('cni-ingress', evidence, rules),
  gateway: ({ gateway }) => {
    throw new Error(`${gateway.key} has no routes in this snapshot`)
  },
}

/** Mesh to mesh is HBONE, everything else goes as it is. */
export const fakeNextHop = ({ source, destination, port, protocol = 'TCP' }: HopRequest): NextHop => {
  const hbone = 'key' in source && source.mesh && 'key' in destination && destination.mesh
  const tuple = { src: source.ip, dst: destination.ip, port: hbone ? 15008 : port, protocol }
  return { transport: hbone ? 'hbone' : 'plaintext', tuple }
}
