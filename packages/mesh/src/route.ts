import { BlockList, isIP, isIPv4 } from 'node:net'
import type { HopRequest, NextHop, NodeModel, Pod, Protocol, ServiceModel, Snapshot } from '@bulkhead/verdict'
import type { Engine } from './context.js'
import type { Via } from './node-port.js'
import type { Address, Place } from './seams.js'

/** Where a connect goes, before anything is judged. */
export type Route =
  /** The pod itself: only what it listens on. */
  | { readonly kind: 'loopback'; readonly remote: Address; readonly port: number }
  /** `port` is the container's, `remote` what the app dialled. */
  | {
      readonly kind: 'pod'
      readonly remote: Address
      readonly pod: Pod
      readonly port: number
      readonly service?: string
      readonly via?: Via
    }
  | { readonly kind: 'no-endpoint'; readonly remote: Address; readonly service: string; readonly via?: Via }
  /** `has`: the ports that it does have. */
  | { readonly kind: 'no-port'; readonly remote: Address; readonly service: string; readonly has: string }
  | { readonly kind: 'unreachable'; readonly remote: Address }
  | OutsideRoute
  /** `asked`: not a name of the cluster's, so kube-dns is asked, and whoever that asks. */
  | { readonly kind: 'no-name'; readonly name: string; readonly asked: boolean }

/** To what is no pod of the manifests. `to` is behind `remote` where that is a Service's. */
export interface OutsideRoute {
  readonly kind: 'outside'
  readonly remote: Address
  readonly to: Address
  readonly place: Place
  /** One of the pods that every cluster has. */
  readonly pod?: Pod
  readonly node?: NodeModel
  readonly service?: string
}

export type PodRoute = Extract<Route, { kind: 'pod' }>
/** An address that leads to no pod. */
export type DeadRoute = Extract<Route, { kind: 'no-endpoint' | 'no-port' | 'unreachable' }>

/** Picks one of the ready endpoints; a Service's pods are taken in turn. */
export interface Endpoints {
  isReady(key: string): boolean
  /** A number that grows by one with each call for that Service. */
  turn(service: string): number
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8)
loopback.addAddress('0.0.0.0')
loopback.addAddress('::1', 'ipv6')
loopback.addAddress('::', 'ipv6')
// IPv4 addresses in IPv6 dress (::ffff:127.0.0.1).
loopback.addSubnet('::ffff:127.0.0.0', 104, 'ipv6')

export const isLoopback = (ip: string): boolean => loopback.check(ip, isIPv4(ip) ? 'ipv4' : 'ipv6')

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

const normalise = (host: string): string => {
  if (/^(?:.*\.)?localhost\.?$/i.test(host)) return '127.0.0.1'
  return MAPPED.exec(host)?.[1] ?? host
}

export interface RouteRequest {
  readonly snapshot: Snapshot
  readonly source: Pod
  readonly host: string
  readonly port: number
  readonly protocol: Protocol
  readonly endpoints: Endpoints
}

export function routeTo(request: RouteRequest): Route {
  const { snapshot, source, port } = request
  const host = normalise(request.host)
  if (isIP(host) !== 0) return byAddress(request, host)
  // As /etc/hosts in a pod: its own name is its own address.
  if (host === source.name) return byAddress(request, source.ip)
  const answer = snapshot.resolveName(host, source.namespace)
  if (answer.kind !== 'service') return { kind: 'no-name', name: answer.name, asked: true }
  const { service } = answer
  return toService(request, service, { ip: service.clusterIP ?? '', port })
}

function byAddress(request: RouteRequest, ip: string): Route {
  const { snapshot, source, port } = request
  if (isLoopback(ip) || ip === source.ip) return { kind: 'loopback', remote: { ip, port }, port }
  const service = snapshot.serviceByIp(ip)
  if (service) return toService(request, service, { ip, port })
  const pod = snapshot.podByIp(ip)
  const remote = { ip, port }
  if (pod === undefined) return toAddress(request, remote)
  return snapshot.pods.has(pod.key) ? { kind: 'pod', remote, pod, port } : toPlatform(snapshot, pod, remote, remote)
}

/** The cluster's own ranges: an address in them that nobody has leads nowhere. */
const cluster = new BlockList()
cluster.addSubnet('10.244.0.0', 16)
cluster.addSubnet('10.96.0.0', 16)

function toAddress(request: Omit<RouteRequest, 'source' | 'host'>, remote: Address): Route {
  const { snapshot, protocol } = request
  const { ip, port } = remote
  const { controlPlane } = snapshot.platform
  const node = [...snapshot.nodes, controlPlane].find((candidate) => candidate.ip === ip)
  if (node !== undefined) {
    const exposed = byNodePort(snapshot, port, protocol)
    if (exposed !== undefined) {
      const route = toService({ ...request, host: ip, port: exposed.port }, exposed.service, remote)
      const via = { node, port }
      return route.kind === 'pod' || route.kind === 'no-endpoint' ? { ...route, via } : route
    }
    return { kind: 'outside', remote, to: remote, place: node === controlPlane ? 'control-plane' : 'node', node }
  }
  if (!isIPv4(ip) || cluster.check(ip)) return { kind: 'unreachable', remote }
  return { kind: 'outside', remote, to: remote, place: 'world' }
}

/** The Service behind a port that every node opens for it, where the manifests say which. */
function byNodePort(
  snapshot: Snapshot,
  port: number,
  protocol: Protocol,
): { readonly service: ServiceModel; readonly port: number } | undefined {
  for (const service of snapshot.services.values()) {
    const found = service.ports.find((one) => one.nodePort === port && one.protocol === protocol)
    if (service.external && found !== undefined) return { service, port: found.port }
  }
  return undefined
}

function toPlatform({ platform }: Snapshot, pod: Pod, remote: Address, to: Address, service?: string): OutsideRoute {
  const place = pod.key === platform.dns.key ? 'dns' : 'istiod'
  return { kind: 'outside', remote, to, place, pod, ...(service !== undefined && { service }) }
}

/** What every cluster has a Service for. */
function toPlatformService(snapshot: Snapshot, service: ServiceModel, remote: Address, protocol: Protocol): Route {
  const { dns, istiod, controlPlane } = snapshot.platform
  const found = service.ports.find((one) => one.port === remote.port && one.protocol === protocol)
  if (found === undefined) return noPort(remote, service)
  const pod = [dns, istiod].find(({ key }) => service.endpoints.includes(key))
  if (pod !== undefined) {
    const port = snapshot.targetPort(service, found.port, pod, protocol) ?? found.port
    return toPlatform(snapshot, pod, remote, { ip: pod.ip, port }, service.key)
  }
  if (service.key !== 'default/kubernetes') return { kind: 'no-endpoint', remote, service: service.key }
  const to = { ip: controlPlane.ip, port: typeof found.targetPort === 'number' ? found.targetPort : API_SERVER_PORT }
  return { kind: 'outside', remote, to, place: 'control-plane', node: controlPlane, service: service.key }
}

function noPort(remote: Address, { key, ports }: ServiceModel): Extract<Route, { kind: 'no-port' }> {
  const has = ports.map(({ port, protocol }) => `${port}/${protocol}`).join(', ')
  return { kind: 'no-port', remote, service: key, has: has === '' ? 'no port' : has }
}

/** Behind Service default/kubernetes, at the control plane's node. */
const API_SERVER_PORT = 6443

/** Where a caller outside the cluster gets to by a port of a Service; undefined for a Service that has no address. */
export function routeToService(
  snapshot: Snapshot,
  service: ServiceModel,
  port: number,
  endpoints: Endpoints,
): PodRoute | DeadRoute | undefined {
  if (service.clusterIP === undefined) return undefined
  const route = toService({ snapshot, port, protocol: 'TCP', endpoints, host: service.name }, service, {
    ip: service.clusterIP,
    port,
  })
  return route.kind === 'loopback' || route.kind === 'no-name' || route.kind === 'outside' ? undefined : route
}

function toService(request: Omit<RouteRequest, 'source'>, service: ServiceModel, remote: Address): Route {
  const { port, protocol, endpoints, snapshot } = request
  if (!snapshot.services.has(service.key)) return toPlatformService(snapshot, service, remote, protocol)
  const headless = service.clusterIP === undefined
  // A headless name is only a name for the pods' addresses: their ports are dialled as they are.
  if (!headless && !service.ports.some((candidate) => candidate.port === port && candidate.protocol === protocol))
    return noPort(remote, service)
  const candidates = readyEndpoints(request.snapshot, service, endpoints).flatMap((pod) => {
    const target = headless ? port : request.snapshot.targetPort(service, port, pod, protocol)
    return target === undefined ? [] : [{ pod, port: target }]
  })
  const chosen = candidates[endpoints.turn(service.key) % candidates.length]
  // A headless Service without ready pods has a name and no address.
  if (chosen === undefined)
    return headless
      ? { kind: 'no-name', name: request.host, asked: false }
      : { kind: 'no-endpoint', remote, service: service.key }
  return {
    kind: 'pod',
    remote: headless ? { ip: chosen.pod.ip, port } : remote,
    pod: chosen.pod,
    port: chosen.port,
    service: service.key,
  }
}

export function readyEndpoints(snapshot: Snapshot, service: ServiceModel, endpoints: Endpoints): readonly Pod[] {
  return service.endpoints.flatMap((key) => {
    const pod = snapshot.pods.get(key)
    return pod !== undefined && endpoints.isReady(key) ? [pod] : []
  })
}

/** IPv4 addresses of a name of the cluster's, as that pod's resolver gives them; `ask`: it is none of those. */
export function resolve(
  request: Omit<RouteRequest, 'port' | 'protocol'>,
): { readonly addresses: readonly string[] } | { readonly name: string; readonly ask: boolean } {
  const { snapshot, source, endpoints } = request
  const host = normalise(request.host)
  if (isIP(host) !== 0) return { addresses: [host] }
  if (host === source.name) return { addresses: [source.ip] }
  const answer = snapshot.resolveName(host, source.namespace)
  if (answer.kind !== 'service') return { name: answer.name, ask: true }
  const { service } = answer
  if (service.clusterIP !== undefined) return { addresses: [service.clusterIP] }
  const addresses = readyEndpoints(snapshot, service, endpoints).map(({ ip }) => ip)
  return addresses.length === 0 ? { name: host, ask: false } : { addresses }
}

/** Where a packet on that route really goes. What leads to no pod may still have a waypoint before it. */
export function nextHopOn(
  { nextHop }: Pick<Engine, 'nextHop'>,
  source: HopRequest['source'],
  route: PodRoute | DeadRoute,
  snapshot: Snapshot,
): NextHop {
  const key = 'service' in route ? route.service : undefined
  const service = key === undefined ? undefined : snapshot.services.get(key)
  const to =
    route.kind === 'pod'
      ? { destination: route.pod, port: route.port }
      : { destination: { ip: route.remote.ip }, port: route.remote.port }
  return nextHop({ source, ...to, ...(service && { service, servicePort: route.remote.port }) }, snapshot)
}
