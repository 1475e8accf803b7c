import type { Resource, Service } from '@bulkhead/resources'
import { isUnreadPolicy } from '../network/unread.js'
import { hasSidecar } from './capture.js'
import { type Claims, claimsOf } from './claims.js'
import { at, groupOf, ofKind, rawField } from './kinds.js'
import { wantedPods } from './workloads.js'

/** What such an object does, as far as it matters here. */
export type Effect =
  | 'isolates'
  | 'redirects'
  | 'proxy'
  | 'waypoint'
  | 'routes'
  | 'endpoints'
  | 'pods'
  | 'sidecar'
  | 'name'

export interface NotModelled {
  readonly effect: Effect
  readonly id: string
  readonly what: string
  readonly at: string
  /** The names, addresses and Services that it speaks for, where it is not about all. */
  readonly claims?: Claims
}

/** What the routes' own reader has found. */
type Unrouted = Pick<NotModelled, 'id' | 'what' | 'at'>

export const sidecarSays = 'a sidecar proxy instead of ztunnel'

/** Kinds that decide over traffic and that the engine does not read yet, as `group/Kind`. */
const kinds: Readonly<Record<string, readonly [Effect, string]>> = {
  'cilium.io/CiliumLocalRedirectPolicy': ['redirects', 'sends traffic elsewhere'],
  'cilium.io/CiliumEnvoyConfig': ['redirects', 'sends traffic through a proxy'],
  'cilium.io/CiliumClusterwideEnvoyConfig': ['redirects', 'sends traffic through a proxy'],
  'cilium.io/CiliumEgressGatewayPolicy': ['redirects', 'sends traffic elsewhere'],
  'gateway.networking.k8s.io/ListenerSet': ['proxy', 'adds listeners to a gateway'],
  'gateway.networking.x-k8s.io/XListenerSet': ['proxy', 'adds listeners to a gateway'],
  'networking.istio.io/Gateway': ['proxy', 'runs a gateway'],
  'networking.k8s.io/Ingress': ['proxy', 'lets requests in'],
  'gateway.networking.k8s.io/GRPCRoute': ['routes', 'routes requests'],
  'gateway.networking.k8s.io/TLSRoute': ['routes', 'routes connections'],
  'gateway.networking.k8s.io/TCPRoute': ['routes', 'routes connections'],
  'networking.istio.io/VirtualService': ['routes', 'routes requests'],
  'networking.istio.io/Sidecar': ['routes', 'narrows what a proxy knows'],
  'networking.istio.io/EnvoyFilter': ['routes', 'changes what a proxy does'],
  'extensions.istio.io/WasmPlugin': ['routes', 'changes what a proxy does'],
  'networking.istio.io/ServiceEntry': ['endpoints', 'adds names and endpoints'],
  'networking.istio.io/WorkloadEntry': ['endpoints', 'adds endpoints'],
  'discovery.k8s.io/EndpointSlice': ['endpoints', 'adds endpoints'],
  '/Endpoints': ['endpoints', 'adds endpoints'],
  'apps/ReplicaSet': ['pods', 'runs pods'],
  '/ReplicationController': ['pods', 'runs pods'],
  'batch/Job': ['pods', 'runs pods'],
  'batch/CronJob': ['pods', 'runs pods'],
  'argoproj.io/Rollout': ['pods', 'runs pods'],
}

/** Every object and field that decides something here and that the engine does not model, in the order of the objects. */
export function findNotModelled(
  resources: readonly Resource[],
  namespaceLabels: ReadonlyMap<string, Readonly<Record<string, string>>>,
  known: {
    /** Found by those who read the kind: Gateways whose proxy is not modelled, Services that are called with TLS of their own. */
    readonly found: readonly NotModelled[]
    /** What routes bring along that is not modelled. */
    readonly routes: readonly Unrouted[]
  },
): NotModelled[] {
  const found: NotModelled[] = [...known.found]
  const routed = new Set(known.routes.map(({ id }) => id))
  for (const route of known.routes) found.push({ ...route, effect: 'routes' })
  for (const resource of resources) {
    // Told once, and by who knows more of it.
    if (routed.has(resource.id)) continue
    const kind = isUnreadPolicy(resource) ? isolates(resource) : kinds[`${groupOf(resource.object)}/${resource.kind}`]
    if (kind === undefined) continue
    const [effect, what] = kind
    const claims = claimsOf(resource)
    const says = `${resource.kind} ${what}`
    found.push({ effect, id: resource.id, what: says, at: at(resource), ...(claims && { claims }) })
  }
  for (const service of ofKind<Service>(resources, '', 'Service')) {
    if (rawField(service.object, 'spec', 'type') === 'ExternalName') {
      found.push({
        effect: 'name',
        id: service.id,
        what: 'type ExternalName: another name answers for it',
        at: at(service, ['spec', 'type']),
      })
    }
    const claims = claimsOf(service)
    if (claims !== undefined) {
      const place = at(service, ['spec', 'externalIPs'])
      found.push({ effect: 'redirects', id: service.id, what: 'externalIPs of a Service', at: place, claims })
    }
  }
  for (const [pod] of wantedPods(resources, { workers: ['any'], controlPlane: 'any' })) {
    if (pod === undefined) continue
    const { namespace, resource, template } = pod
    const sidecar = hasSidecar({
      namespace,
      namespaceLabels: namespaceLabels.get(namespace) ?? {},
      labels: template.metadata?.labels ?? {},
      annotations: template.metadata?.annotations ?? {},
      hostNetwork: template.spec.hostNetwork === true,
    })
    if (!sidecar) continue
    found.push({ effect: 'sidecar', id: resource.id, what: sidecarSays, at: at(resource) })
  }
  return found
}

function isolates(resource: Resource): readonly [Effect, string] {
  const where = resource.namespace === undefined ? 'pods of every namespace' : 'the pods that it selects'
  return ['isolates', `isolates ${where}`]
}
