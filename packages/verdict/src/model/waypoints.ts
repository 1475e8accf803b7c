import type { Gateway, Resource, Service } from '@bulkhead/resources'
import type { Pod } from '../types.js'
import { at, namespaceOf, ofKind } from './kinds.js'

/** A waypoint that traffic would go through. Waypoints are not modelled yet, so this ends in `unknown`. */
export interface WaypointRef {
  /** `namespace/name` of the Gateway. */
  readonly name: string
  readonly policy: string
  readonly layer: string | undefined
  readonly at: string
}

/** How a destination was called, and by whom. */
export interface Addressed {
  /** By this Service's name or address. */
  readonly service?: string
  readonly pod: Pod
  /** By a gateway. */
  readonly ingress?: boolean
}

const ingressUseWaypoint = 'istio.io/ingress-use-waypoint'

type Labels = Readonly<Record<string, string>>

/**
 * Finds the waypoint for how the destination was addressed (C.7): the object's own label wins over its namespace's,
 * `none` opts out, a name without a Gateway is as no waypoint, and a Gateway serves Services only, unless its
 * `istio.io/waypoint-for` says otherwise.
 */
export function indexWaypoints(
  resources: readonly Resource[],
  namespaceLabels: ReadonlyMap<string, Labels>,
): (addressed: Addressed) => WaypointRef | undefined {
  const gateways = new Map(
    ofKind<Gateway>(resources, 'gateway.networking.k8s.io', 'Gateway').map((gateway) => [
      `${namespaceOf(gateway)}/${gateway.name}`,
      gateway,
    ]),
  )
  const serviceLabels = new Map(
    ofKind<Service>(resources, '', 'Service').map((service) => [
      `${namespaceOf(service)}/${service.name}`,
      service.object.metadata.labels ?? {},
    ]),
  )
  return ({ service, pod, ingress }) => {
    if (gateways.size === 0) return undefined
    const own = service === undefined ? pod.labels : (serviceLabels.get(service) ?? {})
    const ofNamespace = namespaceLabels.get(pod.namespace) ?? {}
    // A gateway goes straight to the pod unless the Service, or its namespace, wants it to call like the others (C.7).
    const wanted = own[ingressUseWaypoint] ?? ofNamespace[ingressUseWaypoint]
    if (ingress === true && (service === undefined || wanted !== 'true')) return undefined
    const labels = own['istio.io/use-waypoint'] === undefined ? ofNamespace : own
    const name = labels['istio.io/use-waypoint']
    if (name === undefined || name === 'none') return undefined
    const key = `${labels['istio.io/use-waypoint-namespace'] ?? pod.namespace}/${name}`
    const gateway = gateways.get(key)
    if (gateway === undefined) return undefined
    const serves = gateway.object.metadata.labels?.['istio.io/waypoint-for'] ?? 'service'
    if (serves !== 'all' && serves !== (service === undefined ? 'workload' : 'service')) return undefined
    return { name: key, policy: gateway.id, layer: gateway.layer, at: at(gateway) }
  }
}
