import { quote } from '../diagnostics.js'
import { gatewayGroup, permits } from '../gateway-api.js'
import type { Service } from '../kinds.js'
import type { HttpBackendRef, HttpRoute, ReferenceGrant } from '../kinds-gateway.js'
import { didYouMean } from '../suggest.js'
import type { Diagnostic, FieldPath, Resource } from '../types.js'
import { type Cluster, warning } from './cluster.js'

const ANSWERED = 'so requests that it would take are answered 500'

/** Where a route sends requests: a Service that is there, with that port, in its own namespace or with a grant. */
export function checkBackends(cluster: Cluster, route: Resource<HttpRoute>): Diagnostic[] {
  return [...(route.object.spec.rules ?? []).entries()].flatMap(([rule, { backendRefs = [] }]) =>
    [...backendRefs.entries()].flatMap(([index, ref]) =>
      checkBackend(cluster, route, ref, ['spec', 'rules', rule, 'backendRefs', index]),
    ),
  )
}

function checkBackend(
  cluster: Cluster,
  route: Resource<HttpRoute>,
  { group = '', kind = 'Service', namespace, name, port }: HttpBackendRef,
  path: FieldPath,
): Diagnostic[] {
  const own = route.namespace ?? 'default'
  const home = namespace ?? own
  const say = (code: string, field: string, message: string) => [warning(route, code, [...path, field], message)]
  if (group !== '' || kind !== 'Service')
    return say('reference.backend-kind', 'kind', `a ${kind} is no backend that Istio's gateways know, ${ANSWERED}`)

  const service = cluster.get('', 'Service', home, name) as Resource<Service> | undefined
  if (service === undefined) {
    const hint = didYouMean(name, cluster.namesOf('', 'Service', home))
    return say('reference.service', 'name', `there is no Service ${quote(name)} in ${home}, ${ANSWERED}${hint}`)
  }
  const target = { group, kind, namespace: home, name }
  const granted = cluster.resources.some(
    (one) =>
      one.kind === 'ReferenceGrant' &&
      one.object.apiVersion.startsWith(`${gatewayGroup}/`) &&
      permits((one as Resource<ReferenceGrant>).object.spec, one.namespace ?? 'default', own, target),
  )
  if (home !== own && !granted)
    return say(
      'reference.grant',
      'namespace',
      `${home} has no ReferenceGrant that lets an HTTPRoute of ${own} refer to the Service ${quote(name)}, ${ANSWERED}; write one in ${home}`,
    )
  const ports = (service.object.spec.ports ?? []).filter(({ protocol = 'TCP' }) => protocol === 'TCP')
  if (port === undefined || ports.some((one) => one.port === port)) return []
  const behind = ports.find(({ targetPort }) => targetPort === port)
  const hint =
    behind === undefined
      ? `it has ${ports.map((one) => one.port).join(', ') || 'none'}`
      : `${port} is the pods' port, and the Service's is ${behind.port}`
  return say('reference.port', 'port', `the Service ${quote(name)} has no port ${port}, ${ANSWERED}; ${hint}`)
}
