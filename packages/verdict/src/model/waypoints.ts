import type { Gateway, Resource, Service } from '@bulkhead/resources'
import { namespaceAllowed } from '@bulkhead/resources/gateway-api'
import { selectorMatches } from '@bulkhead/resources/selectors'
import type { WaypointModel } from '../routes/types.js'
import type { Pod, ServiceModel } from '../types.js'
import { classOf } from './gateways/classes.js'
import type { Generated } from './gateways/generate.js'
import { at, namespaceOf, ofKind } from './kinds.js'
import type { NotModelled } from './not-modelled.js'
import { targetPortOn } from './services.js'

/** Why a connection walks past a waypoint that is named for its destination (C.7). */
export type PastReason =
  | 'pod-address' // the pod was called, by its address or a headless Service's name, and the waypoint serves Services
  | 'service-address' // the Service was called, and the waypoint serves workloads
  | 'ingress' // a gateway calls, and the Service does not say ingress-use-waypoint
  | 'not-captured' // the caller is outside the mesh
  | 'not-allowed' // the Gateway's allowedRoutes let nothing of that namespace in
  | 'missing' // there is no Gateway of that name
  | 'never-ready' // there is one, and no pod of its has been ready yet

/** How a destination was called, and by whom. */
export interface Addressed {
  /** By this Service's name or address. */
  readonly service?: string
  /** By the pod's own address. */
  readonly pod?: Pod
  /** The container's, of a pod. */
  readonly port?: number
  readonly caller: 'captured' | 'ingress' | 'other'
}

/** What becomes of a connection to a destination that names a waypoint. */
export type WaypointChoice =
  | { readonly kind: 'through'; readonly model: WaypointModel }
  | { readonly kind: 'past'; readonly key: string; readonly why: PastReason }
  | { readonly kind: 'unread'; readonly found: Pick<NotModelled, 'what' | 'id' | 'at'> }

export interface WaypointIndex {
  readonly models: ReadonlyMap<string, WaypointModel>
  readonly readyOnce: ReadonlySet<string>
  /** Undefined where the destination names none. */
  choose(addressed: Addressed): WaypointChoice | undefined
}

type Labels = Readonly<Record<string, string>>

const useWaypoint = 'istio.io/use-waypoint'
const useWaypointNamespace = 'istio.io/use-waypoint-namespace'
/** A second waypoint that takes a part of the traffic: which part a call is in is not known. */
const useWaypointCanary = 'istio.io/use-waypoint-canary'
const ingressUseWaypoint = 'istio.io/ingress-use-waypoint'
const waypointFor = 'istio.io/waypoint-for'
const managed = 'gateway.istio.io/managed'

export interface WaypointSources {
  /** With what istiod makes of Gateways. */
  readonly resources: readonly Resource[]
  readonly namespaceLabels: ReadonlyMap<string, Labels>
  readonly generated: readonly Generated[]
  /** Undefined: every one whose Deployment has replicas, and those of before. */
  readonly readyOnce: ReadonlySet<string> | undefined
  readonly readyBefore: ReadonlySet<string> | undefined
  readonly services: ReadonlyMap<string, ServiceModel>
}

/** The waypoints of a set of objects, and who goes by them. */
export function indexWaypoints(sources: WaypointSources): WaypointIndex {
  const { resources, namespaceLabels } = sources
  const waypoints = sources.generated.filter(({ kind }) => kind === 'waypoint')
  const models = new Map(waypoints.map((one) => [one.key, modelOf(one, resources)]))
  const readyOnce = new Set(
    [...models.keys()].filter((key) => {
      if (sources.readyOnce !== undefined) return sources.readyOnce.has(key)
      const deployment = waypoints.find((one) => one.key === key)?.deployment.object.spec
      return sources.readyBefore?.has(key) === true || (deployment?.replicas ?? 1) > 0
    }),
  )
  const gateways = new Map(
    ofKind<Gateway>(resources, 'gateway.networking.k8s.io', 'Gateway').map((gateway) => [keyOf(gateway), gateway]),
  )
  const serviceLabels = new Map(
    ofKind<Service>(resources, '', 'Service').map((service) => [keyOf(service), service.object.metadata.labels ?? {}]),
  )
  const named = ({ service, pod, caller }: Addressed): WaypointChoice | undefined => {
    const namespace = service === undefined ? pod?.namespace : service.slice(0, service.indexOf('/'))
    if (namespace === undefined) return undefined
    const own = service === undefined ? (pod?.labels ?? {}) : (serviceLabels.get(service) ?? {})
    // A waypoint has none before itself.
    if (pod?.waypoint !== undefined || own[managed] === 'istio.io-mesh-controller') return undefined
    const ofNamespace = namespaceLabels.get(namespace) ?? {}
    // The object's own label wins over its namespace's, also where it leads nowhere.
    const labels = own[useWaypoint] === undefined ? ofNamespace : own
    const name = labels[useWaypoint]
    if (name === undefined || name === 'none') return undefined
    const key = `${labels[useWaypointNamespace] || namespace}/${name}`
    const past = (why: PastReason): WaypointChoice => ({ kind: 'past', key, why })
    const gateway = gateways.get(key)
    if (gateway === undefined) return past('missing')
    if (!letsIn(gateway, namespace, namespaceLabels)) return past('not-allowed')
    const model = models.get(key)
    const serves = model?.serves ?? servesOf(gateway, resources)
    const wants = service === undefined ? 'workload' : 'service'
    if (serves !== 'all' && serves !== wants) return past(service === undefined ? 'pod-address' : 'service-address')
    if (caller === 'other') return past('not-captured')
    // A gateway goes straight to the pod unless the Service, or its namespace, wants it to call like the others.
    const wanted = own[ingressUseWaypoint] ?? ofNamespace[ingressUseWaypoint]
    if (caller === 'ingress' && (service === undefined || wanted?.toLowerCase() !== 'true')) return past('ingress')
    if (model === undefined) {
      return { kind: 'unread', found: { what: `waypoint ${key}`, id: gateway.id, at: at(gateway) } }
    }
    const canary = service === undefined ? undefined : labels[useWaypointCanary]
    if (canary !== undefined && canary !== 'none') {
      return { kind: 'unread', found: { what: `a canary of waypoint ${key}`, id: model.id, at: model.at } }
    }
    return readyOnce.has(key) ? { kind: 'through', model } : past('never-ready')
  }
  const before = servicesBefore(sources.services)
  const choose = (addressed: Addressed): WaypointChoice | undefined => {
    const choice = named(addressed)
    const { pod, port, caller } = addressed
    if (choice !== undefined || pod === undefined || caller === 'ingress') return choice
    // The pod names none, and a Service before it does: whoever calls the pod goes round that.
    for (const service of before(pod, port)) {
      const other = named({ service: service.key, caller: 'captured' })
      const key = other?.kind === 'through' ? other.model.key : undefined
      if (key !== undefined) return { kind: 'past', key, why: caller === 'other' ? 'not-captured' : 'pod-address' }
    }
    return undefined
  }
  return { models, readyOnce, choose }
}

/** The Services with an address of their own that lead to that port of a pod. */
function servicesBefore(
  services: ReadonlyMap<string, ServiceModel>,
): (pod: Pod, port: number | undefined) => readonly ServiceModel[] {
  const byPod = new Map<string, ServiceModel[]>()
  for (const service of services.values()) {
    if (service.clusterIP === undefined) continue
    for (const key of service.endpoints) byPod.set(key, [...(byPod.get(key) ?? []), service])
  }
  return (pod, port) =>
    (byPod.get(pod.key) ?? []).filter((service) =>
      service.ports.some((one) => one.protocol === 'TCP' && targetPortOn(service, one.port, pod) === port),
    )
}

const keyOf = (resource: Resource): string => `${namespaceOf(resource)}/${resource.name}`

function modelOf({ gateway, key, workload }: Generated, resources: readonly Resource[]): WaypointModel {
  const { id, layer } = gateway
  const serves = servesOf(gateway, resources)
  return { key, id, ...(layer !== undefined && { layer }), at: at(gateway), workload, serves }
}

/** The Gateway's own label, or its class's; a word that istiod does not know serves nobody. */
function servesOf(gateway: Resource<Gateway>, resources: readonly Resource[]): WaypointModel['serves'] {
  const word =
    gateway.object.metadata.labels?.[waypointFor] ??
    classOf(gateway, resources)?.object.metadata.labels?.[waypointFor] ??
    'service'
  return word === 'service' || word === 'workload' || word === 'all' ? word : 'none'
}

/** Of its own namespace everything; of others what the first listener lets in. */
function letsIn(gateway: Resource<Gateway>, namespace: string, namespaceLabels: ReadonlyMap<string, Labels>): boolean {
  const [listener] = gateway.object.spec.listeners
  const home = namespaceOf(gateway)
  if (listener === undefined) return namespace === home
  return namespaceAllowed(listener, home, namespace, (selector) =>
    selectorMatches(selector, namespaceLabels.get(namespace) ?? { 'kubernetes.io/metadata.name': namespace }),
  )
}
