import {
  ciliumHolds,
  ciliumLabels,
  entityHolds,
  type NaiveWorld,
  nodeLabels,
  type Party,
  peerSelector,
  selectorText,
  serviceSelector,
  subjectSelector,
} from './naive-identity.js'
import { blockText, type HeardOne, type Match, type NaivePacket, named, portText, silent } from './naive-packet.js'
import { entries, fqdnHolds, get, given, inBlockWithout } from './naive-patterns.js'

/*
 * Test code: what each rule of a CiliumNetworkPolicy or CiliumClusterwideNetworkPolicy says of one packet, for
 * naive-network.ts (semantics B).
 */

const nobody: readonly (readonly [string, boolean, boolean])[] = []

export function hearCilium(
  world: NaiveWorld,
  spec: unknown,
  namespace: string | undefined,
  packet: NaivePacket,
  party: Party,
): HeardOne {
  // B.4: a node, with what is on its network, is selected by a policy of the whole cluster, and by nothing else.
  const { pod } = packet
  const selector = get(spec, pod.hostNetwork ? 'nodeSelector' : 'endpointSelector')
  if (!given(selector) || (pod.hostNetwork && namespace !== undefined)) return silent
  const self = pod.hostNetwork ? nodeLabels(pod.node) : ciliumLabels(world, { is: 'pod', ip: pod.ip, pod })
  if (!ciliumHolds(subjectSelector(selector, namespace), self)) return silent
  const allows = entries(get(spec, packet.direction))
  const denies = entries(get(spec, `${packet.direction}Deny`))
  // B.1
  const keepsOpen = get(spec, 'enableDefaultDeny', packet.direction) === false
  return {
    isolates: allows.length + denies.length > 0 && !keepsOpen,
    matches: [
      ...allows.flatMap((rule) => ruleMatches(world, rule, namespace, packet, party, { deny: false, keepsOpen })),
      ...denies.flatMap((rule) => ruleMatches(world, rule, namespace, packet, party, { deny: true, keepsOpen })),
    ],
  }
}

function ruleMatches(
  world: NaiveWorld,
  rule: unknown,
  namespace: string | undefined,
  packet: NaivePacket,
  party: Party,
  { deny, keepsOpen }: { readonly deny: boolean; readonly keepsOpen: boolean },
): Omit<Match, 'policy'>[] {
  const ports = portMatches(rule, packet, party)
  const limits = entries(get(rule, 'toPorts')).length + entries(get(rule, 'icmps')).length > 0
  const found: Omit<Match, 'policy'>[] = []
  for (const [peer, holds, unread] of peersOf(world, rule, namespace, packet, party, limits)) {
    if (!holds) continue
    for (const { text, entry } of ports) {
      const rules = get(entry, 'rules')
      const names = get(entry, 'serverNames')
      const http = keepsOpen ? undefined : get(rules, 'http')
      const dns = get(rules, 'dns')
      const odd =
        ['listener', 'originatingTLS', 'terminatingTLS'].some((field) => given(get(entry, field))) ||
        ['kafka', 'l7', 'l7proto'].some((field) => given(get(rules, field)))
      found.push({
        deny,
        peer,
        port: text,
        ...(given(names) && { names: entries(names) }),
        ...(given(http) && { http: entries(http) }),
        // B.1: in a policy that keeps the default, every name passes.
        ...(given(dns) && { dns: keepsOpen ? [{ matchPattern: '*' }] : entries(dns) }),
        ...(given(get(rule, 'authentication')) && { auth: get(rule, 'authentication', 'mode') }),
        unread: unread || odd,
      })
    }
  }
  return found
}

/** B.2, B.4 to B.6: each of the rule's peers, as a text, whether it is this party, and whether that is only assumed. */
function peersOf(
  world: NaiveWorld,
  rule: unknown,
  namespace: string | undefined,
  packet: NaivePacket,
  party: Party,
  limits: boolean,
): readonly (readonly [string, boolean, boolean])[] {
  const way = packet.direction === 'ingress' ? 'from' : 'to'
  const lists = ['Endpoints', 'Entities', 'CIDR', 'CIDRSet', 'Nodes', 'Groups', 'FQDNs', 'Services'].map(
    (name) => [name, get(rule, `${way}${name}`)] as const,
  )
  // No peer is written: everybody on these ports; without ports, nobody.
  if (!lists.some(([, list]) => given(list))) return limits ? [['everybody', true, false]] : nobody

  // B.6: references to Services that are not there leave no peer, and with ports that is everybody.
  const services = entries(get(rule, 'toServices'))
  if (services.length > 0 && services.every((one) => !given(serviceSelector(world, one))))
    return limits ? [['everybody', true, false]] : nobody

  const labels = ciliumLabels(world, party)
  return lists.flatMap(([name, list]) =>
    entries(list).map((entry): readonly [string, boolean, boolean] => {
      switch (name) {
        case 'Endpoints': {
          const selector = peerSelector(entry, namespace)
          return [`endpoints ${selectorText(selector)}`, ciliumHolds(selector, labels), false]
        }
        case 'Entities':
          return [entry === 'all' ? 'everybody' : `entity ${String(entry)}`, entityHolds(entry, party), false]
        case 'CIDR':
          return [blockText(entry, []), party.is === 'outside' && inBlockWithout(party.ip, entry, []), false]
        case 'CIDRSet': {
          const [cidr, except] = [get(entry, 'cidr'), get(entry, 'except')]
          if (!given(cidr)) return ['a group of blocks', party.is === 'outside', true]
          return [blockText(cidr, except), party.is === 'outside' && inBlockWithout(party.ip, cidr, except), false]
        }
        case 'FQDNs': {
          const known = packet.learned.some((one) => fqdnHolds(entry, one))
          return [`names ${JSON.stringify(entry)}`, party.is === 'outside' && known, false]
        }
        case 'Services': {
          const selector = serviceSelector(world, entry)
          return [`endpoints ${selectorText(selector)}`, given(selector) && ciliumHolds(selector, labels), false]
        }
        case 'Nodes':
          return [`nodes ${JSON.stringify(entry)}`, party.is === 'node', true]
        default:
          return ['groups', party.is === 'outside', true]
      }
    }),
  )
}

interface PortMatch {
  readonly text: string
  readonly entry: unknown
}

/** B.6: each port of the rule that the packet meets. */
function portMatches(rule: unknown, packet: NaivePacket, party: Party): PortMatch[] {
  const icmps = entries(get(rule, 'icmps'))
  if (icmps.length > 0) return icmps.some((icmp) => icmpHolds(icmp, packet, party)) ? [{ text: 'ping', entry: {} }] : []
  const toPorts = entries(get(rule, 'toPorts'))
  if (toPorts.length === 0) return [{ text: 'any', entry: {} }]
  return toPorts.flatMap((entry) =>
    entries(get(entry, 'ports'))
      .filter((port) => ciliumPort(port, packet, party))
      .map((port) => ({ text: portText(packet)(port), entry })),
  )
}

function ciliumPort(entry: unknown, packet: NaivePacket, party: Party): boolean {
  const protocol = get(entry, 'protocol') ?? 'ANY'
  if (protocol === 'ANY' ? packet.protocol === 'ICMP' : protocol !== packet.protocol) return false
  const port = String(get(entry, 'port') ?? '0')
  if (port === '0') return true
  if (!/^[0-9]+$/.test(port)) return named(packet, party, port)
  return packet.port >= Number(port) && packet.port <= Number(get(entry, 'endPort') || port)
}

/** A packet's port is its type; 0 is an echo request, which people mean. */
function icmpHolds(icmp: unknown, { protocol, port }: NaivePacket, party: Party): boolean {
  if (protocol !== 'ICMP') return false
  const six = party.ip.includes(':')
  const request = six ? '128' : '8'
  return entries(get(icmp, 'fields')).some((field) => {
    if ((get(field, 'family') ?? 'IPv4') !== (six ? 'IPv6' : 'IPv4')) return false
    const type = String(get(field, 'type')).replace('EchoRequest', request)
    return type === (port === 0 ? request : String(port))
  })
}
