import type { Resource, Service } from '@bulkhead/resources'
import { labelsMatch } from '@bulkhead/resources/selectors'
import type { Snapshot } from '../api.js'
import type { Pod, Protocol, ServiceModel } from '../types.js'
import { parseAddress } from './addresses.js'
import { applicationOf } from './application.js'
import { hash53 } from './hash.js'
import { namespaceOf, ofKind, rawField } from './kinds.js'
import { platformAddresses } from './platform-addresses.js'

/** The Services with their addresses and the pods behind them. */
export function buildServices(
  resources: readonly Resource[],
  pods: ReadonlyMap<string, Pod>,
  previous: Snapshot | undefined,
): Map<string, ServiceModel> {
  const objects = ofKind<Service>(resources, '', 'Service')
  const keyOf = (resource: Resource): string => `${namespaceOf(resource)}/${resource.name}`
  const taken = new Set<string>(platformAddresses)
  for (const resource of objects) {
    const given = resource.object.spec.clusterIP
    const ip = given === undefined || given === '' ? previous?.services.get(keyOf(resource))?.clusterIP : given
    if (ip !== undefined) taken.add(ip)
  }
  const services = new Map<string, ServiceModel>()
  // Sorted, so that an address depends on the Services there are and not on the order of their files.
  for (const resource of [...objects].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))) {
    const key = keyOf(resource)
    const { spec } = resource.object
    const given = spec.clusterIP === '' ? undefined : spec.clusterIP
    const namespace = namespaceOf(resource)
    const clusterIP = given ?? previous?.services.get(key)?.clusterIP ?? freeAddress(key, taken)
    services.set(key, {
      key,
      namespace,
      name: resource.name,
      ...(clusterIP !== 'None' && { clusterIP }),
      ports: (spec.ports ?? []).map((port) => ({
        ...(port.name !== undefined && { name: port.name }),
        port: port.port,
        targetPort: port.targetPort ?? port.port,
        protocol: port.protocol ?? 'TCP',
        ...nodePortOf(port),
        ...applicationField(port),
      })),
      external: isExternal(rawField(spec, 'type')),
      endpoints: endpointsOf(namespace, spec.selector, pods),
    })
  }
  return services
}

const isExternal = (type: unknown): boolean => type === 'NodePort' || type === 'LoadBalancer'

function nodePortOf(port: object): { readonly nodePort?: number } {
  const nodePort = rawField(port, 'nodePort')
  return typeof nodePort === 'number' ? { nodePort } : {}
}

function applicationField(port: NonNullable<Service['spec']['ports']>[number]): {
  readonly application?: 'http' | 'tcp'
} {
  const application = applicationOf({ ...port, appProtocol: rawField(port, 'appProtocol') })
  return application === undefined ? {} : { application }
}

/** The Services by each address that leads to them: their cluster IPs and what a load balancer gave them. */
export function indexAddresses(
  resources: readonly Resource[],
  services: ReadonlyMap<string, ServiceModel>,
): Map<string, ServiceModel> {
  const index = new Map<string, ServiceModel>()
  for (const resource of ofKind<Service>(resources, '', 'Service')) {
    const service = services.get(`${namespaceOf(resource)}/${resource.name}`)
    if (service === undefined) continue
    const given = rawField(resource.object, 'status', 'loadBalancer', 'ingress')
    const balanced = Array.isArray(given) ? given.map((entry) => rawField(entry, 'ip')) : []
    const further = rawField(resource.object, 'spec', 'clusterIPs')
    for (const ip of [service.clusterIP, ...(Array.isArray(further) ? further : []), ...balanced]) {
      const address = typeof ip === 'string' ? parseAddress(ip) : undefined
      if (address !== undefined) index.set(address.toString(), service)
    }
  }
  return index
}

/** A Service without a selector has no endpoints of ours. Readiness is not looked at. */
function endpointsOf(
  namespace: string,
  selector: Readonly<Record<string, string>> | undefined,
  pods: ReadonlyMap<string, Pod>,
): string[] {
  if (selector === undefined || Object.keys(selector).length === 0) return []
  return [...pods.values()]
    .filter((pod) => pod.namespace === namespace && labelsMatch(selector, pod.labels))
    .map((pod) => pod.key)
    .sort()
}

function freeAddress(key: string, taken: Set<string>): string {
  const start = hash53(key)
  for (let step = 0; step < 65536; step++) {
    const index = (start + step) % 65536
    const ip = `10.96.${index >> 8}.${index & 255}`
    if ((index & 255) === 0 || (index & 255) === 255 || taken.has(ip)) continue
    taken.add(ip)
    return ip
  }
  throw new RangeError('more Services than 10.96.0.0/16 has addresses for')
}

/** The Service's port of that number, or undefined. */
export function servicePort(
  service: ServiceModel,
  port: number,
  protocol: Protocol = 'TCP',
): ServiceModel['ports'][number] | undefined {
  return service.ports.find((candidate) => candidate.port === port && candidate.protocol === protocol)
}

/** The container's port behind a Service's port on that pod. A named port is looked up in the pod, so pods may differ. */
export function targetPortOn(
  service: ServiceModel,
  port: number,
  pod: Pod,
  protocol: Protocol = 'TCP',
): number | undefined {
  const found = servicePort(service, port, protocol)
  if (found === undefined) return undefined
  if (typeof found.targetPort === 'number') return found.targetPort
  return pod.ports.find((candidate) => candidate.name === found.targetPort && candidate.protocol === protocol)?.port
}
