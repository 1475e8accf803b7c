import { quote } from '../diagnostics.js'
import { gatewayGroup } from '../gateway-api.js'
import { apiGroup } from '../group.js'
import type { AuthorizationPolicy, Service } from '../kinds.js'
import { didYouMean } from '../suggest.js'
import type { Diagnostic, Resource } from '../types.js'
import { type Cluster, warning } from './cluster.js'

/*
 * Waypoints that are named and not there, and policies that only a waypoint would enforce where none is. Istio takes both
 * without a word: traffic then goes as if nobody had asked for anything.
 */

const USE = 'istio.io/use-waypoint'
const USE_NAMESPACE = 'istio.io/use-waypoint-namespace'
/** Who may name a waypoint. */
const NAMING = new Set(['v1 Namespace', 'v1 Service', 'v1 Pod', 'networking.istio.io/v1 ServiceEntry'])

export function checkWaypoints(cluster: Cluster): Diagnostic[] {
  return cluster.resources.flatMap((resource) => [...checkLabel(cluster, resource), ...checkPolicy(cluster, resource)])
}

/** `ns/name` of the waypoint that labels name; undefined for none. */
function namedIn(labels: Readonly<Record<string, string>>, namespace: string): string | undefined {
  const name = labels[USE]
  return name === undefined || name === 'none' ? undefined : `${labels[USE_NAMESPACE] || namespace}/${name}`
}

function checkLabel(cluster: Cluster, resource: Resource): Diagnostic[] {
  const { kind, object } = resource
  if (!NAMING.has(`${object.apiVersion} ${kind}`)) return []
  const home = kind === 'Namespace' ? resource.name : (resource.namespace ?? 'default')
  const named = namedIn(object.metadata.labels ?? {}, home)
  const [namespace = '', name = ''] = named?.split('/') ?? []
  if (named === undefined || cluster.hasGateway(namespace, name)) return []
  const hint = didYouMean(name, cluster.namesOf(gatewayGroup, 'Gateway', namespace))
  return [
    warning(
      resource,
      'reference.waypoint',
      ['metadata', 'labels', USE],
      `there is no Gateway ${quote(name)} in ${namespace}, and a waypoint that is missing is as none: calls go past every policy that is meant for it${hint}`,
    ),
  ]
}

/** A policy for a Service is its waypoint's to enforce; ztunnel and gateways never look at it. */
function checkPolicy(cluster: Cluster, resource: Resource): Diagnostic[] {
  const { kind, object } = resource
  if (kind !== 'AuthorizationPolicy' || apiGroup(object.apiVersion) !== 'security.istio.io') return []
  const namespace = resource.namespace ?? 'default'
  const { spec } = object as AuthorizationPolicy
  return [...(spec?.targetRefs ?? []).entries()].flatMap(([index, { group = '', kind: of, name }]) => {
    if (of !== 'Service' || (group !== '' && group !== 'core')) return []
    const service = cluster.get('', 'Service', namespace, name) as Resource<Service> | undefined
    if (service === undefined) return []
    const own = service.object.metadata.labels ?? {}
    const labels = own[USE] === undefined ? cluster.namespaceLabels(namespace) : own
    const why =
      service.object.spec.clusterIP === 'None'
        ? 'which is headless: its name leads to the pods, past every waypoint for Services'
        : namedIn(labels, namespace) === undefined
          ? `and no waypoint is before it (label ${USE} on the Service or its namespace)`
          : undefined
    if (why === undefined) return []
    const says = `it targets the Service ${quote(name)}, ${why}; so nobody enforces this policy`
    return [warning(resource, 'target.no-waypoint', ['spec', 'targetRefs', index], says)]
  })
}
