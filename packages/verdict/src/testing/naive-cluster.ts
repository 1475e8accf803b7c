import type { NaiveEndpoint } from './naive-connection.js'
import type { NaiveWorld } from './naive-identity.js'
import { entries, get, inBlock, type Plain } from './naive-patterns.js'

/*
 * Test code: who is who in a cluster with gateways and waypoints, read from the objects as they are written, anew for each
 * question (semantics C.1, C.7). For naive-waypoint.ts and naive-way.ts; it shares no line with the engine.
 */

export interface NaiveClusterPod extends NaiveEndpoint {
  /** `namespace/name` */
  readonly workload: string
}

export interface NaiveCluster {
  /** Everything that was applied. */
  readonly objects: readonly Plain[]
  /** The pods that run, proxies among them. */
  readonly pods: readonly NaiveClusterPod[]
  /** By `namespace/name`. */
  readonly clusterIps: { readonly [service: string]: string }
  /** `namespace/name` of waypoints that have been ready once. */
  readonly readyOnce: ReadonlySet<string>
  readonly trustDomain: string
  /** For the network layers. */
  readonly world: NaiveWorld
}

/** Where a call goes: to a Service's port, or to a pod's. */
export interface Destination {
  readonly service?: Plain
  /** The one that is called, or one behind the Service; undefined when none is. */
  readonly pod: NaiveClusterPod | undefined
  /** As the caller says it: the Service's, or the container's. */
  readonly port: number
  /** The container's. */
  readonly podPort: number
  /** By the Service's address, or by the pod's. A headless Service has none of its own. */
  readonly addressed: 'service' | 'workload'
}

export const nameOf = (object: unknown): string =>
  `${String(get(object, 'metadata', 'namespace'))}/${String(get(object, 'metadata', 'name'))}`

export function find(cluster: NaiveCluster, kind: string, name: string): Plain | undefined {
  return cluster.objects.find((one) => one.kind === kind && nameOf(one) === name)
}

function namespaceLabel(cluster: NaiveCluster, namespace: string, key: string): unknown {
  const found = cluster.objects.find((one) => one.kind === 'Namespace' && get(one, 'metadata', 'name') === namespace)
  return get(found, 'metadata', 'labels', key)
}

/** C.1: captured by its own word or its namespace's; what istiod makes for a Gateway is not. */
export function captured(cluster: NaiveCluster, pod: NaiveClusterPod): boolean {
  if (pod.hostNetwork || proxyOf(cluster, pod) !== undefined) return false
  const own = pod.labels['istio.io/dataplane-mode']
  return (own ?? namespaceLabel(cluster, pod.namespace, 'istio.io/dataplane-mode')) === 'ambient'
}

/** The Gateway whose proxy a pod is. */
export function proxyOf(cluster: NaiveCluster, pod: NaiveClusterPod): Plain | undefined {
  const name = pod.labels['gateway.networking.k8s.io/gateway-name']
  return name === undefined ? undefined : find(cluster, 'Gateway', `${pod.namespace}/${name}`)
}

export const isWaypoint = (proxy: unknown): boolean => get(proxy, 'spec', 'gatewayClassName') === 'istio-waypoint'

/** The pod that a Gateway's proxy runs in. */
export function podOfProxy(cluster: NaiveCluster, gateway: Plain): NaiveClusterPod | undefined {
  return cluster.pods.find((pod) => proxyOf(cluster, pod) === gateway)
}

export function toService(cluster: NaiveCluster, service: Plain, port: number): Destination {
  const selector = Object.entries((get(service, 'spec', 'selector') ?? {}) as Plain)
  const pod = cluster.pods.find(
    (one) =>
      one.namespace === get(service, 'metadata', 'namespace') &&
      selector.length > 0 &&
      selector.every(([key, value]) => one.labels[key] === value),
  )
  const target = get(portOf(service, port), 'targetPort') ?? port
  const podPort =
    typeof target === 'number' ? target : (pod?.ports.find(({ name }) => name === target)?.port ?? Number.NaN)
  const headless = get(service, 'spec', 'clusterIP') === 'None'
  return { service, pod, port, podPort, addressed: headless ? 'workload' : 'service' }
}

export function portOf(service: Plain | undefined, port: number): unknown {
  return entries(get(service, 'spec', 'ports')).find((one) => get(one, 'port') === port)
}

/**
 * C.7: the waypoint that a connection of that caller goes by. `undefined`: by none.
 */
export function waypointOn(
  cluster: NaiveCluster,
  from: NaiveClusterPod | undefined,
  { service, pod, addressed }: Destination,
): Plain | undefined {
  if (from === undefined) return undefined
  const target = addressed === 'service' ? get(service, 'metadata', 'labels') : pod?.labels
  const namespace = String(addressed === 'service' ? get(service, 'metadata', 'namespace') : pod?.namespace)
  const asked = (key: string): unknown => get(target, key) ?? namespaceLabel(cluster, namespace, key)

  const proxy = proxyOf(cluster, from)
  if (proxy === undefined && !captured(cluster, from)) return undefined
  if (isWaypoint(proxy)) return undefined
  // A gateway goes by it where the Service, or else its namespace, says so.
  if (proxy !== undefined && (addressed !== 'service' || asked('istio.io/ingress-use-waypoint') !== 'true'))
    return undefined

  const own = get(target, 'istio.io/use-waypoint')
  const name = own ?? namespaceLabel(cluster, namespace, 'istio.io/use-waypoint')
  if (name === undefined || name === 'none') return undefined
  // The namespace of the waypoint is said where the waypoint is.
  const where = own === undefined ? namespaceLabel(cluster, namespace, besides) : get(target, besides)
  const key = `${String(where ?? namespace)}/${String(name)}`
  const gateway = find(cluster, 'Gateway', key)
  if (gateway === undefined || !isWaypoint(gateway) || !cluster.readyOnce.has(key)) return undefined
  if (!admits(cluster, gateway, namespace)) return undefined
  const serves = get(gateway, 'metadata', 'labels', 'istio.io/waypoint-for') ?? 'service'
  return serves === addressed || serves === 'all' ? gateway : undefined
}

const besides = 'istio.io/use-waypoint-namespace'

/** Whose Services and pods a waypoint takes: those of its own namespace, unless its listener says otherwise. */
function admits(cluster: NaiveCluster, gateway: Plain, namespace: string): boolean {
  const [listener] = entries(get(gateway, 'spec', 'listeners'))
  const allowed = get(listener, 'allowedRoutes', 'namespaces')
  const from = get(allowed, 'from') ?? 'Same'
  if (from === 'Same') return get(gateway, 'metadata', 'namespace') === namespace
  const wanted = Object.entries((get(allowed, 'selector', 'matchLabels') ?? {}) as Plain)
  return from === 'All' || wanted.every(([key, value]) => namespaceLabel(cluster, namespace, key) === value)
}

const wellKnown = [25, 53, 3306, 27017]

/** C.7: what a Service's port is taken for. Undefined: that is found out. */
export function applicationOf(service: Plain | undefined, port: number): 'http' | 'tcp' | undefined {
  const entry = portOf(service, port)
  const said = get(entry, 'appProtocol')
  const word = String(said ?? get(entry, 'name') ?? '').toLowerCase()
  if (said !== undefined && /^kubernetes\.io\/(h2c|ws)$/.test(word)) return 'http'
  if (said !== undefined && word === 'kubernetes.io/wss') return 'tcp'
  if (word.startsWith('grpc-web')) return 'http'
  const [kind = ''] = word.split('-')
  if (['http', 'http2', 'grpc'].includes(kind)) return 'http'
  if (['tcp', 'tls', 'https', 'mongo', 'mysql', 'redis'].includes(kind)) return 'tcp'
  return wellKnown.includes(port) ? 'tcp' : undefined
}

/** The last address of X-Forwarded-For that is one; who called, where there is none. */
export function remoteOf(headers: { readonly [name: string]: string }, ip: string): string {
  const last = (headers['x-forwarded-for'] ?? '').split(',').at(-1)?.trim() ?? ''
  return /^[0-9.]+$|^[0-9a-f:]*:[0-9a-f:]*$/.test(last) && inBlock(last, last) ? last : ip
}
