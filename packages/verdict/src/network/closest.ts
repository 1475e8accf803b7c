import type { Closest } from '../types.js'
import type { DirectionRules } from './compile-network.js'
import type { Candidates } from './match.js'
import type { NetworkRule, Packet, Party } from './types.js'

type Lack = Closest['lacks'][number]

export interface Nearly {
  readonly closest: Closest
  /** Ports that the rule opens to this very peer instead. */
  readonly opens: readonly string[]
}

/** How many things a sentence lists of what a rule wants. */
const listed = 6

/**
 * The allow rule that lacks the fewest attributes; of equals the first. But at the port of the mesh a rule that opens
 * another port to this very peer comes before others: it was written for an app's port, which no packet of the mesh has.
 */
export function closestRule(
  { allow }: DirectionRules,
  candidates: Candidates,
  party: Party,
  packet: Packet,
  meshPort: boolean,
): Nearly | undefined {
  const selecting = new Map(candidates.allow.map((one) => [one.rule, one.selectors]))
  let best: NetworkRule | undefined
  let fewest = Number.POSITIVE_INFINITY
  const selectsPeer = (rule: NetworkRule): boolean => (selecting.get(rule) ?? []).length > 0
  const opensToPeer = (rule: NetworkRule): boolean =>
    meshPort && (selecting.get(rule) ?? []).some(({ anybody }) => anybody !== true)
  // Counted first and told after: there may be many rules.
  for (const rule of allow) {
    const gap = portGap(rule, packet)
    // One for this very port was meant for such packets; one for every port may be meant for quite another peer.
    const everyPort = rule.ports === undefined && !selectsPeer(rule) ? 0.25 : 0
    const count =
      (selectsPeer(rule) ? 0 : 1) + gapSizes[gap] + everyPort - (gapSizes[gap] === 1 && opensToPeer(rule) ? 0.5 : 0)
    if (count >= fewest) continue
    fewest = count
    best = rule
  }
  if (best === undefined) return undefined
  const peer: Lack[] = selectsPeer(best)
    ? []
    : [{ attribute: 'peer', wants: shorten(best.peers.map(({ text }) => text)), has: hasPeer(best, party) }]
  const lacks = [...peer, ...portLacks(best, packet)]
  const { policy, rule: index, at } = best.by
  return {
    closest: { policy, rule: index, at, lacks },
    opens: lacks.length === 1 && opensToPeer(best) ? shorten((best.ports ?? []).map(({ text }) => text)) : [],
  }
}

type Gap = 'none' | 'port' | 'protocol' | 'both'

const gapSizes: Readonly<Record<Gap, number>> = { none: 0, port: 1, protocol: 1, both: 2 }

/** What the packet lacks of the ports that a rule names, of the one that lacks the least. */
function portGap({ ports }: NetworkRule, packet: Packet): Gap {
  if (ports === undefined) return 'none'
  let gap: Gap = 'both'
  for (const port of ports) {
    const [speaks, reaches] = [port.speaks(packet), port.reaches(packet)]
    if (speaks && reaches) return 'none'
    if (speaks) gap = 'port'
    else if (reaches && gap === 'both') gap = 'protocol'
  }
  return gap
}

function hasPeer({ peers }: NetworkRule, { kind, name }: Party): string {
  const byName = kind === 'world' && peers.some(({ names }) => names !== undefined)
  return byName ? `${name}, for which no such name was learned` : name
}

function portLacks(rule: NetworkRule, packet: Packet): Lack[] {
  const gap = portGap(rule, packet)
  const { ports = [] } = rule
  const { port, protocol } = packet
  const meant = ports.filter((one) => (gap === 'port' ? one.speaks(packet) : gap === 'both' || one.reaches(packet)))
  const wrongPort: Lack = {
    attribute: 'port',
    wants: shorten(meant.map(({ text }) => text)),
    has: `${port}/${protocol}`,
  }
  const wrongProtocol: Lack = {
    attribute: 'protocol',
    wants: [...new Set(meant.flatMap(({ protocols }) => protocols))],
    has: protocol,
  }
  switch (gap) {
    case 'none':
      return []
    case 'port':
      return [wrongPort]
    case 'protocol':
      return [wrongProtocol]
    case 'both':
      return [wrongPort, wrongProtocol]
  }
}

function shorten(texts: readonly string[]): string[] {
  const distinct = [...new Set(texts)]
  if (distinct.length <= listed) return distinct
  return [...distinct.slice(0, listed - 1), `${distinct.length - listed + 1} more`]
}
