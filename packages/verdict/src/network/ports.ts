import type { NetworkPolicyPort } from '@bulkhead/resources'
import type { Protocol } from '../types.js'
import type { Packet, PortSelector } from './types.js'

const transports: readonly Protocol[] = ['TCP', 'UDP', 'SCTP']

/** Every port of these protocols. */
function everyPort(protocols: readonly Protocol[], name: string): PortSelector {
  return selector('0', `every port of ${name}`, protocols, () => true)
}

function numbered(first: number, last: number, protocols: readonly Protocol[], name: string): PortSelector {
  const key = last === first ? String(first) : `${first}-${last}`
  return selector(key, `${key}/${name}`, protocols, ({ port }) => port >= first && port <= last)
}

/** By name and protocol among the destination's container ports; who has no such port is not reached (semantics A.3). */
function named(portName: string, protocols: readonly Protocol[], name: string): PortSelector {
  return selector(portName, `${portName}/${name}`, protocols, (packet) =>
    packet.named.some((one) => one.name === portName && one.protocol === packet.protocol && one.port === packet.port),
  )
}

function selector(
  key: string,
  text: string,
  protocols: readonly Protocol[],
  reaches: (packet: Packet) => boolean,
): PortSelector {
  return { key, text, protocols, speaks: ({ protocol }) => protocols.includes(protocol), reaches }
}

/** An item of a NetworkPolicy's `ports`: TCP unless it says, and every port of the protocol when it names none. */
export function networkPolicyPort({ protocol = 'TCP', port, endPort }: NetworkPolicyPort): PortSelector {
  if (port === undefined) return everyPort([protocol], protocol)
  if (typeof port === 'string') return named(port, [protocol], protocol)
  return numbered(port, endPort ?? port, [protocol], protocol)
}

export interface CiliumPort {
  readonly port?: string
  readonly endPort?: number
  readonly protocol?: string
}

/** An item of `toPorts[].ports`: TCP, UDP and SCTP unless it says; 0 is every port (semantics B.6). */
export function ciliumPort({ port = '0', endPort, protocol = 'ANY' }: CiliumPort): PortSelector {
  const protocols = protocol === 'ANY' ? transports : protocol === 'ICMPV6' ? ['ICMP' as const] : [protocol as Protocol]
  if (!/^\d+$/.test(port)) return named(port, protocols, protocol)
  const first = Number(port)
  return first === 0 ? everyPort(protocols, protocol) : numbered(first, endPort ?? first, protocols, protocol)
}

export interface IcmpField {
  readonly family?: 'IPv4' | 'IPv6'
  readonly type: number | string
}

/** The names that Cilium takes for types, and their numbers of either family. */
const icmpTypes: Readonly<Record<'IPv4' | 'IPv6', Readonly<Record<string, number>>>> = {
  IPv4: {
    EchoReply: 0,
    DestinationUnreachable: 3,
    Redirect: 5,
    EchoRequest: 8,
    Echo: 8,
    RouterAdvertisement: 9,
    RouterSelection: 10,
    TimeExceeded: 11,
    ParameterProblem: 12,
    Timestamp: 13,
    TimestampReply: 14,
    Photuris: 40,
    ExtendedEchoRequest: 42,
    ExtendedEchoReply: 43,
  },
  IPv6: {
    DestinationUnreachable: 1,
    PacketTooBig: 2,
    TimeExceeded: 3,
    ParameterProblem: 4,
    EchoRequest: 128,
    EchoReply: 129,
    MulticastListenerQuery: 130,
    MulticastListenerReport: 131,
    MulticastListenerDone: 132,
    RouterSolicitation: 133,
    RouterAdvertisement: 134,
    NeighborSolicitation: 135,
    NeighborAdvertisement: 136,
    RedirectMessage: 137,
    RouterRenumbering: 138,
    ICMPNodeInformationQuery: 139,
    ICMPNodeInformationResponse: 140,
    InverseNeighborDiscoverySolicitation: 141,
    InverseNeighborDiscoveryAdvertisement: 142,
    HomeAgentAddressDiscoveryRequest: 144,
    HomeAgentAddressDiscoveryReply: 145,
    MobilePrefixSolicitation: 146,
    MobilePrefixAdvertisement: 147,
    DuplicateAddressRequestCodeSuffix: 157,
    DuplicateAddressConfirmationCodeSuffix: 158,
    ExtendedEchoRequest: 160,
    ExtendedEchoReply: 161,
  },
}

/**
 * An item of `icmps[].fields`; IPv4 unless it says. A packet's port is its type, and 0, which only replies have, stands
 * for the request of an echo.
 */
export function icmpType({ family = 'IPv4', type }: IcmpField): PortSelector {
  const number = typeof type === 'number' ? type : (icmpTypes[family][type] ?? Number(type))
  return selector(
    `${family} ${type}`,
    `${family === 'IPv6' ? 'ICMPv6' : 'ICMP'} type ${type}`,
    ['ICMP'],
    ({ port, v6 }) => v6 === (family === 'IPv6') && (port === 0 ? (v6 ? 128 : 8) : port) === number,
  )
}
