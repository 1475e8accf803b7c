import type { Resource, Service } from '@bulkhead/resources'
import type { Compile, Snapshot } from '../api.js'
import { compileNetwork } from '../network/compile-network.js'
import { routesServices } from '../points/waypoint/routed.js'
import { compileRoutes, type RouteIndex } from '../routes/compile.js'
import type { GatewayModel } from '../routes/types.js'
import type { NodeModel, Pod } from '../types.js'
import { readBackendTls } from './backend-tls.js'
import { readGateways } from './gateways/gateways.js'
import type { Generated } from './gateways/generate.js'
import { setInternals } from './internals.js'
import { at, namespaceOf, ofKind, readNamespaceLabels } from './kinds.js'
import { expectedPorts } from './listening.js'
import { resolveName } from './names.js'
import { findNotModelled, type NotModelled } from './not-modelled.js'
import { modelPlatform } from './platform.js'
import { buildPods } from './pods.js'
import { indexPolicies } from './policy-index.js'
import { buildServices, indexAddresses, targetPortOn } from './services.js'
import { indexWaypoints, type WaypointIndex } from './waypoints.js'

const defaultNodes = ['bulkhead-worker', 'bulkhead-worker2']

/**
 * Turns objects into a snapshot that is asked often: pods with their places and addresses, Services and what is behind
 * them, and for each class of equal pods the policies that select it. Throws CompileError (with file:line) for an
 * object that the API server would refuse.
 */
export const compile: Compile = (resources, options = {}) => {
  const { previous, trustDomain = 'cluster.local', rootNamespace = 'istio-system' } = options
  const nodes = modelNodes(options.nodes ?? defaultNodes)
  const namespaceLabels = readNamespaceLabels(resources)
  const { generated, notModelled: otherGateways } = readGateways(resources, namespaceLabels, options.kept)
  // What istiod makes of the Gateways stands last, so that a Gateway moves no pod.
  const all = [...resources, ...generated.flatMap(({ deployment, service }) => [deployment, service])]
  const generatedOf = new Map(generated.map((one) => [one.workload, one]))
  const pods = buildPods(all, {
    nodes,
    trustDomain,
    namespaceLabels,
    previous,
    lingering: options.lingering ?? [],
    podless: options.podless,
    gateways: generatedOf,
    running: options.running,
  })
  const services = buildServices(all, pods, previous)
  const platform = modelPlatform({ trustDomain, nodes, pods, services })
  const waypoints = indexWaypoints({
    resources: all,
    namespaceLabels,
    generated,
    readyOnce: options.waypointsReadyOnce,
    readyBefore: previous?.waypointsReadyOnce,
    services,
  })
  const routes = compileRoutes({ resources, services, namespaceLabels })
  const podsByIp = new Map<string, Pod>()
  for (const pod of platform.pods.values()) podsByIp.set(pod.ip, pod)
  for (const pod of pods.values()) if (!pod.hostNetwork) podsByIp.set(pod.ip, pod)
  const servicesByIp = indexAddresses(all, services)
  for (const service of platform.services.values()) {
    const { clusterIP } = service
    if (clusterIP !== undefined && !servicesByIp.has(clusterIP)) servicesByIp.set(clusterIP, service)
  }
  const named = new Map([...platform.services, ...services])
  const podsOf = new Map<string, Pod[]>()
  for (const pod of pods.values()) {
    const same = podsOf.get(pod.workload)
    if (same === undefined) podsOf.set(pod.workload, [pod])
    else same.push(pod)
  }
  const network = compileNetwork({ resources, services: all, namespaceLabels, options: options.network })
  const policiesOf = indexPolicies(resources, { rootNamespace, trustDomain }, generatedOf, network)
  for (const pod of pods.values()) {
    const { conflict } = policiesOf(pod).network
    if (conflict !== undefined) throw conflict
  }

  const gateways = new Map(
    generated.filter(({ kind }) => kind === 'gateway').map((one) => [one.key, modelGateway(one, routes)]),
  )
  const backendTls = readBackendTls(resources)
  const notModelled = findNotModelled(resources, namespaceLabels, {
    found: [...otherGateways, ...routesAtWaypoints(resources, waypoints), ...backendTls.found, ...network.notModelled],
    routes: routes.notModelled,
  })
  const snapshot: Snapshot = {
    resources,
    nodes,
    pods,
    platform: platform.platform,
    services,
    gateways,
    waypoints: waypoints.models,
    waypointsReadyOnce: waypoints.readyOnce,
    podByIp: (ip) => podsByIp.get(ip),
    serviceByIp: (ip) => servicesByIp.get(ip),
    resolveName: (name, namespace) => resolveName(name, namespace, named),
    targetPort: targetPortOn,
    notModelled: notModelled.map(({ id, what, at }) => ({ id, what, at })),
  }
  setInternals(snapshot, {
    trustDomain,
    rootNamespace,
    namespaceLabels,
    serviceObjects: new Map(
      ofKind<Service>(all, '', 'Service').map((service) => [`${namespaceOf(service)}/${service.name}`, service]),
    ),
    podsOf,
    platform,
    notModelled,
    sidecars: new Map(
      notModelled
        .filter(({ effect }) => effect === 'sidecar')
        .map((found) => [found.id.slice(found.id.indexOf('/') + 1), found]),
    ),
    policiesOf,
    network,
    routes,
    backendTls,
    waypointFor: waypoints.choose,
    listening: expectedPorts(services),
  })
  return Object.freeze(snapshot)
}

/** Routes of Services are a waypoint's to follow: without one they decide nothing. */
function routesAtWaypoints(resources: readonly Resource[], { models }: WaypointIndex): NotModelled[] {
  if (models.size === 0) return []
  const what = 'a Service as the parent of a route: it is followed by waypoints'
  return resources
    .filter(routesServices)
    .map((route) => ({ effect: 'routes', id: route.id, what, at: at(route, ['spec', 'parentRefs']) }))
}

function modelGateway({ gateway, key, workload }: Generated, routes: RouteIndex): GatewayModel {
  const { id, layer } = gateway
  return { key, id, ...(layer !== undefined && { layer }), at: at(gateway), workload, listeners: routes.listeners(key) }
}

/** kind's network: the control plane has the first address, the workers the next. */
function modelNodes(nodes: readonly (string | NodeModel)[]): NodeModel[] {
  if (nodes.length === 0 || nodes.length > 200)
    throw new RangeError(`a cluster has 1 to 200 nodes, not ${nodes.length}`)
  return nodes.map((node, index) => (typeof node === 'string' ? { name: node, ip: `172.18.0.${index + 3}` } : node))
}
