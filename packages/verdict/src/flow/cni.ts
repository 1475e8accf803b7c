import type { Snapshot } from '../api.js'
import { internalsOf } from '../model/internals.js'
import { judgeAt } from '../points/judge-at.js'
import type { CniEvidence, CniVerdict, Payload, Step } from '../types.js'
import type { Caller } from './parties.js'
import { question } from './payload.js'
import type { Route } from './route.js'

type CniPoint = CniVerdict['point']

/**
 * What the CNI says at one pod of a packet, and of what the connection carries where it reads that too. What is not known
 * of it stays unread: the packet passes.
 */
export function judgePacket(
  point: CniPoint,
  evidence: CniEvidence,
  payloadFor: (reads: NonNullable<CniVerdict['reads']>) => Payload | undefined,
  snapshot: Snapshot,
): CniVerdict {
  const packet = judgeAt(point, evidence, snapshot)
  if (packet.outcome === 'deny' || packet.reads === undefined) return packet
  const payload = payloadFor(packet.reads)
  return payload === undefined ? packet : judgeAt(point, { ...evidence, payload }, snapshot)
}

/** What became of the question for a name. */
export interface Asked {
  readonly steps: readonly Step[]
  /** The name, where the answer taught the CNI which addresses it has. */
  readonly learned: readonly string[]
}

const nothingAsked: Asked = { steps: [], learned: [] }

/**
 * The question to kube-dns that goes before a connection to a name outside of the cluster: a packet of its own, from the
 * caller to port 53 of kube-dns. A pod on its node\'s network asks the node\'s resolver instead.
 */
export function askName(caller: Caller, route: Route, snapshot: Snapshot): Asked {
  const { dns } = snapshot.platform
  if (caller.kind !== 'pod' || route.question === undefined) return nothingAsked
  const { pod } = caller
  if (pod.hostNetwork || pod.key === dns.key) return nothingAsked
  const payload = question(route.question)
  const tuple = { src: pod.ip, dst: dns.ip, port: dnsPort(snapshot), protocol: 'UDP' } as const
  const out = judgePacket('cni-egress', { pod, peer: dns, tuple }, () => payload, snapshot)
  const inward = judgePacket('cni-ingress', { pod: dns, peer: pod, tuple }, () => payload, snapshot)
  const steps = withQuestion([...out.steps, ...inward.steps], payload.query)
  const answered = out.outcome === 'allow' && inward.outcome === 'allow'
  return { steps, learned: answered && out.reads === 'dns' ? [payload.query] : [] }
}

/** Steps about a packet that asks for a name. */
export function withQuestion(steps: readonly Step[], query: string): readonly Step[] {
  return steps.map((step) => ({ ...step, facts: { ...step.facts, query } }))
}

/** Of the pod behind Service kube-dns: its own may be another than 53. */
function dnsPort(snapshot: Snapshot): number {
  const { dns } = snapshot.platform
  const service =
    snapshot.services.get('kube-system/kube-dns') ?? internalsOf(snapshot).platform.services.get('kube-system/kube-dns')
  return (service && snapshot.targetPort(service, 53, dns, 'UDP')) ?? 53
}
