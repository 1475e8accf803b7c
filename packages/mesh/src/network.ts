import type { JudgeAt, PointVerdict, Protocol, Snapshot, Tuple } from '@bulkhead/verdict'

/** One end of a packet's way: a pod, or an address that is none's. */
export interface Station {
  readonly ip: string
  readonly key?: string
}

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
): readonly PointVerdict[] | undefined {
  const tuple: Tuple = { src: source.ip, dst: destination.ip, port, protocol }
  const from = source.key === undefined ? undefined : snapshot.pods.get(source.key)
  const to = destination.key === undefined ? undefined : snapshot.pods.get(destination.key)
  if ((source.key !== undefined && !from) || (destination.key !== undefined && !to)) return undefined
  const verdicts: PointVerdict[] = []
  if (from) verdicts.push(judgeAt('cni-egress', { pod: from, peer: to ?? { ip: destination.ip }, tuple }, snapshot))
  if (to) verdicts.push(judgeAt('cni-ingress', { pod: to, peer: from ?? { ip: source.ip }, tuple }, snapshot))
  return verdicts
}

/** Unknown is enforced as a deny, and so is a packet of a pod that is no more. */
export const passes = (verdicts: readonly PointVerdict[] | undefined): boolean =>
  verdicts?.every(({ outcome }) => outcome === 'allow') ?? false
