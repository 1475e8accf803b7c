import type { Snapshot } from '../api.js'
import { internalsOf } from '../model/internals.js'
import { closestRule } from '../network/closest.js'
import type { NetworkIndex, PodNetwork } from '../network/compile-network.js'
import { type Candidates, matching } from '../network/match.js'
import { pairingOf, partyOf, remember } from '../network/memo.js'
import { speaksHbone } from '../network/parties.js'
import { type Read, readConnection } from '../network/reading.js'
import type { Direction, NetworkRule, Origin, Packet, Party, UnreadNetwork } from '../network/types.js'
import type { ReasonCode } from '../reasons.js'
import type { CniEvidence, CniVerdict, Engine, Payload, Protocol, Step, StepOutcome } from '../types.js'
import { hbonePort } from './hbone.js'

type Point = CniVerdict['point']
type Mode = NetworkIndex['options']['enforcement']
type Facts = Readonly<Record<string, string | number>>

const protocolNumber: Readonly<Record<Protocol, number>> = { TCP: 0, UDP: 1, SCTP: 2, ICMP: 3 }

/**
 * What the CNI says at one pod, of a packet and, with a payload, of what follows it (semantics 0, A, B): the pod and its
 * own node are never kept apart; a deny rule beats every allow; where nothing isolates the pod everything passes; else
 * some rule must allow.
 */
export function judgeCni(point: Point, evidence: CniEvidence, snapshot: Snapshot): CniVerdict {
  const { pod, peer, tuple, learned = [], payload } = evidence
  if ('key' in peer && peer.key === pod.key) {
    return verdict(point, 'kubernetes', 'not-applicable', 'network.loopback', { pod: pod.workload })
  }
  const { policiesOf, network: index } = internalsOf(snapshot)
  const { network } = policiesOf(pod)
  const direction: Direction = point === 'cni-egress' ? 'egress' : 'ingress'
  const party = partyOf(pod, peer, snapshot)
  const pairing = pairingOf(network[direction], party)
  const ask = (): CniVerdict => {
    const packet: Packet = {
      port: tuple.port,
      protocol: tuple.protocol,
      v6: party.address?.kind() === 'ipv6',
      named: direction === 'ingress' ? pod.ports : party.ports,
    }
    const question = {
      point,
      direction,
      evidence,
      network,
      party,
      packet,
      candidates: pairing.candidates,
      learned,
      payload,
    }
    return judgePacket(question, index.options)
  }
  // Names and payloads are the connection's own; all else is the same for every packet of these two.
  if (payload !== undefined || (pairing.candidates.byName && learned.length > 0)) return ask()
  const key = tuple.port * 4 + protocolNumber[tuple.protocol]
  return pairing.verdicts.get(key) ?? remember(pairing, key, ask())
}

interface Question {
  readonly point: Point
  readonly direction: Direction
  readonly evidence: CniEvidence
  readonly network: PodNetwork
  readonly party: Party
  readonly packet: Packet
  readonly candidates: Candidates
  readonly learned: readonly string[]
  readonly payload: Payload | undefined
}

function judgePacket(question: Question, { reader, enforcement }: NetworkIndex['options']): CniVerdict {
  const { point, direction, evidence, network, party, packet, candidates, learned } = question
  const { pod, tuple } = evidence
  const rules = network[direction]
  const isolated = rules.always || rules.isolatedBy.length > 0
  const facts: Facts = {
    pod: pod.workload,
    direction,
    peer: party.name,
    port: `${tuple.port}/${tuple.protocol}`,
  }
  // A pod's own node reaches it always (A.1, B.5); the other way Cilium asks the pod's egress rules.
  const ownNode = party.kind === 'host' && !pod.hostNetwork && (direction === 'ingress' || reader === 'api')
  if (ownNode && enforcement !== 'never') return verdict(point, 'kubernetes', 'allow', 'cni.own-node', facts)
  const unread = network.unread[0]
  if (unread !== undefined) return unreadObject(point, unread, pod.workload)
  if (network.conflict !== undefined) {
    return verdict(point, 'cilium', 'unknown', 'not-modelled', {
      what: `a conflict of rules (${network.conflict.message})`,
      pod: pod.workload,
    })
  }

  const denials = matching(candidates.deny, packet, learned)
  const denial = denials.sure[0]
  if (denial !== undefined) return byRule(point, 'deny', 'cni.rule-denies', denial.rule.by, facts)
  const said = judgeAllows(question, isolated, facts, enforcement)
  // A deny rule that cannot be read decides nothing where the packet is denied anyway.
  const { perhaps } = denials
  if (perhaps === undefined || said.outcome === 'deny') return said
  // What is read behind the packet may be denied anyway, too.
  const { reads } = said
  return { ...unreadRule(point, perhaps.rule, perhaps.what, pod.workload), ...(reads !== undefined && { reads }) }
}

/** What the allow rules say of a packet that no deny rule stops. */
function judgeAllows(question: Question, isolated: boolean, facts: Facts, enforcement: Mode): CniVerdict {
  const { point, direction, evidence, packet, candidates, learned, payload } = question
  const { pod } = evidence
  const { sure, perhaps } = matching(candidates.allow, packet, learned)
  if (!isolated) {
    const said = verdict(point, 'kubernetes', 'allow', 'network.no-policy', {
      pod: pod.workload,
      direction,
      ...(enforcement === 'never' && { mode: enforcement }),
    })
    // What a policy that isolates nobody reads of questions is learned all the same.
    return sure.some(({ rule }) => rule.reading?.dns !== undefined) ? { ...said, reads: 'dns' } : said
  }
  const auth = sure.find(
    ({ rule: { authentication } }) => authentication !== undefined && authentication !== 'disabled',
  )
  if (auth !== undefined) {
    const mode = auth.rule.authentication ?? 'required'
    return byRule(point, 'deny', 'cni.auth-required', auth.rule.by, { ...facts, mode })
  }
  const read = readConnection(sure, packet, payload)
  if (read?.outcome !== 'allow' && perhaps !== undefined) {
    return unreadRule(point, perhaps.rule, perhaps.what, pod.workload)
  }
  return read === undefined ? defaultDeny(question, facts) : answer(question, read, facts)
}

function answer({ point, evidence, party, payload }: Question, read: Read, facts: Facts): CniVerdict {
  const { outcome, rule, reads, what = '' } = read
  const { pod, tuple } = evidence
  const reading = reads === undefined ? {} : { reads }
  if (outcome === 'unknown') return { ...unreadRule(point, rule, what, pod.workload), ...reading }
  if (outcome === 'deny') {
    const code = denialCodes[read.kind ?? 'tls']
    return { ...byRule(point, 'deny', code, rule.by, { ...facts, ...whatWasRead(read, payload) }), ...reading }
  }
  const mesh = tuple.port === hbonePort && party.mesh && speaksHbone(pod)
  const said = byRule(point, 'allow', 'cni.rule-allows', rule.by, mesh ? { ...facts, carries: 'every port' } : facts)
  return { ...said, ...reading }
}

const denialCodes = { tls: 'cni.sni-denied', http: 'cni.http-denied', dns: 'cni.dns-denied' } as const

function whatWasRead({ kind, lists = [] }: Read, payload: Payload | undefined): Facts {
  const listed = { lists: list(lists) }
  switch (kind) {
    case 'http':
      return {
        request: payload?.kind === 'http' ? `${payload.method} ${payload.path}` : 'bytes that are no request',
        ...listed,
      }
    case 'dns':
      return { query: payload?.kind === 'dns' ? payload.query : 'no question', ...listed }
    default:
      return { sni: (payload?.kind === 'tls' && payload.sni) || 'none', ...listed }
  }
}

function list(matchers: readonly { readonly text: string }[]): string {
  const texts = matchers.slice(0, 5).map(({ text }) => text)
  return [...texts, ...(matchers.length > 5 ? [`${matchers.length - 5} more`] : [])].join(', ')
}

function defaultDeny(
  { point, direction, evidence, network, party, packet, candidates }: Question,
  facts: Facts,
): CniVerdict {
  const rules = network[direction]
  const { pod, tuple } = evidence
  const mesh = tuple.port === hbonePort && tuple.protocol === 'TCP' && party.mesh && speaksHbone(pod)
  const nearly = closestRule(rules, candidates, party, packet, mesh)
  const opens = nearly?.opens ?? []
  return folded(point, {
    hop: 0,
    point,
    engine: rules.engine,
    outcome: 'deny',
    code: 'cni.default-deny',
    ...(rules.isolatedBy.length > 0 && { isolatedBy: rules.isolatedBy }),
    ...(nearly && { closest: nearly.closest }),
    facts: {
      ...facts,
      ...(rules.always && { mode: 'always' }),
      // Why such a rule is not enough: what the mesh sends has no app's port.
      ...(opens.length > 0 && { opens: opens.join(', ') }),
    },
  })
}

function unreadObject(point: Point, { id, layer, engine, what, at }: UnreadNetwork, pod: string): CniVerdict {
  const by = { ...(layer !== undefined && { layer }), policy: id, at }
  return verdict(point, engine, 'unknown', 'not-modelled', { what, pod }, by)
}

function unreadRule(point: Point, { by }: NetworkRule, what: string, pod: string): CniVerdict {
  return byRule(point, 'unknown', 'not-modelled', by, { what: `${what} of ${by.policy}`, pod })
}

function byRule(point: Point, outcome: StepOutcome, code: ReasonCode, by: Origin, facts: Facts): CniVerdict {
  const { engine, layer, policy, rule, at } = by
  return verdict(point, engine, outcome, code, facts, { ...(layer !== undefined && { layer }), policy, rule, at })
}

function verdict(
  point: Point,
  engine: Engine,
  outcome: StepOutcome,
  code: ReasonCode,
  facts: Facts,
  by: Pick<Step, 'layer' | 'policy' | 'rule' | 'at'> = {},
): CniVerdict {
  const { layer, ...object } = by
  return folded(point, {
    hop: 0,
    point,
    engine,
    ...(layer !== undefined && { layer }),
    outcome,
    code,
    ...object,
    facts,
  })
}

function folded(point: Point, step: Step): CniVerdict {
  return { point, outcome: step.outcome === 'not-applicable' ? 'allow' : step.outcome, steps: [step] }
}
