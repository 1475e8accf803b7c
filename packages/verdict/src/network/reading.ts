import type { Payload } from '../types.js'
import type { Match } from './match.js'
import type { NetworkRule, Packet } from './types.js'

/*
 * What a proxy reads behind a packet that passes (semantics B.7). Rules of the same selector and port are one group:
 * their lists are united, and one without http or dns rules lets every request and question on, though not a connection
 * without a server name. A connection is let on by any of the groups.
 */

export type Kind = 'tls' | 'http' | 'dns'

export interface Read {
  readonly outcome: 'allow' | 'deny' | 'unknown'
  /** The rule that says so. */
  readonly rule: NetworkRule
  /** Of a denial: what was read, and what the rules of the group list. */
  readonly kind?: Kind
  readonly lists?: readonly { readonly text: string }[]
  readonly reads?: Kind
  /** Of `unknown`: the field. */
  readonly what?: string
}

type Group = readonly [NetworkRule, ...NetworkRule[]]

/** What the matching rules, of which there is at least one, say of a connection. */
export function readConnection(
  matches: readonly Match[],
  packet: Packet,
  payload: Payload | undefined,
): Read | undefined {
  const [first] = matches
  if (first === undefined) return undefined
  if (matches.every(({ rule }) => rule.reading === undefined)) return { outcome: 'allow', rule: first.rule }
  const said = groupsOf(matches, packet).map((group) => judgeGroup(group, payload))
  const dns = matches.some(({ rule }) => rule.reading?.dns !== undefined)
  const free = said.some(({ needs }) => needs === undefined)
  const needed = (['tls', 'http'] as const).find((kind) => said.some(({ needs }) => needs === kind))
  const reads = dns ? 'dns' : free ? undefined : needed
  const best =
    said.find(({ outcome }) => outcome === 'allow') ??
    said.find(({ outcome }) => outcome === 'unknown') ??
    said.find(({ kind }) => kind === reads) ??
    said[0]
  if (best === undefined) return undefined
  const { needs: _needs, ...result } = best
  return { ...result, ...(reads !== undefined && { reads }) }
}

function groupsOf(matches: readonly Match[], packet: Packet): Group[] {
  const groups = new Map<string, [NetworkRule, ...NetworkRule[]]>()
  for (const { rule, selectors } of matches) {
    const ports = rule.ports?.filter((port) => port.speaks(packet) && port.reaches(packet)).map(({ key }) => key) ?? [
      'every port',
    ]
    for (const { key } of selectors) {
      for (const port of ports) {
        const name = `${port} of ${key}`
        const group = groups.get(name)
        if (group === undefined) groups.set(name, [rule])
        else if (!group.includes(rule)) group.push(rule)
      }
    }
  }
  return [...groups.values()]
}

/** `needs`: what the group reads before it lets anything on. */
type GroupRead = Omit<Read, 'reads'> & { readonly needs?: Kind | 'unread' }

function judgeGroup(group: Group, payload: Payload | undefined): GroupRead {
  const [first] = group
  const named = group.find(({ reading }) => reading?.serverNames !== undefined)
  if (named !== undefined) {
    const listed = (sni: string): NetworkRule | undefined =>
      group.find(({ reading }) => reading?.serverNames?.some((name) => name.matches(sni)))
    const sni = payload?.kind === 'tls' ? payload.sni : undefined
    const by = sni === undefined ? undefined : listed(sni)
    if (payload !== undefined && by === undefined) {
      const lists = group.flatMap(({ reading }) => reading?.serverNames ?? [])
      return { outcome: 'deny', rule: named, kind: 'tls', lists, needs: 'tls' }
    }
    const behind = judgeRequests(group, payload)
    if (behind.outcome === 'allow') return { outcome: 'allow', rule: by ?? named, needs: 'tls' }
    return { ...behind, needs: 'tls' }
  }
  const behind = judgeRequests(group, payload)
  return behind.outcome === 'allow' && behind.needs === undefined ? { outcome: 'allow', rule: first } : behind
}

function judgeRequests(group: Group, payload: Payload | undefined): GroupRead {
  const free = group.find(
    ({ reading }) =>
      reading === undefined ||
      (reading.http === undefined && reading.dns === undefined && reading.unread === undefined),
  )
  if (free !== undefined) return { outcome: 'allow', rule: free }
  for (const rule of group) {
    const what = rule.reading?.unread
    if (what !== undefined) return { outcome: 'unknown', rule, what, needs: 'unread' }
  }
  const [first] = group
  const kind: Kind = first.reading?.http === undefined ? 'dns' : 'http'
  if (payload === undefined) return { outcome: 'allow', rule: first, needs: kind }
  const found = kind === 'http' ? matchRequest(group, payload) : matchQuestion(group, payload)
  const lists = group.flatMap(({ reading }): readonly { readonly text: string }[] => reading?.[kind] ?? [])
  return { ...(found ?? { outcome: 'deny', rule: first, kind, lists }), needs: kind }
}

function matchRequest(group: Group, payload: Payload): GroupRead | undefined {
  if (payload.kind !== 'http') return undefined
  let perhaps: GroupRead | undefined
  for (const rule of group) {
    for (const matcher of rule.reading?.http ?? []) {
      const matches = matcher.matches(payload)
      if (matches === true) return { outcome: 'allow', rule }
      if (matches === 'unknown')
        perhaps ??= { outcome: 'unknown', rule, what: 'headerMatches with a value from a Secret' }
    }
  }
  return perhaps
}

function matchQuestion(group: Group, payload: Payload): GroupRead | undefined {
  if (payload.kind !== 'dns') return undefined
  const rule = group.find(({ reading }) => reading?.dns?.some((name) => name.matches(payload.query)))
  return rule && { outcome: 'allow', rule }
}
