import type { Resource } from '@bulkhead/resources'
import { at, groupOf, namespaceOf, rawField } from '../../model/kinds.js'

/*
 * Routes that a waypoint has for a Service, which are not modelled: the request may end elsewhere. Source: Gateway API's
 * parentRefs to a Service (GAMMA); istiod, listener_waypoint.go (getVirtualServiceForWaypoint): only objects of the Service's
 * own namespace or of the waypoint's count.
 */

const gatewayApi = 'gateway.networking.k8s.io'
const routeKinds: ReadonlySet<string> = new Set(['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute'])

/** Whether an object routes what is called by a Service's name, whichever. */
export function routesServices(resource: Resource): boolean {
  return groupOf(resource.object) === gatewayApi && routeKinds.has(resource.kind) && parents(resource).length > 0
}

/** What says where requests to the Service (`namespace/name`) go. */
export function routedBy(
  resources: readonly Resource[],
  service: string,
  waypointNamespace: string,
): { readonly what: string; readonly by: { layer: string | undefined; policy: string; at: string } } | undefined {
  const [namespace = '', name = ''] = service.split('/')
  const host = `${name}.${namespace}.svc.cluster.local`
  for (const resource of resources) {
    const own = namespaceOf(resource)
    if (own !== namespace && own !== waypointNamespace) continue
    const what = routesServices(resource)
      ? parents(resource).includes(service) && `an ${resource.kind} with a Service as its parent`
      : isVirtualServiceFor(resource, host) && 'a VirtualService'
    if (what) return { what, by: { layer: resource.layer, policy: resource.id, at: at(resource) } }
  }
  return undefined
}

/** The Services that a route names as its parents, as `namespace/name`. */
function parents(resource: Resource): readonly string[] {
  const listed = rawField(resource.object, 'spec', 'parentRefs')
  return (Array.isArray(listed) ? listed : []).flatMap((ref) => {
    const group = rawField(ref, 'group')
    const isService = rawField(ref, 'kind') === 'Service' && (group === '' || group === 'core')
    return isService ? [`${rawField(ref, 'namespace') ?? namespaceOf(resource)}/${rawField(ref, 'name')}`] : []
  })
}

/** Short names are of its own namespace; it is the mesh's unless it says that it is for gateways alone. */
function isVirtualServiceFor(resource: Resource, host: string): boolean {
  if (resource.kind !== 'VirtualService' || groupOf(resource.object) !== 'networking.istio.io') return false
  const gateways = rawField(resource.object, 'spec', 'gateways')
  if (Array.isArray(gateways) && gateways.length > 0 && !gateways.includes('mesh')) return false
  const hosts = rawField(resource.object, 'spec', 'hosts')
  return (Array.isArray(hosts) ? hosts : []).map(String).some((pattern) => {
    if (pattern.startsWith('*')) return host.endsWith(pattern.slice(1))
    return pattern === host || `${pattern}.${namespaceOf(resource)}.svc.cluster.local` === host
  })
}
