import type { Pod, Protocol, ServiceModel } from '../types.js'
import { targetPortOn } from './services.js'

/** One key for a port of a protocol. */
export function portKey(port: number, protocol: Protocol): string {
  return `${protocol}/${port}`
}

/**
 * What a pod can be expected to listen on. Kubernetes does not make a container declare its ports, so a port that a
 * Service sends to counts as well.
 */
export function expectedPorts(services: ReadonlyMap<string, ServiceModel>): (pod: Pod) => ReadonlySet<string> {
  const behind = new Map<string, ServiceModel[]>()
  for (const service of services.values()) {
    for (const key of service.endpoints) behind.set(key, [...(behind.get(key) ?? []), service])
  }
  const known = new WeakMap<Pod, ReadonlySet<string>>()
  return (pod) => {
    const before = known.get(pod)
    if (before !== undefined) return before
    const declared = pod.ports.map(({ port, protocol }) => portKey(port, protocol))
    const served = (behind.get(pod.key) ?? []).flatMap((service) =>
      service.ports.flatMap(({ port, protocol }) => {
        const target = targetPortOn(service, port, pod, protocol)
        return target === undefined ? [] : [portKey(target, protocol)]
      }),
    )
    const ports = new Set([...declared, ...served])
    known.set(pod, ports)
    return ports
  }
}
