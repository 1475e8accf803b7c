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

/**
 * Whether a flow that is allowed both times ends elsewhere now: other workloads are behind the Service, or the route sends
 * the request to another one. Which of several pods takes a connection is no matter.
 */
export function leadsElsewhere(before: Led, after: Led): boolean {
  if (before.verdict.outcome !== 'allow' || after.verdict.outcome !== 'allow') return false
  const backend = ({ verdict }: Led) => verdict.steps.find(({ code }) => code.startsWith('route.'))?.facts
  const [a, b] = [backend(before), backend(after)]
  return !isEqual(before.workloads, after.workloads) || a?.backend !== b?.backend || a?.location !== b?.location
}

export interface Led {
  readonly verdict: Verdict
  /** What is behind the destination. */
  readonly workloads: readonly string[]
}

/** The rule as it is written; undefined where a step names none. */
function ruleOf({ policy, rule, point, code }: Step, { resources }: Snapshot): unknown {
  const object: unknown = resources.find(({ id }) => id === policy)?.object
  const spec = fieldOf(object, 'spec')
  const direction = point === 'cni-egress' ? 'egress' : 'ingress'
  const rules = fieldOf(spec, 'rules') ?? fieldOf(spec, `${direction}${code === 'cni.rule-denies' ? 'Deny' : ''}`)
  return Array.isArray(rules) && rule !== undefined ? rules[rule] : undefined
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined
}
