import { applicationOf, type Destination, type NaiveCluster, nameOf, remoteOf } from './naive-cluster.js'
import { type NaiveAnswer, naiveHttp } from './naive-http.js'
import { entries, get, type NaiveRequest, type Plain } from './naive-patterns.js'

/*
 * Test code: a second evaluator of AuthorizationPolicy at a waypoint. Slow and plain, written from the specification alone
 * (semantics C.4, C.6, C.7); it shares no line with the engine.
 */

const rootNamespace = 'istio-system'

/** C.4: what is attached to the Service that was addressed, to the waypoint, or to the class of all waypoints. */
function inForce(policy: Plain, waypoint: Plain, { service, addressed }: Destination): boolean {
  const own = String(get(policy, 'metadata', 'namespace'))
  return entries(get(policy, 'spec', 'targetRefs')).some((ref) => {
    const target = `${own}/${String(get(ref, 'name'))}`
    switch (get(ref, 'kind')) {
      case 'Service':
        return addressed === 'service' && target === nameOf(service)
      case 'Gateway':
        return target === nameOf(waypoint)
      case 'GatewayClass':
        return own === rootNamespace && get(ref, 'name') === 'istio-waypoint'
      default:
        return false
    }
  })
}

/** Whether the waypoint reads requests there: a port's name says, or else what comes. */
export function readsRequests(to: Destination, request: NaiveRequest | undefined): boolean {
  const said = to.addressed === 'service' ? applicationOf(to.service, to.port) : undefined
  return said === undefined ? request !== undefined : said === 'http'
}

/** Whether the Service that was addressed has routes of its own. */
export function isRouted(cluster: NaiveCluster, { service, addressed }: Destination): boolean {
  const routes = cluster.objects.filter(({ kind }) => kind === 'HTTPRoute')
  return routes.some((route) =>
    entries(get(route, 'spec', 'parentRefs')).some((ref) => {
      const parent = `${get(ref, 'namespace') ?? get(route, 'metadata', 'namespace')}/${get(ref, 'name')}`
      return get(ref, 'kind') === 'Service' && addressed === 'service' && parent === nameOf(service)
    }),
  )
}

export function naiveWaypoint(
  cluster: NaiveCluster,
  waypoint: Plain,
  caller: { readonly ip: string; readonly principal: string },
  to: Destination,
  request: NaiveRequest | undefined,
): NaiveAnswer {
  const policies = cluster.objects.filter((one) => one.kind === 'AuthorizationPolicy' && inForce(one, waypoint, to))
  const ofService = to.addressed === 'service'
  return naiveHttp(policies, {
    ...caller,
    remoteIp: request === undefined ? caller.ip : remoteOf(request.headers, caller.ip),
    destinationIp: ofService ? String(cluster.clusterIps[nameOf(to.service)]) : String(to.pod?.ip),
    port: ofService ? to.port : to.podPort,
    trustDomain: cluster.trustDomain,
    ...(request !== undefined && { request }),
  })
}
