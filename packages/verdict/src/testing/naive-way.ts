import { naiveAuthorization, naiveStrict } from './naive.js'
import {
  captured,
  type Destination,
  find,
  isWaypoint,
  type NaiveCluster,
  type NaiveClusterPod,
  nameOf,
  podOfProxy,
  proxyOf,
  toService,
  waypointOn,
} from './naive-cluster.js'
import { naiveGateway } from './naive-gateway.js'
import type { NaiveAnswer } from './naive-http.js'
import { type NaiveNetworkPod, type NaivePayload, type NaiveWhy, naiveNetwork } from './naive-network.js'
import { naivePath } from './naive-path.js'
import { get, type NaiveRequest, type Plain } from './naive-patterns.js'
import { naiveSymptoms } from './naive-symptoms.js'
import { isRouted, naiveWaypoint, readsRequests } from './naive-waypoint.js'

/*
 * Test code: a call on its whole way, with a gateway and a waypoint where they are, judged by the naive evaluators of each
 * point one after the other (semantics 0). It shares no line with the engine.
 */

export interface NaiveCall {
  readonly from: NaiveClusterPod | { readonly ip: string }
  /** `namespace/name` of a Service, of the Gateway that is called from outside, or a pod. */
  readonly to: { readonly service: string } | { readonly gateway: string } | { readonly pod: NaiveClusterPod }
  readonly port: number
  /** Headers by lower-case name. */
  readonly request?: NaiveRequest
}

export interface Said {
  readonly hop: number
  readonly point: 'cni-egress' | 'cni-ingress' | 'ztunnel' | 'waypoint' | 'gateway' | 'network'
  readonly word: 'allow' | 'deny' | 'unknown'
  /** Each is as right as the others. */
  readonly codes: readonly string[]
}

/** Where a gateway's routes send what it gets: `namespace/name` of a Service and its port, or why nowhere. */
export type NaiveRouter = (
  gateway: string,
  port: number,
  request: NaiveRequest,
) => { readonly service: string; readonly port: number } | { readonly code: string }

/** A waypoint that reads requests, or one that does not. */
export type Station = 'gateway' | 'waypoint' | 'waypoint of connections'

/** A packet, as everybody between sees it. */
export interface NaiveHop {
  /** A workload, or an address outside. */
  readonly from: string
  readonly to: string
  readonly port: number
  /** Who the far side reads from the certificate. */
  readonly as?: string
}

export interface NaiveWay {
  readonly outcome: 'allow' | 'deny' | 'unknown'
  /** The first that denies. */
  readonly by?: Said
  readonly said: readonly Said[]
  readonly hops: readonly NaiveHop[]
  /** By hop, what it ends at, where that goes on. */
  readonly proxies: readonly Station[]
  /** What the client sees; each is as right as the others. None of what is unknown. */
  readonly symptoms: readonly string[]
  /** What the way went by, for those who count. */
  readonly stations: readonly string[]
}

export function naiveWay(cluster: NaiveCluster, call: NaiveCall, route: NaiveRouter): NaiveWay {
  const way = new Way(cluster, route)
  const from = 'workload' in call.from ? call.from : undefined
  if ('gateway' in call.to) way.throughGateway(call.from, call.to.gateway, call.port, call.request)
  else {
    const to = 'service' in call.to ? way.service(call.to.service, call.port) : ofPod(call.to.pod, call.port)
    way.send(0, from ?? call.from, to, call.request)
  }
  const by = way.said.find(({ word }) => word === 'deny')
  const unknown = way.said.some(({ word }) => word === 'unknown')
  const outcome = by !== undefined ? 'deny' : unknown ? 'unknown' : 'allow'
  const { said, hops, proxies, stations } = way
  const symptoms = naiveSymptoms(
    outcome,
    by,
    proxies,
    from !== undefined && captured(cluster, from),
    call.request?.path,
  )
  return { outcome, ...(by !== undefined && { by }), said, hops, proxies, symptoms, stations }
}

const ofPod = (pod: NaiveClusterPod, port: number): Destination => ({ pod, port, podPort: port, addressed: 'workload' })

const answers: { readonly [answer in NaiveAnswer]: readonly [Said['word'], string] } = {
  deny: ['deny', 'authz.rule-denies'],
  default: ['deny', 'authz.no-rule-allows'],
  open: ['allow', 'authz.no-allow-policy'],
  allow: ['allow', 'authz.rule-allows'],
  unknown: ['unknown', 'not-modelled'],
}

const networkCodes: { readonly [why in NaiveWhy]?: string } = {
  deny: 'cni.rule-denies',
  default: 'cni.default-deny',
  auth: 'cni.auth-required',
  sni: 'cni.sni-denied',
  http: 'cni.http-denied',
  dns: 'cni.dns-denied',
}

class Way {
  readonly said: Said[] = []
  readonly hops: NaiveHop[] = []
  readonly proxies: Station[] = []
  readonly stations: string[] = []
  readonly #cluster: NaiveCluster
  readonly #route: NaiveRouter

  constructor(cluster: NaiveCluster, route: NaiveRouter) {
    this.#cluster = cluster
    this.#route = route
  }

  service(name: string, port: number): Destination {
    const service = find(this.#cluster, 'Service', name)
    if (service === undefined) throw new RangeError(`no Service ${name}`)
    return toService(this.#cluster, service, port)
  }

  throughGateway(from: NaiveCall['from'], key: string, port: number, request: NaiveRequest | undefined): void {
    const gateway = find(this.#cluster, 'Gateway', key)
    const pod = gateway && podOfProxy(this.#cluster, gateway)
    if (gateway === undefined || pod === undefined || request === undefined) throw new RangeError(`no gateway ${key}`)
    this.proxies.push('gateway')
    this.stations.push('gateway')
    this.#packet(0, from, pod, port, { kind: 'http', ...ofWholeUrl(request) })
    const taken = this.#take(0, 'gateway', request)
    if (taken === undefined) return
    const headers = atGateway(taken.headers, from.ip)
    const seen = { ...taken, headers }
    const policies = this.#of('AuthorizationPolicy')
    const place = { namespace: pod.namespace, name: String(get(gateway, 'metadata', 'name')), labels: pod.labels }
    const asked = { ...seen, ip: from.ip, port, principal: null }
    this.#answer(0, 'gateway', naiveGateway(policies, { ...place, ip: pod.ip }, asked))
    const to = this.#route(key, port, seen)
    if ('code' in to) this.said.push({ hop: 0, point: 'gateway', word: 'deny', codes: [to.code] })
    else this.send(1, pod, this.service(to.service, to.port), seen)
  }

  send(hop: number, from: NaiveCall['from'], to: Destination, request: NaiveRequest | undefined): void {
    const source = 'workload' in from ? from : undefined
    const waypoint = waypointOn(this.#cluster, source, to)
    if (waypoint === undefined || source === undefined) this.#deliver(hop, from, to, request)
    else this.#throughWaypoint(hop, source, waypoint, to, request)
  }

  #throughWaypoint(
    hop: number,
    from: NaiveClusterPod,
    waypoint: Plain,
    to: Destination,
    request: NaiveRequest | undefined,
  ): void {
    const pod = podOfProxy(this.#cluster, waypoint)
    this.stations.push(`waypoint for ${to.addressed}`)
    if (pod === undefined) {
      this.stations.push('died')
      this.said.push({ hop, point: 'network', word: 'deny', codes: ['network.no-endpoint'] })
      return
    }
    this.#packet(hop, from, pod, 15008, { kind: 'tls' })
    const reads = readsRequests(to, request)
    this.proxies.push(reads ? 'waypoint' : 'waypoint of connections')
    this.stations.push(reads ? 'http' : 'tcp')
    const taken = reads && request !== undefined ? this.#take(hop, 'waypoint', request) : undefined
    if (reads && taken === undefined) return
    const seen = taken && { ...taken, headers: atWaypoint(taken.headers) }
    const caller = { ip: from.ip, principal: this.#identity(from) }
    this.#answer(hop, 'waypoint', naiveWaypoint(this.#cluster, waypoint, caller, to, seen))
    // Where it goes from there is then another question, which nobody here answers.
    if (isRouted(this.#cluster, to))
      this.said.push({ hop, point: 'waypoint', word: 'unknown', codes: ['not-modelled'] })
    this.#deliver(hop + 1, pod, to, seen ?? request)
  }

  /** To the pod itself. */
  #deliver(
    hop: number,
    from: NaiveCall['from'],
    { pod, podPort }: Destination,
    request: NaiveRequest | undefined,
  ): void {
    if (pod === undefined) {
      this.said.push({ hop, point: 'network', word: 'deny', codes: ['network.no-endpoint'] })
      return
    }
    const source = 'workload' in from ? from : undefined
    const inMesh = captured(this.#cluster, pod)
    const speaks =
      source !== undefined && (captured(this.#cluster, source) || proxyOf(this.#cluster, source) !== undefined)
    const tunnelled = speaks && inMesh
    const plain: NaivePayload = request === undefined ? { kind: 'other' } : { kind: 'http', ...ofWholeUrl(request) }
    this.#packet(hop, from, pod, tunnelled ? 15008 : podPort, tunnelled ? { kind: 'tls' } : plain)
    if (!inMesh) return
    const principal = tunnelled && source !== undefined ? this.#identity(source) : null
    const strict = principal === null && naiveStrict(this.#of('PeerAuthentication'), pod, podPort)
    this.said.push({ hop, point: 'ztunnel', word: strict ? 'deny' : 'allow', codes: ['mtls.strict-no-identity'] })
    const call = { pod, port: podPort, ip: from.ip, principal }
    this.#answer(hop, 'ztunnel', naiveAuthorization(this.#of('AuthorizationPolicy'), call))
  }

  /** As the network layers see it, at both ends. */
  #packet(hop: number, from: NaiveCall['from'], to: NaiveClusterPod, port: number, payload: NaivePayload): void {
    const as = payload.kind === 'tls' && 'workload' in from ? this.#identity(from) : undefined
    const name = 'workload' in from ? from.workload : from.ip
    this.hops.push({ from: name, to: to.workload, port, ...(as !== undefined && { as: `spiffe://${as}` }) })
    const ends: [Said['point'] & `cni-${string}`, NaiveNetworkPod | undefined, NaiveCall['from']][] = [
      ['cni-egress', 'workload' in from ? from : undefined, to],
      ['cni-ingress', to, from],
    ]
    for (const [point, pod, peer] of ends) {
      if (pod === undefined) continue
      const direction = point === 'cni-egress' ? 'egress' : 'ingress'
      const packet = { direction, pod, peer, port, protocol: 'TCP', learned: [], payload } as const
      const { outcome, why } = naiveNetwork(this.#cluster.world, packet)
      this.said.push({ hop, point, word: outcome, codes: why.map((one) => networkCodes[one] ?? one) })
    }
  }

  /** The request as a proxy's policies see it; undefined when the proxy does not take it. */
  #take(hop: number, point: 'gateway' | 'waypoint', request: NaiveRequest): NaiveRequest | undefined {
    const sent = ofWholeUrl(request)
    const path = naivePath(sent.path)
    if (path !== null && sent.method === sent.method.toUpperCase()) {
      // What is of this connection alone ends here, and so does what its sender declares to be.
      const own = (sent.headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase())
      const kept = Object.entries(sent.headers).filter(([name]) => name !== 'connection' && !own.includes(name))
      return { ...sent, path, headers: Object.fromEntries(kept) }
    }
    this.said.push({ hop, point, word: 'deny', codes: ['request.refused'] })
    return undefined
  }

  #answer(hop: number, point: Said['point'], answer: NaiveAnswer): void {
    const [word, code] = answers[answer]
    this.said.push({ hop, point, word, codes: [code] })
  }

  /** C.6, C.7: a pod's ServiceAccount; a waypoint's is named as its Gateway, a gateway's has `-istio` behind it. */
  #identity(pod: NaiveClusterPod): string {
    const proxy = proxyOf(this.#cluster, pod)
    const [namespace, name] = nameOf(proxy).split('/')
    if (proxy === undefined) return `${this.#cluster.trustDomain}/ns/${pod.namespace}/sa/${pod.serviceAccount}`
    return `${this.#cluster.trustDomain}/ns/${namespace}/sa/${name}${isWaypoint(proxy) ? '' : '-istio'}`
  }

  #of(kind: string): Plain[] {
    return this.#cluster.objects.filter((one) => one.kind === kind)
  }
}

/** A target that is a whole URL says the host, whatever Host says. */
function ofWholeUrl(request: NaiveRequest): NaiveRequest {
  const [, host = request.host, rest] = /^http:\/\/([^/?#]+)(.*)$/i.exec(request.path) ?? []
  if (rest === undefined) return request
  return { ...request, host, path: rest[0] === '/' ? rest : `/${rest}` }
}

type Headers = NaiveRequest['headers']

/** An edge proxy believes nothing of where a request has been. */
function atGateway(headers: Headers, ip: string): Headers {
  const { 'x-forwarded-client-cert': _certificate, 'x-forwarded-for': before, ...rest } = headers
  const all = before === undefined ? ip : `${before},${ip}`
  return { ...rest, 'x-forwarded-for': all, 'x-forwarded-proto': 'http', 'x-request-id': 'made anew' }
}

/** One inside believes all of it but the certificate, and makes what is missing. */
function atWaypoint(headers: Headers): Headers {
  const { 'x-forwarded-client-cert': _certificate, ...rest } = headers
  return { 'x-forwarded-proto': 'http', 'x-request-id': 'made', ...rest }
}
