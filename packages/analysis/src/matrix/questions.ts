import { type Flow, outsideAddress, type Pod, type Protocol, type ServiceModel, type Snapshot } from '@bulkhead/verdict'
import { podName } from '../names.js'
import { outsideDestinations } from './outside.js'
import { gatewayDestinations } from './requests.js'

/** How a caller that is no pod of the cluster is named. */
export const outside = 'outside'

/** A column: something that can be called, and how it is asked about. */
export interface Destination {
  /** As the matrix names it; equal names in two snapshots are the same question. */
  readonly name: string
  readonly flow: Pick<Flow, 'to' | 'port' | 'protocol' | 'http' | 'tls'>
  /** The workloads behind it, sorted. Where there is only one, that one is not asked: it would call itself. */
  readonly workloads: readonly string[]
  /** `namespace/name` of the Gateway that is called, for a request to one. */
  readonly gateway?: string
  /** Outside of the cluster: everybody can call it, and the cluster's walls stand only before its own pods. */
  readonly beyond?: true
}

/** The rows: every workload that runs a pod, by name, and last the outside. */
export function sourcesOf(snapshot: Snapshot): readonly string[] {
  return [...podsByWorkload(snapshot).keys(), outside]
}

export function flowSource(source: string): Flow['from'] {
  return source === outside ? { external: outsideAddress } : { workload: source }
}

/**
 * The columns: requests to the gateways, the Services' ports, the ports of the pods themselves, which a caller can dial
 * past every Service, and what is outside.
 *
 * @param written what the way out is read from; the snapshot's own objects are no more than are in force
 */
export function destinationsOf(snapshot: Snapshot, written = snapshot.resources): readonly Destination[] {
  return [
    ...gatewayDestinations(snapshot),
    ...serviceDestinations(snapshot),
    ...podDestinations(snapshot),
    ...outsideDestinations(written),
  ]
}

function serviceDestinations(snapshot: Snapshot): readonly Destination[] {
  // What a gateway's own Service leads to is asked as requests, and a waypoint's own is nobody's to call.
  const gateways = new Set(
    [...snapshot.gateways.values(), ...snapshot.waypoints.values()].map(({ workload }) => workload),
  )
  return [...snapshot.services.values()]
    .filter(({ key }) => !gateways.has(key))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .flatMap((service) =>
      inOrder(service.ports.filter(isAsked)).map(({ port, protocol }) => ({
        name: `${service.key}:${portName(port, protocol)}`,
        flow: { to: { service: service.key }, port, ...(protocol !== 'TCP' && { protocol }) },
        workloads: workloadsBehind(snapshot, service, port, protocol),
      })),
    )
}

/** Where the Service names its pods' port, a pod that has none of that name is selected and gets nothing. */
function workloadsBehind(
  snapshot: Snapshot,
  service: ServiceModel,
  port: number,
  protocol: Protocol,
): readonly string[] {
  const pods = service.endpoints.flatMap((key) => snapshot.pods.get(key) ?? [])
  const behind = pods.filter((pod) => snapshot.targetPort(service, port, pod, protocol) !== undefined)
  return [...new Set(behind.flatMap(({ workload }) => workload ?? []))].sort()
}

function podDestinations(snapshot: Snapshot): readonly Destination[] {
  const served = servedPorts(snapshot)
  return [...podsByWorkload(snapshot)].flatMap(([workload, pods]) => {
    // What a gateway's pods listen on is asked as requests, and a waypoint's are asked for what is behind them.
    if (pods.some(({ gateway, waypoint }) => gateway !== undefined || waypoint !== undefined)) return []
    const ports = new Map<string, { readonly port: number; readonly protocol: Protocol }>()
    for (const pod of pods) {
      // A container need not declare a port: one that a Service sends to is listened on as well.
      for (const one of [...pod.ports, ...(served.get(pod.key) ?? [])].filter(isAsked)) {
        ports.set(portName(one.port, one.protocol), one)
      }
    }
    return inOrder([...ports.values()]).map(({ port, protocol }) => ({
      name: podName(`${workload}:${portName(port, protocol)}`),
      flow: { to: { workload }, port, ...(protocol !== 'TCP' && { protocol }) },
      workloads: [workload],
    }))
  })
}

/** The pods' ports that Services send to, by the pod's key. */
function servedPorts(snapshot: Snapshot): ReadonlyMap<string, readonly { port: number; protocol: Protocol }[]> {
  const served = new Map<string, { port: number; protocol: Protocol }[]>()
  for (const service of snapshot.services.values()) {
    for (const key of service.endpoints) {
      const pod = snapshot.pods.get(key)
      if (pod === undefined) continue
      const ports = service.ports.flatMap(({ port, protocol }) => {
        const target = snapshot.targetPort(service, port, pod, protocol)
        return target === undefined ? [] : [{ port: target, protocol }]
      })
      served.set(key, [...(served.get(key) ?? []), ...ports])
    }
  }
  return served
}

function podsByWorkload(snapshot: Snapshot): ReadonlyMap<string, readonly Pod[]> {
  const pods = new Map<string, Pod[]>()
  for (const pod of snapshot.pods.values()) {
    const same = pods.get(pod.workload)
    if (same === undefined) pods.set(pod.workload, [pod])
    else same.push(pod)
  }
  return new Map([...pods].sort(([a], [b]) => (a < b ? -1 : 1)))
}

const isAsked = ({ protocol }: { readonly protocol: Protocol }): boolean => protocol === 'TCP' || protocol === 'UDP'

/** `8080`, `53/UDP` */
const portName = (port: number, protocol: Protocol): string => (protocol === 'TCP' ? `${port}` : `${port}/${protocol}`)

function inOrder<P extends { readonly port: number; readonly protocol: Protocol }>(ports: readonly P[]): readonly P[] {
  return [...ports].sort((a, b) => a.port - b.port || (a.protocol < b.protocol ? -1 : 1))
}
