import { quote } from '../diagnostics.js'
import { gatewayGroup } from '../gateway-api.js'
import type { Gateway, ReferenceGrant } from '../kinds-gateway.js'
import { didYouMean } from '../suggest.js'
import type { Diagnostic, Resource } from '../types.js'
import { type Cluster, warning } from './cluster.js'

/** Made by istiod, on every cluster with Istio. */
const BUILT_IN = ['istio', 'istio-waypoint', 'istio-remote', 'istio-east-west']

/** What Gateways and ReferenceGrants name. */
export function checkGateways(cluster: Cluster): Diagnostic[] {
  return cluster.resources.flatMap((resource) => {
    if (!resource.object.apiVersion.startsWith(`${gatewayGroup}/`)) return []
    if (resource.kind === 'Gateway') return checkGateway(cluster, resource as Resource<Gateway>)
    return resource.kind === 'ReferenceGrant' ? checkGrant(cluster, resource as Resource<ReferenceGrant>) : []
  })
}

function checkGateway(cluster: Cluster, resource: Resource<Gateway>): Diagnostic[] {
  const { gatewayClassName, infrastructure, listeners } = resource.object.spec
  const found: Diagnostic[] = []
  const say = (code: string, path: readonly (string | number)[], message: string) =>
    found.push(warning(resource, code, ['spec', ...path], message))

  const isClass = cluster.get(gatewayGroup, 'GatewayClass', undefined, gatewayClassName) !== undefined
  if (!isClass && !BUILT_IN.includes(gatewayClassName)) {
    const hint = didYouMean(gatewayClassName, [...BUILT_IN, ...cluster.namesOf(gatewayGroup, 'GatewayClass')])
    say(
      'reference.gateway-class',
      ['gatewayClassName'],
      `there is no GatewayClass ${quote(gatewayClassName)}, so nobody runs this Gateway${hint}`,
    )
  }
  const parameters = infrastructure?.parametersRef
  if (
    parameters?.kind === 'ConfigMap' &&
    cluster.get('', 'ConfigMap', resource.namespace, parameters.name) === undefined
  )
    say(
      'reference.config-map',
      ['infrastructure', 'parametersRef', 'name'],
      `there is no ConfigMap ${quote(parameters.name)} in ${resource.namespace}, so istiod does not deploy this Gateway`,
    )
  for (const [index, { allowedRoutes }] of listeners.entries()) {
    const { from, selector } = allowedRoutes?.namespaces ?? {}
    if (from === 'Selector' && selector === undefined)
      say(
        'selector.missing',
        ['listeners', index, 'allowedRoutes', 'namespaces'],
        'from: Selector without a selector: Istio lets routes of every namespace in; name labels, or write from: All',
      )
    if (from !== 'Selector' && selector !== undefined)
      say(
        'selector.ignored',
        ['listeners', index, 'allowedRoutes', 'namespaces', 'selector'],
        `a selector goes with from: Selector; with ${from ?? 'Same (the default)'} it is ignored`,
      )
  }
  return found
}

/** A grant to or from nothing opens nothing; it was meant for another name. */
function checkGrant(cluster: Cluster, resource: Resource<ReferenceGrant>): Diagnostic[] {
  const { from, to } = resource.object.spec
  const namespaces = [...from.entries()].flatMap(([index, { namespace }]) =>
    cluster.lacksNamespace(namespace)
      ? [
          warning(
            resource,
            'reference.namespace',
            ['spec', 'from', index, 'namespace'],
            `there is no Namespace ${quote(namespace)}`,
          ),
        ]
      : [],
  )
  const referents = [...to.entries()].flatMap(([index, { group, kind, name }]) => {
    const isService = group === '' && kind === 'Service'
    if (!isService || name === undefined || cluster.get('', kind, resource.namespace, name) !== undefined) return []
    const hint = didYouMean(name, cluster.namesOf('', 'Service', resource.namespace))
    return [
      warning(
        resource,
        'reference.service',
        ['spec', 'to', index, 'name'],
        `there is no Service ${quote(name)} in ${resource.namespace}${hint}`,
      ),
    ]
  })
  return [...namespaces, ...referents]
}
