import type { Gateway, GatewayClass, Resource } from '@bulkhead/resources'
import { at, ofKind } from '../kinds.js'
import type { NotModelled } from '../not-modelled.js'

/** What istiod answers to in a GatewayClass, and the class that it brings along. */
const controller = 'istio.io/gateway-controller'
const builtIn = 'istio'

/**
 * Why istiod runs no proxy of its own for a Gateway, or one that the engine does not read; undefined for the others
 * (C.7, F.3).
 */
export function whyNotModelled(gateway: Resource<Gateway>, resources: readonly Resource[]): NotModelled | undefined {
  const { gatewayClassName, addresses = [] } = gateway.object.spec
  const found = (what: string, ...path: readonly (string | number)[]): NotModelled => ({
    effect: 'proxy',
    id: gateway.id,
    what,
    at: at(gateway, path),
  })
  const declared = ofKind<GatewayClass>(resources, 'gateway.networking.k8s.io', 'GatewayClass').find(
    ({ name }) => name === gatewayClassName,
  )
  const runs = declared?.object.spec.controllerName ?? (gatewayClassName === builtIn ? controller : undefined)
  if (runs !== controller) {
    const waypoint = gatewayClassName === 'istio-waypoint'
    const what = waypoint ? 'a waypoint' : `a gateway of class ${gatewayClassName}`
    return { ...found(what, 'spec', 'gatewayClassName'), ...(waypoint && { effect: 'waypoint' }) }
  }
  // One IP address is a wish for the load balancer's; everything else means a proxy that somebody else runs.
  const [address] = addresses
  if (addresses.length > 1 || (address !== undefined && (address.type ?? 'IPAddress') !== 'IPAddress')) {
    return found('a gateway with a deployment of its own', 'spec', 'addresses')
  }
  return undefined
}
