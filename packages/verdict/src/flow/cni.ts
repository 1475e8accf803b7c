import type { Snapshot } from '../api.js'
import { internalsOf } from '../model/internals.js'
import { judgeAt } from '../points/judge-at.js'
import type { CniEvidence, CniVerdict, NodeModel, Payload, Pod, Step, Tuple } from '../types.js'
import { type Caller, hostOf } from './parties.js'
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

/**
 * What policies for nodes say of a packet of a node's own, as the kubelet sends them. Nothing where none is about it. That
 * they keep it in is a setting of Cilium's (its host firewall), and the kubelet would be kept from the pods: what they
 * would drop is unknown.
 */
export function leavesNode(
  node: NodeModel,
  peer: Pod | { readonly ip: string },
  tuple: Tuple,
  snapshot: Snapshot,
): readonly Step[] {
  // On the network of the node itself no packet leaves it.
  if ('key' in peer ? peer.hostNetwork && peer.node === node.name : peer.ip === node.ip) return []
  const { steps } = judgeAt('cni-egress', { pod: hostOf(node), peer, tuple }, snapshot)
  return steps
    .filter(({ code }) => code !== 'network.no-policy')
    .map((step) => (step.outcome === 'deny' ? unsaid(node, step) : step))
}

function unsaid({ name }: NodeModel, { isolatedBy = [], layer, policy, at }: Step): Step {
  const [by = { layer, policy, at }] = isolatedBy
  return {
    hop: 0,
    point: 'cni-egress',
    engine: 'cilium',
    ...(by.layer !== undefined && { layer: by.layer }),
    outcome: 'unknown',
    code: 'not-modelled',
    ...(by.policy !== undefined && { policy: by.policy }),
    ...(by.at !== undefined && { at: by.at }),
    facts: { what: `a nodeSelector for what node ${name} itself sends` },
  }
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
