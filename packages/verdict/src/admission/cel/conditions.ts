import { CelError, CelUnknownError } from './errors.js'
import type { Expression, PolicyActivation } from './expressions.js'

/** What conditions that all have to hold come to. One that does not hold decides, whatever others end with. */
export type Conditions = boolean | CelError

export function allHold(conditions: readonly Expression[], activation: PolicyActivation): Conditions {
  let failed: CelError | undefined
  for (const { program } of conditions) {
    try {
      const holds = program.evaluate(activation)
      if (holds === false) return false
      if (holds !== true) failed ??= new CelError('type conversion error: a condition has to come to a bool')
    } catch (error) {
      if (!(error instanceof CelError) || error instanceof CelUnknownError) throw error
      failed ??= error
    }
  }
  return failed ?? true
}
