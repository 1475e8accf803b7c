import { BlockList, isIP, isIPv4 } from 'node:net'
import type { Pod, Protocol, ServiceModel, Snapshot } from '@bulkhead/verdict'
import type { Address } from './seams.js'

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
    }
  | { readonly kind: 'no-endpoint'; readonly remote: Address; readonly service: string }
  | { readonly kind: 'no-port'; readonly remote: Address; readonly service: string }
  | { readonly kind: 'unreachable'; readonly remote: Address }
  | { readonly kind: 'no-name'; readonly name: string }

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
  if (answer.kind !== 'service') return { kind: 'no-name', name: host }
  const { service } = answer
  return toService(request, service, { ip: service.clusterIP ?? '', port })
}

function byAddress(request: RouteRequest, ip: string): Route {
  const { snapshot, source, port } = request
  if (isLoopback(ip) || ip === source.ip) return { kind: 'loopback', remote: { ip, port }, port }
  const service = snapshot.serviceByIp(ip)
  if (service) return toService(request, service, { ip, port })
  const pod = snapshot.podByIp(ip)
  return pod ? { kind: 'pod', remote: { ip, port }, pod, port } : { kind: 'unreachable', remote: { ip, port } }
}

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
  return route.kind === 'loopback' || route.kind === 'no-name' ? undefined : route
}

function toService(request: Omit<RouteRequest, 'source'>, service: ServiceModel, remote: Address): Route {
  const { port, protocol, endpoints } = request
  const headless = service.clusterIP === undefined
  // A headless name is only a name for the pods' addresses: their ports are dialled as they are.
  if (!headless && !service.ports.some((candidate) => candidate.port === port && candidate.protocol === protocol))
    return { kind: 'no-port', remote, service: service.key }
  const candidates = readyEndpoints(request.snapshot, service, endpoints).flatMap((pod) => {
    const target = headless ? port : request.snapshot.targetPort(service, port, pod, protocol)
    return target === undefined ? [] : [{ pod, port: target }]
  })
  const chosen = candidates[endpoints.turn(service.key) % candidates.length]
  // A headless Service without ready pods has a name and no address.
  if (chosen === undefined)
    return headless ? { kind: 'no-name', name: request.host } : { kind: 'no-endpoint', remote, service: service.key }
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

/** IPv4 addresses of a name as that pod's resolver gives them; undefined: it has none. */
export function resolve(request: Omit<RouteRequest, 'port' | 'protocol'>): readonly string[] | undefined {
  const { snapshot, source, endpoints } = request
  const host = normalise(request.host)
  if (isIP(host) !== 0) return [host]
  if (host === source.name) return [source.ip]
  const answer = snapshot.resolveName(host, source.namespace)
  if (answer.kind !== 'service') return undefined
  const { service } = answer
  if (service.clusterIP !== undefined) return [service.clusterIP]
  const addresses = readyEndpoints(snapshot, service, endpoints).map(({ ip }) => ip)
  return addresses.length === 0 ? undefined : addresses
}
