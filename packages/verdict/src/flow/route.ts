import type { Snapshot } from '../api.js'
import { claimed } from '../model/claims.js'
import { internalsOf } from '../model/internals.js'
import { rawField } from '../model/kinds.js'
import { portKey } from '../model/listening.js'
import type { NotModelled } from '../model/not-modelled.js'
import { apiServerPort, isApiServer } from '../model/platform.js'
import { servicePort, targetPortOn } from '../model/services.js'
import type { ReasonCode } from '../reasons.js'
import type { Flow, NodeModel, Pod, Protocol, ServiceModel, Step } from '../types.js'
import { type Called, type Caller, resolveDestination, type Unread } from './parties.js'

/** Something that ends the connection and is no wall. */
export interface Obstacle {
  readonly code: ReasonCode
  readonly outcome: 'deny' | 'unknown'
  readonly facts: Readonly<Record<string, string | number>>
  readonly by?: Pick<Step, 'layer' | 'policy' | 'at'>
}

/** How far a flow's connection can come. */
export interface Route {
  /** The destination as people call it. */
  readonly name: string
  readonly pod?: Pod
  /** For what is no pod. */
  readonly address?: { readonly name: string; readonly ip: string }
  readonly node?: NodeModel
  readonly service?: ServiceModel
  /**
   * A node, and its port, through which the packet comes to the pod: kube-proxy takes it there and sends it on from the
   * node's address, so neither end of it sees the other.
   */
  readonly via?: { readonly node: NodeModel; readonly port: number }
  /** The name that kube-dns is asked for before anything is sent there. */
  readonly question?: string
  /** The container's port, or the outside's. */
  readonly port: number
  readonly loopback?: boolean
  /** Before the destination: no packet arrives there. */
  readonly before?: Obstacle
  /** At the destination, after all walls. */
  readonly after?: Obstacle
}

/** Resolves the destination and picks the endpoint: the first in order that is not the caller itself. */
export function planRoute(flow: Flow, caller: Caller, snapshot: Snapshot): Route {
  const called = resolveDestination(flow.to, caller, snapshot)
  const route = routeOf(called, flow, caller, snapshot)
  return called.question === undefined ? route : { ...route, question: called.question }
}

function routeOf(called: Called, flow: Flow, caller: Caller, snapshot: Snapshot): Route {
  const { name, target } = called
  const { port, protocol = 'TCP' } = flow
  switch (target.kind) {
    case 'service':
      return serviceRoute(target.service, name, port, protocol, caller, snapshot)
    case 'pod':
      return {
        name,
        pod: target.pod,
        port,
        ...nothingListens(target.pod, port, protocol, called.listensOnAll === true, snapshot),
      }
    case 'loopback':
      return loopbackRoute(called, port, protocol, caller, snapshot)
    case 'node':
      return nodeRoute(target.node, name, port, protocol, caller, snapshot)
    case 'outside':
      return { name, address: { name: target.host, ip: target.ip ?? target.host }, port }
    case 'not-modelled':
      return { name, address: { name, ip: name }, port, before: notModelled(target.found) }
    case 'nowhere':
      return {
        name,
        address: { name: target.host, ip: target.host },
        port,
        before: { code: target.code, outcome: 'deny', facts: { host: target.host } },
      }
  }
}

function nodeRoute(
  node: NodeModel,
  name: string,
  port: number,
  protocol: Protocol,
  caller: Caller,
  snapshot: Snapshot,
): Route {
  const exposed = byNodePort(port, protocol, snapshot)
  if (exposed !== undefined) {
    const route = serviceRoute(exposed.service, name, exposed.port, protocol, caller, snapshot)
    // Whoever is no pod comes to the node anyway; which address it shows is the doing of what forwards it.
    return caller.kind === 'pod' && !caller.pod.hostNetwork ? { ...route, via: { node, port } } : route
  }
  return { name, address: { name, ip: node.ip }, node, port, ...noNodePort(port, name, snapshot) }
}

/** The Service behind a port that every node opens for it, where the manifests say which. */
function byNodePort(
  port: number,
  protocol: Protocol,
  snapshot: Snapshot,
): { readonly service: ServiceModel; readonly port: number } | undefined {
  for (const service of snapshot.services.values()) {
    const found = service.ports.find((candidate) => candidate.nodePort === port && candidate.protocol === protocol)
    if (service.external && found !== undefined) return { service, port: found.port }
  }
  return undefined
}

/** Of the range for node ports one that no Service has. A port that no manifest pins may be any of them. */
function noNodePort(port: number, node: string, snapshot: Snapshot): { readonly after?: Obstacle } {
  if (port < 30000 || port > 32767) return {}
  const exposed = [...snapshot.services.values()].filter(({ external }) => external).flatMap(({ ports }) => ports)
  if (exposed.some(({ nodePort }) => nodePort === undefined)) return {}
  const has = exposed.map(({ nodePort }) => nodePort).join(', ')
  const facts = { what: node, port, has: has === '' ? 'no node port' : `the node ports ${has}` }
  return { after: { code: 'network.nothing-listens', outcome: 'deny', facts } }
}

export function serviceRoute(
  service: ServiceModel,
  name: string,
  port: number,
  protocol: Protocol,
  caller: Caller,
  snapshot: Snapshot,
): Route {
  const self = caller.kind === 'pod' ? caller.pod.key : undefined
  const { platform } = internalsOf(snapshot)
  const pods = service.endpoints.flatMap((key) => snapshot.pods.get(key) ?? platform.pods.get(key) ?? [])
  const found = pods.filter((pod) => targetPortOn(service, port, pod, protocol) !== undefined)
  const pod = found.find((candidate) => candidate.key !== self) ?? found[0]
  const address = { name: service.key, ip: service.clusterIP ?? service.key }
  const outOfReach = servesNobody(service, caller, snapshot)
  if (outOfReach !== undefined) return { name, address, service, port, before: outOfReach }

  // A gateway knows the Service's endpoints with their ports, and resolves no name.
  const resolves = caller.kind !== 'pod' || caller.pod.gateway === undefined
  if (service.clusterIP === undefined && resolves)
    return headlessRoute(service, name, port, protocol, pods, self, snapshot)

  // A port that the Service does not have: its pods are there, and nothing leads to them.
  if (servicePort(service, port, protocol) === undefined) {
    const has = service.ports.map((candidate) => `${candidate.port}/${candidate.protocol}`).join(', ')
    const facts = { what: `Service ${service.key}`, port, has: has === '' ? 'no port' : has }
    return { name, address, service, port, before: { code: 'network.nothing-listens', outcome: 'deny', facts } }
  }
  if (isApiServer(service, platform)) {
    const { controlPlane } = snapshot.platform
    const node = { name: `node ${controlPlane.name}`, ip: controlPlane.ip }
    return { name, address: node, node: controlPlane, service, port: apiServerPort }
  }
  if (pod === undefined) {
    return {
      name,
      address,
      service,
      port,
      before: { code: 'network.no-endpoint', outcome: 'deny', facts: { service: service.key } },
    }
  }
  return { name, pod, service, port: targetPortOn(service, port, pod, protocol) ?? port }
}

/** A headless Service is only a name for its pods' addresses: their ports are dialled as they are, past any waypoint. */
function headlessRoute(
  service: ServiceModel,
  name: string,
  port: number,
  protocol: Protocol,
  pods: readonly Pod[],
  self: string | undefined,
  snapshot: Snapshot,
): Route {
  const pod = pods.find((candidate) => candidate.key !== self) ?? pods[0]
  if (pod !== undefined) return { name, pod, port, ...nothingListens(pod, port, protocol, false, snapshot) }
  const facts = { host: name }
  const address = { name: service.key, ip: service.key }
  return { name, address, port, before: { code: 'network.no-such-name', outcome: 'deny', facts } }
}

/** Services whose traffic goes somewhere that we do not model, or nowhere from where the caller is. */
function servesNobody(service: ServiceModel, caller: Caller, snapshot: Snapshot): Obstacle | undefined {
  const { serviceObjects, notModelled: unread, platform } = internalsOf(snapshot)
  const object = serviceObjects.get(service.key)?.object
  const type = rawField(object, 'spec', 'type') ?? 'ClusterIP'
  const byMesh = caller.kind === 'pod' && caller.pod.mesh
  // Its pods may be of a kind that is not modelled, or listed by hand.
  const mayHavePods = ({ id, effect }: NotModelled): boolean =>
    service.endpoints.length === 0 &&
    !isApiServer(service, platform) &&
    (effect === 'endpoints' || (effect === 'pods' && id.split('/')[1] === service.namespace))
  const unknown = unread.find(
    (found) =>
      (found.effect === 'name' && found.id === `Service/${service.key}`) ||
      (found.claims !== undefined && claimed(found.claims, { service: service.key }, byMesh)) ||
      mayHavePods(found),
  )
  if (unknown !== undefined) return notModelled(unknown)
  if (caller.kind !== 'outside' || type === 'NodePort' || type === 'LoadBalancer') return undefined
  // From outside only a gateway leads to a cluster IP, and this may be one that is not modelled.
  const gateway = unread.find(({ effect }) => effect === 'proxy')
  if (gateway !== undefined) return notModelled(gateway)
  const why = 'a cluster IP is for callers inside; from outside a NodePort, a load balancer or a gateway leads in'
  return { code: 'network.unreachable', outcome: 'deny', facts: { host: service.clusterIP ?? service.key, why } }
}

export function notModelled({ what, id, at }: Unread): Obstacle {
  const by = { ...(id !== undefined && { policy: id }), ...(at !== undefined && { at }) }
  return { code: 'not-modelled', outcome: 'unknown', facts: { what }, by }
}

function loopbackRoute(called: Called, port: number, protocol: Protocol, caller: Caller, snapshot: Snapshot): Route {
  if (caller.kind !== 'pod') {
    return { name: called.name, address: { name: caller.name, ip: caller.ip }, port, loopback: true }
  }
  const { pod } = caller
  return { name: called.name, pod, port, loopback: true, ...nothingListens(pod, port, protocol, false, snapshot) }
}

function nothingListens(
  pod: Pod,
  port: number,
  protocol: Protocol,
  listensOnAll: boolean,
  snapshot: Snapshot,
): { readonly after?: Obstacle } {
  if (listensOnAll || protocol === 'ICMP') return {}
  const expected = internalsOf(snapshot).listening(pod)
  if (expected.has(portKey(port, protocol))) return {}
  const has = [...expected].map((key) => key.split('/').reverse().join('/')).join(', ')
  const facts = { what: pod.workload, port, has: has === '' ? 'no port' : has }
  return { after: { code: 'network.nothing-listens', outcome: 'deny', facts } }
}
