import type { Review } from '../types.js'
import { CelBudgetError } from './errors.js'

/** Steps that one policy's expressions may take together for one request; a step is about one operation. */
export const MAX_STEPS = 2_000_000
/** Characters of the longest string that an expression may make. */
export const MAX_TEXT = 16_777_216

/** What an evaluation may cost: nothing that a policy or an object holds can keep it going. */
export class Budget {
  #left: number

  constructor(steps = MAX_STEPS) {
    this.#left = steps
  }

  get left(): number {
    return this.#left
  }

  spend(steps: number): void {
    this.#left -= steps
    if (this.#left < 0) throw new CelBudgetError(`the expressions take more than ${MAX_STEPS} steps`)
  }

  /** For a string of this length that is about to be made. */
  text(length: number): void {
    if (length > MAX_TEXT) throw new CelBudgetError(`a string would be longer than ${MAX_TEXT} characters`)
    this.spend(length >> 6)
  }
}

/** What a policy's expressions share while they look at one request. */
export interface Activation {
  /** `object`, `oldObject`, `request` ...: by the names that were declared when the expression was compiled. */
  readonly roots: ReadonlyMap<string, unknown>
  readonly budget: Budget
  /** Where `resource.Get` and its like look. */
  readonly review?: Pick<Review, 'get' | 'list'>
  /** The policy's `variables`, each evaluated once, when it is first asked for. Throws what the expression ends with. */
  variable?(name: string): unknown
}

/** One evaluation of one expression. */
export interface Frame extends Activation {
  /** The comprehensions' variables, by slot. */
  readonly locals: unknown[]
}

export type Run = (frame: Frame) => unknown
