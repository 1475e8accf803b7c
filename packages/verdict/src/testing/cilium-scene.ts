import type { CiliumRule, Resource } from '@bulkhead/resources'
import { connect, echoes, type PacketOptions, packet, said } from './network-scene.js'
import { ciliumPolicy } from './objects.js'

/*
 * Test code: who calls whom in the golden vectors of Cilium (semantics G.2), and how their answers are written.
 */

export const inDefault = 'deny timeout cni-ingress cni.default-deny'
export const outDefault = 'deny timeout cni-egress cni.default-deny'
export const inDenied = 'deny timeout cni-ingress cni.rule-denies'
export const outDenied = 'deny timeout cni-egress cni.rule-denies'

export const echo = { endpointSelector: { matchLabels: { kind: 'echo' } } }
export const client = { endpointSelector: { matchLabels: { kind: 'client' } } }
export const client2 = { matchLabels: { other: 'client' } }
export const tcp = (port: string): NonNullable<CiliumRule['ingress']>[number] => ({
  toPorts: [{ ports: [{ port, protocol: 'TCP' }] }],
})
export const everything = ciliumPolicy('test/all', {
  ingress: [{ fromEntities: ['all'] }],
  egress: [{ toEntities: ['all'] }],
})

export function says(policies: readonly Resource[], from: string, to: string, port = 8080): string {
  return connect([...echoes, ...policies], from, to, port).says
}

/** A packet to a port that nothing need listen on. */
export function at(
  policies: readonly Resource[],
  direction: 'egress' | 'ingress',
  from: string,
  to: string,
  port: number,
  options?: PacketOptions,
): string {
  return said(packet([...echoes, ...policies], direction, from, to, port, options))
}

export const deniesAllIngress = ciliumPolicy('test/deny-in', { ingress: [{}] })
