import type { Resource, Service } from '@bulkhead/resources'
import { at, groupOf, ofKind, rawField } from './kinds.js'
import { hasSidecar } from './pods.js'
import { wantedPods } from './workloads.js'

export interface NotModelled {
  readonly id: string
  readonly what: string
  readonly at: string
}

/** Kinds that decide over traffic and that the engine does not read yet, as `group/Kind`. */
const kinds: Readonly<Record<string, string>> = {
  'networking.k8s.io/NetworkPolicy': 'isolates the pods that it selects',
  'cilium.io/CiliumNetworkPolicy': 'isolates the pods of its namespace that it selects',
  'cilium.io/CiliumClusterwideNetworkPolicy': 'isolates pods of every namespace',
  'cilium.io/CiliumLocalRedirectPolicy': 'sends traffic elsewhere',
  'cilium.io/CiliumEgressGatewayPolicy': 'sends traffic elsewhere',
  'policy.networking.k8s.io/ClusterNetworkPolicy': 'isolates pods of every namespace',
  'policy.networking.k8s.io/AdminNetworkPolicy': 'isolates pods of every namespace',
  'policy.networking.k8s.io/BaselineAdminNetworkPolicy': 'isolates pods of every namespace',
  'gateway.networking.k8s.io/Gateway': 'runs a gateway or a waypoint',
  'gateway.networking.k8s.io/HTTPRoute': 'routes requests',
  'gateway.networking.k8s.io/GRPCRoute': 'routes requests',
  'gateway.networking.k8s.io/TLSRoute': 'routes connections',
  'gateway.networking.k8s.io/TCPRoute': 'routes connections',
  'networking.k8s.io/Ingress': 'routes requests',
  'networking.istio.io/Gateway': 'runs a gateway',
  'networking.istio.io/VirtualService': 'routes requests',
  'networking.istio.io/ServiceEntry': 'adds names and endpoints',
  'networking.istio.io/WorkloadEntry': 'adds endpoints',
  'networking.istio.io/Sidecar': 'narrows what a proxy knows',
  'networking.istio.io/EnvoyFilter': 'changes what a proxy does',
  'discovery.k8s.io/EndpointSlice': 'adds endpoints',
  '/Endpoints': 'adds endpoints',
  'apps/ReplicaSet': 'runs pods',
  '/ReplicationController': 'runs pods',
  'batch/Job': 'runs pods',
  'batch/CronJob': 'runs pods',
  'argoproj.io/Rollout': 'runs pods',
}

/** Every object and field that decides something here and that the engine does not model, in the order of the objects. */
export function findNotModelled(resources: readonly Resource[]): NotModelled[] {
  const found: NotModelled[] = []
  for (const resource of resources) {
    const what = kinds[`${groupOf(resource.object)}/${resource.kind}`]
    if (what !== undefined) found.push({ id: resource.id, what: `${resource.kind} ${what}`, at: at(resource) })
  }
  for (const service of ofKind<Service>(resources, '', 'Service')) {
    if (rawField(service.object, 'spec', 'type') === 'ExternalName') {
      found.push({
        id: service.id,
        what: 'type ExternalName: another name answers for it',
        at: at(service, ['spec', 'type']),
      })
    }
  }
  for (const [pod] of wantedPods(resources, ['any'])) {
    if (pod === undefined || !hasSidecar(pod)) continue
    found.push({ id: pod.resource.id, what: 'a sidecar proxy carries its traffic', at: at(pod.resource) })
  }
  return found
}
