import type { ReasonCode } from '../../reasons.js'
import type { Point, Step, StepOutcome } from '../../types.js'

/** Who says so, as far as a step names it. */
export interface By {
  readonly layer?: string | undefined
  readonly policy?: string
  readonly rule?: number
  readonly at?: string
  readonly isolatedBy?: Step['isolatedBy']
  readonly closest?: Step['closest']
}

type Writable = { -readonly [K in keyof Step]: Step[K] }

/**
 * A step by Istio's rules, with its keys in their order and none that is undefined. Written out key by key: this runs
 * for every connection and request, and spreading five small objects costs ten times as much.
 */
export function istioStep(
  point: Point,
  outcome: StepOutcome,
  code: ReasonCode,
  facts: NonNullable<Step['facts']>,
  by: By = {},
): Step {
  const step: Writable =
    by.layer === undefined
      ? { hop: 0, point, engine: 'istio', outcome, code }
      : { hop: 0, point, engine: 'istio', layer: by.layer, outcome, code }
  if (by.policy !== undefined) step.policy = by.policy
  if (by.rule !== undefined) step.rule = by.rule
  if (by.at !== undefined) step.at = by.at
  if (by.isolatedBy !== undefined) step.isolatedBy = by.isolatedBy
  if (by.closest !== undefined) step.closest = by.closest
  step.facts = facts
  return step
}
