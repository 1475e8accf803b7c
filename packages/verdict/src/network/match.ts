import type { DirectionRules } from './compile-network.js'
import type { NetworkRule, Packet, Party, PeerSelector } from './types.js'

/** A rule and how it may select one party; found once per class of pods and party. */
export interface Candidate {
  readonly rule: NetworkRule
  readonly selectors: readonly PeerSelector[]
  /** Selectors that go by the names that were learned for an address. */
  readonly byName: readonly PeerSelector[]
  /** A field that may select it too. */
  readonly unread: string | undefined
}

export interface Candidates {
  readonly deny: readonly Candidate[]
  readonly allow: readonly Candidate[]
  readonly byName: boolean
}

export function candidatesFor(rules: DirectionRules, party: Party): Candidates {
  const allow = rules.allow.flatMap((rule) => candidate(rule, party))
  return {
    deny: rules.deny.flatMap((rule) => candidate(rule, party)),
    allow,
    byName: allow.some(({ byName }) => byName.length > 0),
  }
}

function candidate(rule: NetworkRule, party: Party): Candidate[] {
  const selectors = rule.peers.filter((peer) => peer.selects(party))
  // Only what is outside the cluster is known by name (semantics B.6).
  const byName = party.kind === 'world' ? rule.peers.filter(({ names }) => names !== undefined) : []
  const unread = rule.peers.find((peer) => peer.unread?.could(party) === true)?.unread?.what
  if (selectors.length + byName.length === 0 && unread === undefined) return []
  return [{ rule, selectors, byName, unread }]
}

/** A rule that lets a packet through or stops it, and by which of its selectors. */
export interface Match {
  readonly rule: NetworkRule
  readonly selectors: readonly PeerSelector[]
}

export interface Matches {
  readonly sure: readonly Match[]
  /** The first that may match, if a field that is not modelled says so. */
  readonly perhaps: { readonly rule: NetworkRule; readonly what: string } | undefined
}

export function matching(candidates: readonly Candidate[], packet: Packet, learned: readonly string[]): Matches {
  const sure: Match[] = []
  let perhaps: Matches['perhaps']
  for (const { rule, selectors, byName, unread } of candidates) {
    if (!reaches(rule, packet)) continue
    const named = byName.filter(({ names }) => learned.some((name) => names?.matches(name) === true))
    const all = named.length === 0 ? selectors : [...selectors, ...named]
    if (all.length > 0) sure.push({ rule, selectors: all })
    else if (unread !== undefined) perhaps ??= { rule, what: unread }
  }
  return { sure, perhaps }
}

export function reaches({ ports }: NetworkRule, packet: Packet): boolean {
  return ports === undefined || ports.some((port) => port.speaks(packet) && port.reaches(packet))
}
