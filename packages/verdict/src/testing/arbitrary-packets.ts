import fc from 'fast-check'
import type { Payload, Protocol } from '../types.js'
import { names } from './arbitrary-cilium.js'
import { oneOf, outside } from './arbitrary-selectors.js'
import type { Packet } from './network-ask.js'
import { podOf, worldNodes, worldPods } from './network-world.js'

/*
 * Test code: random packets among the pods, nodes and places of network-world.ts, and what they carry.
 */

const subject = oneOf(
  'a/web',
  'a/web',
  'a/web',
  'a/web',
  'a/db',
  'a/db',
  'a/job',
  'b/web',
  'c/web',
  'b/agent',
  'b/agent',
)
const peer = fc.oneof(
  { weight: 6, arbitrary: oneOf(...worldPods.keys()) },
  { weight: 1, arbitrary: oneOf(...worldPods.values()).map(({ ip }) => ip) },
  { weight: 1, arbitrary: oneOf(...worldNodes).map(({ ip }) => ip) },
  { weight: 4, arbitrary: oneOf(...outside) },
)
/** A service at a port: what is usually carried there. */
const carried = (port: number, protocol: Protocol): fc.Arbitrary<Payload | undefined> => {
  const dns = oneOf(...names).map((query): Payload => ({ kind: 'dns', query }))
  const tls = fc.oneof(
    oneOf(...names, 'wide.partner.example').map((sni): Payload => ({ kind: 'tls', sni })),
    fc.constant<Payload>({ kind: 'tls' }),
  )
  const http = fc
    .record({
      method: oneOf('GET', 'POST'),
      path: oneOf('/public', '/public?x=1', '/admin'),
      host: oneOf('web.a', 'webxa'),
      headers: oneOf<Record<string, string>>({}, { 'x-team': 'red' }, { 'x-team': 'blue' }),
    })
    .map((request): Payload => ({ kind: 'http', ...request }))
  const other = fc.constant<Payload>({ kind: 'other' })
  const none = fc.constant(undefined)
  if (protocol === 'UDP') return port === 53 ? fc.oneof(none, dns, dns) : none
  if (protocol !== 'TCP') return none
  if (port === 53) return fc.oneof(none, dns, dns, other)
  if (port === 443) return fc.oneof(none, tls, tls, other)
  return port === 8080 ? fc.oneof(none, http, http, other) : none
}

/** A packet by names of workloads; a peer may be an address. */
export type RandomPacket = Omit<Packet, 'pod' | 'peer'> & { readonly pod: string; readonly peer: string }

export function packetOf({ pod, peer: other, ...rest }: RandomPacket): Packet {
  return { ...rest, pod: podOf(pod), peer: worldPods.get(other) ?? { ip: other } }
}

export const packet: fc.Arbitrary<RandomPacket> = fc
  .record({
    direction: oneOf('egress' as const, 'ingress' as const),
    pod: subject,
    peer,
    where: oneOf<readonly [number, Protocol]>(
      [53, 'UDP'],
      [53, 'UDP'],
      [53, 'TCP'],
      [443, 'TCP'],
      [443, 'TCP'],
      [443, 'UDP'],
      [5432, 'TCP'],
      [8080, 'TCP'],
      [8080, 'TCP'],
      [8080, 'UDP'],
      [8080, 'SCTP'],
      [15008, 'TCP'],
      [15008, 'TCP'],
      [10250, 'TCP'],
      [0, 'ICMP'],
      [8, 'ICMP'],
    ),
    learned: fc.subarray(['api.partner.example', 'a.b.partner.example', 'other.example'], { maxLength: 2 }),
  })
  // A pod that calls itself crosses no wall.
  .filter(({ pod, peer: other }) => (worldPods.get(other)?.ip ?? other) !== podOf(pod).ip)
  .chain(({ where: [port, protocol], learned, direction, ...rest }) =>
    carried(port, protocol).map((payload) => ({
      ...rest,
      direction,
      port,
      protocol,
      ...(direction === 'egress' && { learned }),
      ...(payload !== undefined && { payload }),
    })),
  )
