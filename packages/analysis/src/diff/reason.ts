import type { Snapshot, Step, Verdict } from '@bulkhead/verdict'
import { decidingSteps } from '../words.js'
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
