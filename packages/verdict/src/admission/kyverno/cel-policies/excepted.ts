import { allHold } from '../../cel/conditions.js'
import type { CelError } from '../../cel/errors.js'
import { PolicyActivation } from '../../cel/expressions.js'
import type { Review } from '../../types.js'
import type { Exception } from './exceptions.js'

export interface Excepted {
  /** One without images and values: the object is taken out of the policy. */
  readonly whole?: Exception
  /** What the others allow, for the policy's expressions to ask for. */
  readonly allowed: { readonly allowedImages: readonly string[]; readonly allowedValues: readonly string[] }
  /** Conditions that ended with an error, where no exception takes the object out before. */
  readonly failed?: CelError
}

/**
 * Which of a policy's exceptions hold for a request. They are asked before the policy's own conditions. With failurePolicy
 * Ignore one that cannot be evaluated does not hold.
 */
export function exceptedBy(exceptions: readonly Exception[], review: Review, ignoresFailures = false): Excepted {
  const activation = new PolicyActivation(review, new Map())
  const partial: Exception[] = []
  let whole: Exception | undefined
  for (const exception of exceptions) {
    const holds = allHold(exception.conditions, activation)
    if (holds === false) continue
    if (holds !== true) {
      if (whole === undefined && !ignoresFailures)
        return { allowed: { allowedImages: [], allowedValues: [] }, failed: holds }
    } else if (exception.images.length > 0 || exception.values.length > 0) partial.push(exception)
    else whole ??= exception
  }
  const allowed = {
    allowedImages: partial.flatMap(({ images }) => images),
    allowedValues: partial.flatMap(({ values }) => values),
  }
  return { allowed, ...(whole !== undefined && { whole }) }
}
