import type { Snapshot } from '../api.js'
import type { Hop, Step, Verdict } from '../types.js'

/** A verdict as one line of JSON: the keys in a fixed order, absent instead of null. */
export function verdictJson(verdict: Verdict, snapshot: Snapshot, stable: boolean): string {
  const { id, outcome, decidedBy, symptom, hops, steps, text } = verdict
  return JSON.stringify({
    id,
    outcome,
    decidedBy: decidedBy && { hop: decidedBy.hop, step: decidedBy.step },
    symptom,
    hops: hops.map((hop) => hopJson(hop, snapshot, stable)),
    steps: steps.map(stepJson),
    text,
  })
}

/** An address that compile() gave, or that follows from where it put a pod, depends on what else is in the set: stable output is without it. */
function hopJson({ from, to, tuple, as }: Hop, snapshot: Snapshot, stable: boolean): object {
  const kept = (ip: string): string | undefined => (stable && isGiven(ip, snapshot) ? undefined : ip)
  const { src, dst, port, protocol } = tuple
  return { from, to, tuple: { src: kept(src), dst: kept(dst), port, protocol }, as }
}

function isGiven(ip: string, snapshot: Snapshot): boolean {
  return (
    snapshot.podByIp(ip) !== undefined ||
    snapshot.serviceByIp(ip) !== undefined ||
    snapshot.nodes.some((node) => node.ip === ip)
  )
}

function stepJson({ hop, point, engine, layer, outcome, code, policy, rule, at, isolatedBy }: Step): object {
  const isolating = isolatedBy?.map((by) => ({ policy: by.policy, layer: by.layer, at: by.at }))
  return { hop, point, engine, layer, outcome, code, policy, rule, at, isolatedBy: isolating }
}
