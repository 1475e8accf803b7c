import type { Snapshot, Step, Verdict } from '@bulkhead/verdict'
import { isEqual } from './objects.js'

/** A verdict, and the snapshot that it was asked of: its rules are there. */
export interface Judged {
  readonly verdict: Verdict
  readonly snapshot: Snapshot
}

/** Whether two verdicts of the same outcome have the same reason. A rule that only moved is the same rule. */
export function sameReason(before: Judged, after: Judged): boolean {
  if (before.verdict.outcome !== after.verdict.outcome) return false
  const [a, b] = [decidingSteps(before.verdict), decidingSteps(after.verdict)]
  return a.length === b.length && a.every((step, index) => sameStep(step, before.snapshot, b[index], after.snapshot))
}

/**
 * The steps that a verdict rests on: the one that denies, or cannot say; for an allowed flow every one that lets it on.
 * That the caller could show an identity (mtls) lets nobody in.
 */
export function decidingSteps({ outcome, steps, decidedBy }: Verdict): readonly Step[] {
  if (outcome === 'deny') return steps.filter((_, index) => index === decidedBy?.step)
  if (outcome === 'unknown') return steps.filter((step) => step.outcome === 'unknown').slice(0, 1)
  return steps.filter(({ code }) => !code.startsWith('mtls.'))
}

function sameStep(a: Step, before: Snapshot, b: Step | undefined, after: Snapshot): boolean {
  return (
    b !== undefined &&
    a.hop === b.hop &&
    a.point === b.point &&
    a.code === b.code &&
    a.layer === b.layer &&
    a.policy === b.policy &&
    (a.rule === b.rule || isEqual(ruleOf(a, before), ruleOf(b, after)))
  )
}

/** The rule as it is written; undefined where a step names none. */
function ruleOf({ policy, rule, point }: Step, { resources }: Snapshot): unknown {
  const object: unknown = resources.find(({ id }) => id === policy)?.object
  const spec = fieldOf(object, 'spec')
  const rules = fieldOf(spec, 'rules') ?? fieldOf(spec, point === 'cni-egress' ? 'egress' : 'ingress')
  return Array.isArray(rules) && rule !== undefined ? rules[rule] : undefined
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined
}
