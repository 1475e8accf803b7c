import type { Snapshot } from '../api.js'
import { isLoopback, parseAddress, parseBlock } from '../model/addresses.js'
import type { NodeModel, Pod, ServiceModel } from '../types.js'

/** What a host name or address that an app dials leads to. */
export type Target =
  | { readonly kind: 'loopback' }
  | { readonly kind: 'service'; readonly service: ServiceModel }
  | { readonly kind: 'pod'; readonly pod: Pod }
  | { readonly kind: 'node'; readonly node: NodeModel }
  | { readonly kind: 'outside'; readonly host: string; readonly ip?: string }
  | {
      readonly kind: 'nowhere'
      readonly code: 'network.no-such-name' | 'network.unreachable'
      readonly host: string
    }

/** The cluster's own ranges: an address in them that nobody has leads nowhere. */
const clusterBlocks = ['10.244.0.0/16', '10.96.0.0/16'].flatMap((text) => parseBlock(text) ?? [])

/** Every node: those of the manifests' pods, and the control plane's. */
export function allNodes({ nodes, platform }: Snapshot): readonly NodeModel[] {
  const { controlPlane } = platform
  return nodes.includes(controlPlane) ? nodes : [...nodes, controlPlane]
}

/** Where a dialled host leads, as seen by that pod; by a caller outside the cluster when there is none. */
export function lookUp(host: string, caller: Pod | undefined, snapshot: Snapshot): Target {
  const address = parseAddress(host)
  if (address !== undefined) return lookUpAddress(address.toString(), caller, snapshot)
  // A pod's own name is its own address, as its /etc/hosts has it.
  if (/^(?:.*\.)?localhost\.?$/i.test(host) || host === caller?.name) return { kind: 'loopback' }
  const answer = snapshot.resolveName(host, caller?.namespace ?? 'default')
  switch (answer.kind) {
    case 'service':
      return { kind: 'service', service: answer.service }
    case 'external':
      return { kind: 'outside', host: answer.name }
    case 'none':
      return { kind: 'nowhere', code: 'network.no-such-name', host: answer.name }
  }
}

/** Where a packet to that address goes. */
export function lookUpAddress(ip: string, caller: Pod | undefined, snapshot: Snapshot): Target {
  if (isLoopback(ip) || ip === caller?.ip) return { kind: 'loopback' }
  const pod = snapshot.podByIp(ip)
  if (pod !== undefined) return { kind: 'pod', pod }
  const service = snapshot.serviceByIp(ip)
  if (service !== undefined) return { kind: 'service', service }
  const node = allNodes(snapshot).find((candidate) => candidate.ip === ip)
  if (node !== undefined) return { kind: 'node', node }
  const address = parseAddress(ip)
  const ours = address !== undefined && clusterBlocks.some((block) => block.contains(address))
  return ours ? { kind: 'nowhere', code: 'network.unreachable', host: ip } : { kind: 'outside', host: ip, ip }
}
