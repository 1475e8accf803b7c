import type { Point, PointVerdict, Step } from '../types.js'

/** A point denies if any of its rules does, and cannot say if one of them cannot; else it allows. */
export function fold(point: Point, steps: readonly Step[]): PointVerdict {
  const outcome = steps.some((step) => step.outcome === 'deny')
    ? 'deny'
    : steps.some((step) => step.outcome === 'unknown')
      ? 'unknown'
      : 'allow'
  return { point, outcome, steps }
}
