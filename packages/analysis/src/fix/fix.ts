import { compile, type Flow, judge, type Snapshot, type Step, type Verdict } from '@bulkhead/verdict'
import { candidatesFor } from './candidates.js'
import { opened } from './opened.js'
import type { Edit, Fix } from './types.js'

/** Walls one behind another; a flow that needs more changes than this is not nearly allowed. */
const maxEdits = 4

/**
 * The smallest change that would allow the flow. Every idea is tried with the engine itself: what is returned does allow
 * it, and of several ideas the one that opens the fewest other flows is taken. Undefined when the flow is not denied, or
 * when no change of a policy or a label would do (nothing listens, a forged certificate).
 */
export function smallestFix(flow: Flow, snapshot: Snapshot): Fix | undefined {
  let now = snapshot
  let verdict = judge(flow, now)
  if (verdict.outcome !== 'deny') return undefined
  const edits: Edit[] = []
  while (verdict.outcome === 'deny' && edits.length < maxEdits) {
    const better = bestOf(flow, verdict, now)
    if (better === undefined) return undefined
    edits.push(better.edit)
    now = better.snapshot
    verdict = better.verdict
  }
  if (verdict.outcome !== 'allow') return undefined
  const { flows: alsoOpens, ...rest } = opened(flow, snapshot, now)
  return { edits, alsoOpens, ...rest }
}

interface Tried {
  readonly edit: Edit
  readonly snapshot: Snapshot
  readonly verdict: Verdict
  readonly meant: boolean
}

/** Of the ideas for the first denial those that take it away; of those what was meant, then what opens the least. */
function bestOf(flow: Flow, verdict: Verdict, snapshot: Snapshot): Tried | undefined {
  const step = verdict.steps.find(({ outcome }) => outcome === 'deny')
  if (step === undefined) return undefined
  const helpful = candidatesFor(step, flow, snapshot).flatMap(({ edit, resources, meant = false }): Tried[] => {
    const changed = compile(resources, { previous: snapshot })
    const after = judge(flow, changed)
    if (after.steps.some((later) => sameDenial(later, step))) return []
    return [{ edit, snapshot: changed, verdict: after, meant }]
  })
  const meant = helpful.filter((tried) => tried.meant)
  const [first, ...more] = meant.length > 0 ? meant : helpful
  if (first === undefined || more.length === 0) return first
  const opens = step.code.startsWith('cni.') ? opensOfNetwork(flow, snapshot) : opensOf(flow, snapshot)
  return more.reduce<readonly [Tried, number]>(
    ([best, fewest], tried) => {
      const count = opens(tried.snapshot)
      return count < fewest ? [tried, count] : [best, fewest]
    },
    [first, opens(first.snapshot)],
  )[0]
}

/** How many other flows a change opens. */
function opensOf(flow: Flow, before: Snapshot): (after: Snapshot) => number {
  return (after) => opened(flow, before, after).flows.length
}

/** Of the network alone: what the mesh's policies keep closed today they may not tomorrow. */
function opensOfNetwork(flow: Flow, before: Snapshot): (after: Snapshot) => number {
  const alone = ({ resources }: Snapshot): Snapshot =>
    compile(
      resources.filter(({ object }) => !object.apiVersion.startsWith('security.istio.io/')),
      { previous: before },
    )
  const opens = opensOf(flow, alone(before))
  return (after) => opens(alone(after))
}

/** A caller that has an identity now is another caller: what denies it still is the next thing to change. */
function sameDenial(a: Step, b: Step): boolean {
  return (
    a.outcome === 'deny' &&
    a.code === b.code &&
    a.hop === b.hop &&
    a.point === b.point &&
    a.facts?.peer === b.facts?.peer &&
    a.facts?.query === b.facts?.query &&
    a.policy === b.policy &&
    a.facts?.identity === b.facts?.identity
  )
}
