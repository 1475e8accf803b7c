import type { Gateway, GatewayClass, Resource } from '@bulkhead/resources'
import { at, ofKind } from '../kinds.js'
import type { NotModelled } from '../not-modelled.js'

/** What istiod answers to in a GatewayClass, and which proxy it runs then. */
const controllers: Readonly<Record<string, ProxyKind>> = {
  'istio.io/gateway-controller': 'gateway',
  'istio.io/mesh-controller': 'waypoint',
}
/** The classes that it brings along. */
const builtIn: Readonly<Record<string, ProxyKind>> = { istio: 'gateway', 'istio-waypoint': 'waypoint' }

export type ProxyKind = 'gateway' | 'waypoint'

/** Which proxy istiod runs for a Gateway; undefined for a class of somebody else's (C.7). */
export function proxyKindOf(gateway: Resource<Gateway>, resources: readonly Resource[]): ProxyKind | undefined {
  const { gatewayClassName } = gateway.object.spec
  const declared = classOf(gateway, resources)
  if (declared === undefined) return Object.hasOwn(builtIn, gatewayClassName) ? builtIn[gatewayClassName] : undefined
  const { controllerName } = declared.object.spec
  return Object.hasOwn(controllers, controllerName) ? controllers[controllerName] : undefined
}

export function classOf(
  { object }: Resource<Gateway>,
  resources: readonly Resource[],
): Resource<GatewayClass> | undefined {
  return ofKind<GatewayClass>(resources, 'gateway.networking.k8s.io', 'GatewayClass').find(
    ({ name }) => name === object.spec.gatewayClassName,
  )
}

/**
 * Why istiod runs no proxy of its own for a Gateway, or one that the engine does not read; undefined for the others
 * (C.7, F.3).
 */
export function whyNotModelled(gateway: Resource<Gateway>, kind: ProxyKind | undefined): NotModelled | undefined {
  const { gatewayClassName, addresses = [] } = gateway.object.spec
  const found = (what: string, ...path: readonly (string | number)[]): NotModelled => ({
    effect: kind === 'waypoint' ? 'waypoint' : 'proxy',
    id: gateway.id,
    what,
    at: at(gateway, path),
  })
  if (kind === undefined) return found(`a gateway of class ${gatewayClassName}`, 'spec', 'gatewayClassName')
  // One IP address is a wish for the load balancer's; everything else means a proxy that somebody else runs.
  const [address] = addresses
  if (addresses.length > 1 || (address !== undefined && (address.type ?? 'IPAddress') !== 'IPAddress')) {
    return found(`a ${kind} with a deployment of its own`, 'spec', 'addresses')
  }
  return undefined
}
