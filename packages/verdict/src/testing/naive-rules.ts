import { hearCilium } from './naive-cilium.js'
import { kubernetesHolds, type NaiveWorld, namespaceLabels, type Party } from './naive-identity.js'
import { blockText, type HeardOne, type Match, type NaivePacket, named, portText, silent } from './naive-packet.js'
import { entries, get, given, inBlockWithout, type Plain } from './naive-patterns.js'

/*
 * Test code: what each rule of the network layers says of one packet, for naive-network.ts (semantics A, B).
 */

export interface Heard {
  /** The policies that isolate the pod in this direction. */
  readonly isolating: readonly string[]
  readonly matches: readonly Match[]
}

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

/** A.3. */
function kubernetesPort(entry: unknown, packet: NaivePacket, party: Party): boolean {
  if ((get(entry, 'protocol') ?? 'TCP') !== packet.protocol) return false
  const port = get(entry, 'port')
  if (!given(port)) return true
  if (typeof port === 'string') return named(packet, party, port)
  return packet.port >= Number(port) && packet.port <= Number(get(entry, 'endPort') ?? port)
}
