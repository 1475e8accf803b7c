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
  let best: Nearly | undefined
  let fewest = Number.POSITIVE_INFINITY
  for (const rule of allow) {
    const selectors = selecting.get(rule) ?? []
    const peer: Lack[] =
      selectors.length > 0
        ? []
        : [{ attribute: 'peer', wants: shorten(rule.peers.map(({ text }) => text)), has: hasPeer(rule, party) }]
    const lacks = [...peer, ...portLacks(rule, packet)]
    const toThisPeer = meshPort && lacks.length === 1 && selectors.some(({ anybody }) => anybody !== true)
    const count = lacks.length - (toThisPeer ? 0.5 : 0)
    if (count >= fewest) continue
    fewest = count
    const { policy, rule: index, at } = rule.by
    best = {
      closest: { policy, rule: index, at, lacks },
      opens: toThisPeer ? shorten((rule.ports ?? []).map(({ text }) => text)) : [],
    }
  }
  return best
}

function hasPeer({ peers }: NetworkRule, { kind, name }: Party): string {
  const byName = kind === 'world' && peers.some(({ names }) => names !== undefined)
  return byName ? `${name}, for which no such name was learned` : name
}

/** Of the ports that a rule names the ones that lack the least. */
function portLacks({ ports }: NetworkRule, packet: Packet): Lack[] {
  if (ports === undefined || ports.some((port) => port.speaks(packet) && port.reaches(packet))) return []
  const { port, protocol } = packet
  const spoken = ports.filter((one) => one.speaks(packet))
  const has = `${port}/${protocol}`
  if (spoken.length > 0) return [{ attribute: 'port', wants: shorten(spoken.map(({ text }) => text)), has }]
  const reached = ports.filter((one) => one.reaches(packet))
  const wanted = reached.length > 0 ? reached : ports
  const protocols = [...new Set(wanted.flatMap((one) => one.protocols))]
  const wrongProtocol: Lack = { attribute: 'protocol', wants: protocols, has: protocol }
  if (reached.length > 0) return [wrongProtocol]
  return [{ attribute: 'port', wants: shorten(ports.map(({ text }) => text)), has }, wrongProtocol]
}

function shorten(texts: readonly string[]): string[] {
  const distinct = [...new Set(texts)]
  if (distinct.length <= listed) return distinct
  return [...distinct.slice(0, listed - 1), `${distinct.length - listed + 1} more`]
}
