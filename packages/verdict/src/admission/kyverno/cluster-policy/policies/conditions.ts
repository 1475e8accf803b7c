import { allHold } from '../../../cel/conditions.js'
import { type Expression, ExpressionReader, PolicyActivation } from '../../../cel/expressions.js'
import { CelBudgetError, CelError } from '../../../cel/index.js'
import { admissionRoots } from '../../../cel/roots.js'
import type { Reviewed, Reviewer } from '../../../types.js'
import { field, isList, textOf } from '../data.js'
import type { Policy } from '../types.js'
import { notAsked, stepOf, unknown } from './steps.js'

/*
 * webhookConfiguration.matchConditions: what the API server asks, in CEL, before it asks Kyverno about a policy.
 */

/** The reviewer, asked only where all conditions hold. Throws CompileError for an expression that is none. */
export function conditioned(reviewer: Reviewer, policy: Policy): Reviewer {
  const written = field(policy.spec, 'webhookConfiguration', 'matchConditions')
  if (!isList(written) || written.length === 0) return reviewer
  const declared = { roots: admissionRoots, foreign: new Set(['authorizer']) }
  const reader = new ExpressionReader(policy.resource, declared)
  const conditions = written.map((one, index) => {
    const path = ['spec', 'webhookConfiguration', 'matchConditions', index, 'expression']
    return reader.read(path, textOf(field(one, 'expression')) ?? '', ['bool'])
  })
  const [first] = reader.notModelled
  const others = (step: (family: Policy['families'][number]) => Reviewed['steps'][number]) => ({
    steps: policy.families.map(step),
  })
  return {
    ...reviewer,
    review(review): Reviewed {
      const holds = first === undefined ? held(conditions, new PolicyActivation(review, new Map())) : first.what
      if (holds === true) return reviewer.review(review)
      return others(({ own }) => {
        const head = stepOf(own, policy, reviewer.does)
        return holds === false ? notAsked(head, 'its matchConditions do not hold') : unknown(head, holds)
      })
    },
  }
}

/** Or why it cannot be said. */
function held(conditions: readonly Expression[], activation: PolicyActivation): boolean | string {
  try {
    const holds = allHold(conditions, activation)
    return typeof holds === 'boolean' ? holds : `a matchCondition that ends with an error (${holds.message})`
  } catch (error) {
    if (error instanceof CelBudgetError || error instanceof CelError) return `a matchCondition (${error.message})`
    throw error
  }
}
