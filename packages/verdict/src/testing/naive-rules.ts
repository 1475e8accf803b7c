import {
  ciliumHolds,
  ciliumLabels,
  entityHolds,
  kubernetesHolds,
  type NaiveNetworkPod,
  type NaiveWorld,
  namespaceLabels,
  nodeLabels,
  type Party,
  peerSelector,
  serviceHolds,
  subjectSelector,
} from './naive-identity.js'
import { entries, fqdnHolds, get, given, inBlockWithout, type NaiveRequest, type Plain } from './naive-patterns.js'

/*
 * Test code: what each rule of the network layers says of one packet, for naive-network.ts (semantics A, B).
 */

export type NaivePayload =
  | { readonly kind: 'tls'; readonly sni?: string }
  | ({ readonly kind: 'http' } & NaiveRequest)
  | { readonly kind: 'dns'; readonly query: string }
  | { readonly kind: 'other' }

export interface NaivePacket {
  readonly direction: 'egress' | 'ingress'
  /** Whose policies are asked. */
  readonly pod: NaiveNetworkPod
  readonly peer: NaiveNetworkPod | { readonly ip: string }
  readonly port: number
  readonly protocol: string
  readonly learned: readonly string[]
  readonly payload?: NaivePayload
}

/** One rule's one peer's one port that the packet meets. */
export interface Match {
  readonly policy: string
  readonly deny: boolean
  /** The peer, as its selector is written out: rules with the same one and the same port are one to Cilium. */
  readonly peer: string
  readonly port: string
  readonly names?: readonly unknown[]
  readonly http?: readonly unknown[]
  readonly dns?: readonly unknown[]
  readonly auth?: unknown
  /** The rule holds something that is not modelled, and would match if that did. */
  readonly unread: boolean
}

export interface Heard {
  /** The policies that isolate the pod in this direction. */
  readonly isolating: readonly string[]
  readonly matches: readonly Match[]
}

const nobody: readonly (readonly [string, boolean, boolean])[] = []

export function hear(world: NaiveWorld, packet: NaivePacket, party: Party): Heard {
  const isolating = new Set<string>()
  const matches: Match[] = []
  for (const policy of world.policies) {
    const kind = String(get(policy, 'kind'))
    const namespace = get(policy, 'metadata', 'namespace') as string | undefined
    const id = [kind, namespace, get(policy, 'metadata', 'name')].filter(given).join('/')
    const heard =
      kind === 'NetworkPolicy'
        ? hearNetworkPolicy(world, policy, packet, party)
        : [get(policy, 'spec'), ...entries(get(policy, 'specs'))]
            .filter(given)
            .map((spec) => hearCilium(world, spec, namespace, packet, party))
            .reduce((a, b) => ({ isolates: a.isolates || b.isolates, matches: [...a.matches, ...b.matches] }))
    if (heard.isolates) isolating.add(id)
    for (const match of heard.matches) matches.push({ ...match, policy: id })
  }
  return { isolating: [...isolating], matches }
}

interface HeardOne {
  readonly isolates: boolean
  readonly matches: readonly Omit<Match, 'policy'>[]
}

const silent: HeardOne = { isolates: false, matches: [] }

/** The pod whose ports have names: the one the packet goes to. Nodes and the outside have none. */
function named({ direction, pod, port, protocol }: NaivePacket, party: Party, name: unknown): boolean {
  const destination = direction === 'ingress' ? pod : party.is === 'pod' ? party.pod : undefined
  return (destination?.ports ?? []).some((one) => one.name === name && one.port === port && one.protocol === protocol)
}

// A: NetworkPolicy

function hearNetworkPolicy(world: NaiveWorld, policy: Plain, packet: NaivePacket, party: Party): HeardOne {
  const own = String(get(policy, 'metadata', 'namespace') ?? 'default')
  const spec = get(policy, 'spec')
  if (packet.pod.hostNetwork || packet.pod.namespace !== own) return silent
  if (!kubernetesHolds(get(spec, 'podSelector'), packet.pod.labels)) return silent
  // A.1: what is missing means Ingress, and Egress where it has rules. The API server fills an empty list in, too.
  const written = entries(get(spec, 'policyTypes'))
  const types =
    written.length > 0 ? written : ['Ingress', ...(entries(get(spec, 'egress')).length > 0 ? ['Egress'] : [])]
  if (!types.includes(packet.direction === 'ingress' ? 'Ingress' : 'Egress')) return silent

  const matches: Omit<Match, 'policy'>[] = []
  for (const rule of entries(get(spec, packet.direction))) {
    const items = entries(get(rule, packet.direction === 'ingress' ? 'from' : 'to'))
    const peers =
      items.length === 0
        ? ['everybody']
        : items.filter((item) => peerHolds(world, item, own, party)).map((item) => peerText(item, own))
    const wanted = entries(get(rule, 'ports'))
    const ports =
      wanted.length === 0 ? ['any'] : wanted.filter((port) => kubernetesPort(port, packet, party)).map(portText(packet))
    for (const peer of peers) for (const port of ports) matches.push({ deny: false, peer, port, unread: false })
  }
  return { isolates: true, matches }
}

/** A.2. */
function peerHolds(world: NaiveWorld, item: unknown, own: string, party: Party): boolean {
  const block = get(item, 'ipBlock')
  if (given(block)) {
    // A.4: to Cilium a block of addresses holds no pod and no node.
    if (world.reader === 'cilium' && party.is !== 'outside') return false
    return inBlockWithout(party.ip, get(block, 'cidr'), get(block, 'except'))
  }
  if (party.is !== 'pod') return false
  const namespaces = get(item, 'namespaceSelector')
  const inside = given(namespaces)
    ? kubernetesHolds(namespaces, namespaceLabels(world, party.pod.namespace))
    : party.pod.namespace === own
  return inside && kubernetesHolds(get(item, 'podSelector'), party.pod.labels)
}

function peerText(item: unknown, own: string): string {
  const block = get(item, 'ipBlock')
  return given(block) ? blockText(get(block, 'cidr'), get(block, 'except')) : `pods of ${own} ${JSON.stringify(item)}`
}

function blockText(cidr: unknown, except: unknown): string {
  const holes = entries(except)
  const text = String(cidr)
  return `${text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`} without ${holes.join()}`
}

/** A.3. */
function kubernetesPort(entry: unknown, packet: NaivePacket, party: Party): boolean {
  if ((get(entry, 'protocol') ?? 'TCP') !== packet.protocol) return false
  const port = get(entry, 'port')
  if (!given(port)) return true
  if (typeof port === 'string') return named(packet, party, port)
  return packet.port >= Number(port) && packet.port <= Number(get(entry, 'endPort') ?? port)
}

function portText({ protocol }: NaivePacket): (entry: unknown) => string {
  return (entry) => `${protocol} ${get(entry, 'port') ?? 0}-${get(entry, 'endPort') ?? 0}`
}

// B: CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy

function hearCilium(
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
  if (services.length > 0 && services.every((one) => serviceHolds(world, one, party) === undefined))
    return limits ? [['everybody', true, false]] : nobody

  const labels = ciliumLabels(world, party)
  return lists.flatMap(([name, list]) =>
    entries(list).map((entry): readonly [string, boolean, boolean] => {
      switch (name) {
        case 'Endpoints': {
          const selector = peerSelector(entry, namespace)
          return [`endpoints ${JSON.stringify(selector)}`, ciliumHolds(selector, labels), false]
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
          return [`service ${JSON.stringify(entry)}`, serviceHolds(world, entry, party) === true, false]
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
