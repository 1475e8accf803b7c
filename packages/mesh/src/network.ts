import type { CniEvidence, CniVerdict, JudgeAt, Pod, PointVerdict, Protocol, Snapshot, Tuple } from '@bulkhead/verdict'

/** One end of a packet's way: a pod, or an address that is none's. */
export interface Station {
  readonly ip: string
  readonly key?: string
  /** It is a node, and this is its network as a pod would be: what the engine asks its own policies by. */
  readonly host?: Pod
}

/** What is known of a packet beyond its addresses, or of the connection that it opened. */
export type Known = Pick<CniEvidence, 'learned' | 'payload'>

/**
 * The network between pods: what the CNI says of one packet, at the pod that it leaves and at the pod that it reaches.
 * Both are asked even when the first says no, so that the record can tell both.
 * Undefined when a pod of it is no longer there.
 */
export function judgePacket(
  judgeAt: JudgeAt,
  snapshot: Snapshot,
  source: Station,
  destination: Station,
  port: number,
  protocol: Protocol,
  known: Known = {},
): readonly CniVerdict[] | undefined {
  const tuple: Tuple = { src: source.ip, dst: destination.ip, port, protocol }
  const from = source.key === undefined ? undefined : snapshot.pods.get(source.key)
  const to = destination.key === undefined ? destination.host : podOf(snapshot, destination.key)
  if ((source.key !== undefined && !from) || (destination.key !== undefined && !to)) return undefined
  const { payload, learned } = known
  const read = payload === undefined ? {} : { payload }
  const verdicts: CniVerdict[] = []
  if (from) {
    const peer = destination.key === undefined ? { ip: destination.ip } : (to ?? { ip: destination.ip })
    const names = learned === undefined || learned.length === 0 ? {} : { learned }
    verdicts.push(judgeAt('cni-egress', { pod: from, peer, tuple, ...names, ...read }, snapshot))
  }
  if (to) verdicts.push(judgeAt('cni-ingress', { pod: to, peer: from ?? { ip: source.ip }, tuple, ...read }, snapshot))
  return verdicts
}

/** A pod of the manifests, or one that every cluster has. */
function podOf({ pods, platform }: Snapshot, key: string): Pod | undefined {
  return pods.get(key) ?? [platform.dns, platform.istiod].find((pod) => pod.key === key)
}

/** Unknown is enforced as a deny, and so is a packet of a pod that is no more. */
export const passes = (verdicts: readonly PointVerdict[] | undefined): boolean =>
  verdicts?.every(({ outcome }) => outcome === 'allow') ?? false

/** What a proxy of the CNI has to read of a packet that passes, before anything is let on. */
export const readsOf = (verdicts: readonly CniVerdict[] | undefined): CniVerdict['reads'] =>
  verdicts?.find(({ reads }) => reads !== undefined)?.reads
