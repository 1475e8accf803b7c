import type { Snapshot } from '../api.js'
import { judgeAt } from '../points/judge-at.js'
import type { CniVerdict, Payload, Pod, Protocol } from '../types.js'
import type { NaiveNetworkAnswer, NaivePacket, NaiveWhy } from './naive-network.js'
import { naivePod } from './network-world.js'

/*
 * Test code: one packet, asked of both evaluators, and whether what they say is the same.
 */

export interface Packet {
  readonly direction: 'egress' | 'ingress'
  readonly pod: Pod
  readonly peer: Pod | { readonly ip: string }
  readonly port: number
  readonly protocol: Protocol
  readonly learned?: readonly string[]
  readonly payload?: Payload
}

export function naivePacket({ pod, peer, learned = [], ...rest }: Packet): NaivePacket {
  return { ...rest, learned, pod: naivePod(pod), peer: 'key' in peer ? naivePod(peer) : peer }
}

export function askEngine(packet: Packet, snapshot: Snapshot): CniVerdict {
  const { direction, pod, peer, port, protocol, learned, payload } = packet
  const [src, dst] = direction === 'egress' ? [pod.ip, peer.ip] : [peer.ip, pod.ip]
  return judgeAt(
    `cni-${direction}`,
    {
      pod,
      peer,
      tuple: { src, dst, port, protocol },
      ...(learned !== undefined && { learned }),
      ...(payload !== undefined && { payload }),
    },
    snapshot,
  )
}

const codes: Readonly<Record<NaiveWhy, string>> = {
  open: 'network.no-policy',
  'own-node': 'cni.own-node',
  allow: 'cni.rule-allows',
  deny: 'cni.rule-denies',
  default: 'cni.default-deny',
  auth: 'cni.auth-required',
  sni: 'cni.sni-denied',
  http: 'cni.http-denied',
  dns: 'cni.dns-denied',
}

/** What the two do not agree on; nothing when they do. */
export function disagreements(naive: NaiveNetworkAnswer, engine: CniVerdict): string[] {
  const [step] = engine.steps
  const wanted = naive.outcome === 'unknown' ? ['not-modelled'] : naive.why.map((why) => codes[why])
  const found: string[] = []
  if (engine.outcome !== naive.outcome) found.push(`outcome: ${engine.outcome}, and ${naive.outcome} by the text`)
  if (step === undefined || !wanted.includes(step.code)) found.push(`code: ${step?.code}, and ${wanted} by the text`)
  if (naive.by.length > 0 && !naive.by.includes(step?.policy ?? ''))
    found.push(`policy: ${step?.policy}, not of ${naive.by}`)
  if (naive.why.includes('default')) {
    const isolating = [...new Set((step?.isolatedBy ?? []).map(({ policy }) => policy))].sort()
    const expected = [...naive.isolatedBy].sort()
    if (isolating.join() !== expected.join()) found.push(`isolated by ${isolating}, and ${expected} by the text`)
  }
  const reads = engine.reads === undefined ? [] : [engine.reads]
  if (
    reads.length === 0
      ? naive.reads.length > 0
      : naive.outcome === 'allow' && !reads.every((one) => naive.reads.includes(one))
  )
    found.push(`reads: ${reads}, and ${naive.reads} by the text`)
  return found
}
