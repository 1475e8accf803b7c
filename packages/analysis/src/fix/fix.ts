import { compile, type Flow, judge, type Snapshot, type Step, type Verdict } from '@bulkhead/verdict'
import { stoppingWords } from '../words.js'
import { candidatesFor } from './candidates.js'
import { opened as openedBy } from './opened.js'
import type { Edit, Fix, NoFix } from './types.js'

/** Walls one behind another; a flow that needs more changes than this is not nearly allowed. */
const maxEdits = 4

export interface Proposal {
  readonly fix?: Fix
  /** Absent also where no policy decides: nothing listens, a forged certificate. */
  readonly noFix?: NoFix
}

/** The fix of `proposeFix`. */
export const smallestFix = (flow: Flow, snapshot: Snapshot): Fix | undefined => proposeFix(flow, snapshot).fix

/**
 * The smallest change that would allow the flow. Every idea is tried with the engine itself: what is returned does allow
 * it, and of several ideas the one that opens the fewest other flows is taken. Empty when the flow is not denied, or by no
 * policy.
 */
export function proposeFix(flow: Flow, snapshot: Snapshot): Proposal {
  let now = snapshot
  let verdict = judge(flow, now)
  const edits: Edit[] = []
  const opened: Step[] = []
  while (verdict.outcome === 'deny' && edits.length < maxEdits) {
    const step = nextToOpen(verdict)
    const better = step === undefined ? undefined : bestOf(flow, step, now)
    if (step === undefined || better === undefined) return gaveUp('in-the-way', opened, step)
    edits.push(better.edit)
    opened.push(step)
    now = better.snapshot
    verdict = better.verdict
  }
  if (edits.length === 0) return {}
  if (verdict.outcome === 'deny') {
    const rest = verdict.steps.filter(({ outcome }) => outcome === 'deny')
    return gaveUp('too-many', [...opened, ...rest])
  }
  if (verdict.outcome !== 'allow') {
    const unknown = verdict.steps.find(({ outcome }) => outcome === 'unknown')
    return gaveUp('in-the-way', opened, unknown)
  }
  const { flows: alsoOpens, ...rest } = openedBy(flow, snapshot, now)
  return { fix: { edits, alsoOpens, ...rest } }
}

/** The first wall on the way; before it an identity, where one is wanted: with one other packets are sent than now. */
function nextToOpen({ steps }: Verdict): Step | undefined {
  const denials = steps.filter(({ outcome }) => outcome === 'deny')
  return denials.find(({ code }) => code === 'mtls.strict-no-identity') ?? denials[0]
}

function gaveUp(why: NoFix['why'], walls: readonly Step[], by?: Step): Proposal {
  if (walls.length === 0 && (by === undefined || !isPolicy(by))) return {}
  const where = [...new Set(walls.filter(isPolicy).flatMap(wallNames))]
  const edits = why === 'too-many' ? maxEdits : walls.length
  return { noFix: { why, edits, where, ...(by !== undefined && { by: stoppingWords(by, { places: true }) }) } }
}

const isPolicy = ({ code }: Step): boolean => /^(?:cni|mtls|authz)\./.test(code)

function wallNames(step: Step): readonly string[] {
  const { layer, policy, isolatedBy = [] } = step
  if (layer !== undefined) return [layer]
  if (policy !== undefined) return [policy]
  return isolatedBy.map((one) => one.layer ?? one.policy)
}

interface Tried {
  readonly edit: Edit
  readonly snapshot: Snapshot
  readonly verdict: Verdict
  readonly meant: boolean
}

/** Of the ideas for a denial those that take it away; of those what was meant, then what opens the least. */
function bestOf(flow: Flow, step: Step, snapshot: Snapshot): Tried | undefined {
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
  return (after) => openedBy(flow, before, after).flows.length
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
