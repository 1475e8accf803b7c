import { type NaiveWorld, partyOf } from './naive-identity.js'
import type { Match, NaivePacket, NaivePayload } from './naive-packet.js'
import { fqdnHolds, httpHolds, serverNameHolds } from './naive-patterns.js'
import { hear } from './naive-rules.js'

/*
 * Test code: a second evaluator of NetworkPolicy, CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy. Slow and plain,
 * written from the specification alone (semantics A and B): it reads all objects anew for every packet, and shares no line
 * with the engine, so that a mistake has to be made twice to go unseen.
 */

export type { NaiveNetworkPod, NaiveWorld } from './naive-identity.js'
export type { NaivePacket, NaivePayload } from './naive-packet.js'

/** Why. `deny` is an explicit one, `default` that nothing allows. */
export type NaiveWhy = 'open' | 'own-node' | 'allow' | 'deny' | 'default' | 'auth' | 'sni' | 'http' | 'dns'

export interface NaiveNetworkAnswer {
  readonly outcome: 'allow' | 'deny' | 'unknown'
  /** Each is as right as the others. */
  readonly why: readonly NaiveWhy[]
  /** The policies any of which may be named as the one that decided. */
  readonly by: readonly string[]
  /** What is to be read before anything is let on; each is as right as the others. */
  readonly reads: readonly ('tls' | 'http' | 'dns')[]
  /** Of a denial by default. */
  readonly isolatedBy: readonly string[]
}

const nothing = { by: [], reads: [], isolatedBy: [] }

/** Whether some policy isolates the pod in the packet's direction, or Cilium's mode does. */
export function naiveIsolated(world: NaiveWorld, packet: NaivePacket): boolean {
  if (world.mode === 'never') return false
  const { isolating } = hear(world, packet, partyOf(world, packet.pod, packet.peer))
  return isolating.length > 0 || (world.mode === 'always' && !packet.pod.hostNetwork)
}

/** What the policies say of a packet, or of what it carries. Unknown: where what is not modelled decides. */
export function naiveNetwork(world: NaiveWorld, packet: NaivePacket): NaiveNetworkAnswer {
  const kindest = evaluate(world, packet, ({ unread, deny }) => !unread || !deny)
  const strictest = evaluate(world, packet, ({ unread, deny }) => !unread || deny)
  if (kindest.outcome !== strictest.outcome) return { outcome: 'unknown', why: [], ...nothing }
  return kindest.outcome === 'deny' ? kindest : strictest
}

function evaluate(world: NaiveWorld, packet: NaivePacket, counts: (match: Match) => boolean): NaiveNetworkAnswer {
  const { direction, pod } = packet
  const party = partyOf(world, pod, packet.peer)
  if (world.mode === 'never') return { outcome: 'allow', why: ['open'], ...nothing }
  const heard = hear(world, packet, party)
  const matches = heard.matches.filter(counts)
  const isolated = naiveIsolated(world, packet)
  // A.1, B.5: a pod and its own node. Cilium lets in from there always, and out to there by rule.
  if (!pod.hostNetwork && party.is === 'node' && party.own && (direction === 'ingress' || world.reader === 'api')) {
    const free = !isolated && !matches.some(({ deny }) => deny)
    return { outcome: 'allow', why: free ? ['open', 'own-node'] : ['own-node'], ...nothing }
  }

  // B.3: a deny beats every allow.
  const denying = matches.filter(({ deny }) => deny)
  if (denying.length > 0) return { outcome: 'deny', why: ['deny'], ...nothing, by: policies(denying) }
  const allowing = matches.filter(({ deny }) => !deny)
  // B.1: where the default is kept, what reads questions lets every name through, and sees them.
  if (!isolated) return { outcome: 'allow', why: ['open'], ...nothing, reads: learnable(allowing) }
  if (allowing.length === 0) return { outcome: 'deny', why: ['default'], ...nothing, isolatedBy: heard.isolating }
  return read(allowing, packet)
}

function policies(matches: readonly Match[]): string[] {
  return [...new Set(matches.map(({ policy }) => policy))]
}

/** B.7: what passes unread is proxied all the same, and its names learned, where a rule about names meets it. */
function learnable(allowing: readonly Match[]): 'dns'[] {
  return allowing.some((match) => match.dns !== undefined) ? ['dns'] : []
}

/** B.7, B.8: rules with the same peer and port are one; what any of these lets through passes. */
function read(allowing: readonly Match[], { payload, protocol }: NaivePacket): NaiveNetworkAnswer {
  const by = policies(allowing)
  // B.8: a rule that asks for authentication adds that to its peers and ports.
  const auth = allowing.filter((match) => match.auth !== undefined && match.auth !== 'disabled')
  if (auth.length > 0) return { outcome: 'deny', why: ['auth'], ...nothing, by: policies(auth) }

  const groups = new Map<string, Match[]>()
  for (const match of allowing) {
    const key = `${match.peer} on ${match.port}`
    groups.set(key, [...(groups.get(key) ?? []), match])
  }
  const said = [...groups.values()].map((group) => groupSays(group, payload, protocol))
  const allow = { outcome: 'allow', why: ['allow'], by, isolatedBy: [] } as const
  if (said.some(({ reads }) => reads === undefined)) return { ...allow, reads: learnable(allowing) }
  const readers = said.filter(({ passes }) => passes || payload === undefined).map(({ reads }) => reads)
  const reads = (['tls', 'http', 'dns'] as const).filter((kind) => readers.includes(kind))
  if (reads.length > 0) return { ...allow, reads }
  const why = (['tls', 'http', 'dns'] as const)
    .filter((kind) => said.some((one) => one.reads === kind))
    .map((kind) => (kind === 'tls' ? 'sni' : kind))
  return { outcome: 'deny', why, ...nothing, by }
}

interface GroupWord {
  /** What of the connection its rules are about; absent when about none of it. */
  readonly reads?: 'tls' | 'http' | 'dns'
  readonly passes: boolean
}

function groupSays(group: readonly Match[], payload: NaivePayload | undefined, protocol: string): GroupWord {
  const names = group.flatMap((match) => match.names ?? [])
  if (names.length > 0 && protocol === 'TCP') {
    const shown = payload?.kind === 'tls' ? payload.sni : undefined
    return { reads: 'tls', passes: names.some((name) => serverNameHolds(name, shown)) }
  }
  if (group.some(({ http, dns }) => http === undefined && dns === undefined)) return { passes: true }
  const http = group.flatMap((match) => match.http ?? [])
  const dns = group.flatMap((match) => match.dns ?? [])
  if (group.some((match) => match.http !== undefined))
    return { reads: 'http', passes: payload?.kind === 'http' && http.some((rule) => httpHolds(rule, payload)) }
  return { reads: 'dns', passes: payload?.kind === 'dns' && dns.some((entry) => fqdnHolds(entry, payload.query)) }
}
