import type { Point, Step, Verdict } from '@bulkhead/verdict'
import { type Reason, reasonOf } from './result.js'
import type { Sighting, Witness } from './types.js'

/** What a cluster's own records say of an attempt that was stopped. */
export interface Witnessed {
  /** Some enforcing point says that it was stopped there. */
  readonly seen: boolean
  /** Why, as far as the words go: a default deny names no policy. */
  readonly reason?: Reason
  /** Where the words contradict what is predicted, a sentence each. */
  readonly differences: readonly string[]
  /** The words are those of the wall that is predicted to decide, though perhaps of another of its policies. */
  readonly agrees?: true
}

/** Which points of the engine's a witness speaks for. */
const speaksFor: Readonly<Record<Witness, readonly Point[]>> = {
  hubble: ['cni-egress', 'cni-ingress'],
  ztunnel: ['ztunnel'],
  waypoint: ['waypoint'],
  gateway: ['gateway'],
  kyverno: ['admission'],
  'api-server': ['admission'],
}

/** Who says it, in a sentence. */
export const witnessName: Readonly<Record<Witness, string>> = {
  hubble: 'Cilium',
  ztunnel: 'ztunnel',
  waypoint: 'the waypoint',
  gateway: 'the gateway',
  kyverno: 'Kyverno',
  'api-server': 'the API server',
}

/**
 * Holds what was seen against the prediction. Several policies of one point may refuse the same, and it names the one that it came
 * to first: any of those that are predicted there will do. A point that only says that it refused is believed, without a reason.
 */
export function witnessed(sightings: readonly Sighting[], verdict: Verdict | undefined): Witnessed {
  const denials = sightings.filter(({ outcome }) => outcome === 'deny')
  const said = telling(denials)
  if (said?.code === undefined) return { seen: denials.length > 0, differences: [] }
  const words = { code: said.code, policies: said.policy === undefined ? [] : [{ policy: said.policy }] }
  const decides = verdict?.decidedBy === undefined ? undefined : verdict.steps[verdict.decidedBy.step]
  if (verdict === undefined || decides === undefined) return { seen: true, reason: words, differences: [] }
  const there = verdict.steps.filter((step) => isOf(step, said))
  const step = there.find(({ point }) => point === decides.point) ?? there[0]
  if (step === undefined) {
    return {
      seen: true,
      reason: words,
      differences: [
        `predicted ${saidText(reasonOf(decides))} at ${decides.point}, ${witnessName[said.by]} says ${saidText(words)}`,
      ],
    }
  }
  const reason = asFarAsSaid(step, said)
  if (sameWall(step, decides)) return { seen: true, reason, differences: [], agrees: true }
  const differences = [
    `predicted ${decides.point} to stop it (${saidText(reasonOf(decides))}), and it came as far as ${step.point}: ${saidText(words)}`,
  ]
  return { seen: true, reason, differences }
}

/** The first that says why; of its like, one that names the policy: of a packet that a rule denies, Cilium tells twice, and once by which. */
function telling(denials: readonly Sighting[]): Sighting | undefined {
  const first = denials.find(({ code }) => code !== undefined)
  const like = ({ by, code, policy }: Sighting): boolean =>
    by === first?.by && code === first.code && policy !== undefined
  return denials.find(like) ?? first
}

/** A packet is dropped where it leaves or where it arrives: Cilium's two points are one wall. */
function sameWall(one: Step, other: Step): boolean {
  const wall = ({ point }: Step): string => (point.startsWith('cni-') ? 'cni' : point)
  return wall(one) === wall(other)
}

function isOf(step: Step, { by, code, policy }: Sighting): boolean {
  if (step.outcome !== 'deny' || step.code !== code) return false
  // That nothing listens, or is there, is no point's own word.
  if (!code.startsWith('network.') && !speaksFor[by].includes(step.point)) return false
  if (policy === undefined || step.policy === undefined) {
    return policy === undefined || (step.isolatedBy ?? []).some((isolating) => isolating.policy === policy)
  }
  return step.policy === policy
}

/** The step's layer, and of its policies the one that was named. */
function asFarAsSaid(step: Step, { policy }: Sighting): Reason {
  const { code, layer, policies } = reasonOf(step)
  const layers = new Set(policies.flatMap((one) => one.layer ?? []))
  // Of a default deny whose policies are all of one layer, that layer.
  const only = layer ?? (layers.size === 1 ? [...layers][0] : undefined)
  return {
    code,
    ...(only === undefined ? {} : { layer: only }),
    policies: policies.filter((one) => one.policy === policy),
  }
}

function saidText({ code, policies }: Reason): string {
  const [first] = policies
  return first === undefined ? code : `${code} (${policies.map(({ policy }) => policy).join(', ')})`
}
