import { parseAddress } from '../model/addresses.js'
import type { Pod, Protocol, Step } from '../types.js'

/** What a node sends to a captured pod of its own comes from here: the kubelet's probes, first of all (C.8). */
const probeAddresses = ['169.254.7.127', 'fd16:9254:7127:1337:ffff:ffff:ffff:ffff'] as const

/** The probe address of the family of that pod's. */
export function probeAddress(pod: Pod): string {
  return probeAddresses[pod.ip.includes(':') ? 1 : 0]
}

export function isProbeAddress(ip: string): boolean {
  const address = parseAddress(ip)?.toString()
  return probeAddresses.some((probe) => parseAddress(probe)?.toString() === address)
}

/** Why ztunnel of a captured pod is not asked about traffic to it; undefined when it is. */
export function whyPastZtunnel(protocol: Protocol, probe: boolean): string | undefined {
  if (protocol !== 'TCP') return `${protocol} is not captured, only TCP is`
  return probe ? 'what a node itself sends to its pods is not captured' : undefined
}

export function pastZtunnelStep(destination: Pod, why: string): Step {
  const facts = { pod: destination.workload, why }
  return { hop: 0, point: 'ztunnel', engine: 'istio', outcome: 'not-applicable', code: 'past-ztunnel', facts }
}
