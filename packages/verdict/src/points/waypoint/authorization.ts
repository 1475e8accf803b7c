import type { Resource } from '@bulkhead/resources'
import { namespaceOf } from '../../model/kinds.js'
import type { Pod } from '../../types.js'
import { isGateway } from '../gateway/authorization.js'
import { type HttpAuthorization, httpAuthorization } from '../http/authorization.js'
import { type TargetRef, targetsOf } from '../policy/policies.js'
import { routedBy } from './routed.js'

/** What a waypoint's Envoy enforces, found once for each destination that it is on the way to. */
export interface WaypointAuthorizations {
  /**
   * @param service `namespace/name` of the Service that was called; undefined for a pod
   * @param tcp the connection carries no HTTP
   */
  to(service: string | undefined, tcp: boolean): HttpAuthorization
}

export interface WaypointPlace {
  readonly namespace: string
  /** The Gateway's own name, and its class. */
  readonly name: string
  readonly gatewayClass: string
  readonly annotations: Readonly<Record<string, string>>
  readonly trustDomain: string
}

/** The policies of a waypoint: those with targetRefs alone; what selects pods, or a whole namespace, is ztunnel's (C.4). */
export function waypointAuthorizations(
  resources: readonly Resource[],
  rootNamespace: string,
  waypoint: WaypointPlace,
): WaypointAuthorizations {
  const attached = resources.filter((resource) => targetsOf(resource).length > 0)
  const topology = /gatewayTopology/.test(waypoint.annotations['proxy.istio.io/config'] ?? '')
  const known = new Map<string, HttpAuthorization>()
  return {
    to: (service, tcp) => {
      const key = `${tcp ? 'tcp' : 'http'} ${service ?? ''}`
      const before = known.get(key)
      if (before !== undefined) return before
      const inForce = attached.filter((resource) => applies(resource, rootNamespace, waypoint, service))
      const { trustDomain, namespace } = waypoint
      const enforced = httpAuthorization(inForce, { topology, tcp, trustDomain })
      const routed = service === undefined ? undefined : routedBy(resources, service, namespace)
      const found = { ...enforced, altered: enforced.altered ?? routed }
      known.set(key, found)
      return found
    },
  }
}

/** One of its targets is the Service, in the policy's own namespace; or the waypoint; or, from the root, its class (C.4). */
function applies(
  resource: Resource,
  rootNamespace: string,
  { namespace, name, gatewayClass }: WaypointPlace,
  service: string | undefined,
): boolean {
  const own = namespaceOf(resource)
  return targetsOf(resource).some((target) => {
    if (isService(target, own)) return `${own}/${target.name}` === service
    if (isGateway(target, own)) return own === namespace && target.name === name
    return own === rootNamespace && isClass(target) && target.name === gatewayClass
  })
}

function isService({ group = '', kind, namespace }: TargetRef, own: string): boolean {
  return kind === 'Service' && (group === '' || group === 'core') && (namespace ?? own) === own
}

function isClass({ group, kind }: TargetRef): boolean {
  return kind === 'GatewayClass' && group === 'gateway.networking.k8s.io'
}

/** Where a pod is a waypoint's, its Gateway's own name. */
export function waypointName({ waypoint = '' }: Pod): string {
  return waypoint.slice(waypoint.indexOf('/') + 1)
}
