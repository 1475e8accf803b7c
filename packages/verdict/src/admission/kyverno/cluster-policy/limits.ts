/*
 * What one rule may cost. Kyverno has a deadline of seconds on a machine of its own; here somebody waits for the answer.
 */

/** Levels of lists and objects inside each other in what a policy holds. */
export const MAX_POLICY_DEPTH = 100
/** Comparisons, list elements and evaluated nodes of one rule on one object. */
export const MAX_STEPS = 2_000_000
/** Characters of a text that a variable or a function makes; Kyverno's own context holds as much. */
export const MAX_TEXT = 2 * 1024 * 1024
/** Rounds of substitution in one text: a value may hold variables again, also itself. */
export const MAX_ROUNDS = 100

/** Something in a rule, or what it would take to judge it, that is not modelled: its outcome is unknown. */
export class NotModelled extends Error {
  override readonly name = 'NotModelled'
}

/** Counts down while one rule is judged. */
export class Budget {
  #left: number

  constructor(steps = MAX_STEPS) {
    this.#left = steps
  }

  spend(steps = 1): void {
    this.#left -= steps
    if (this.#left < 0)
      throw new NotModelled(`an evaluation of so much (the rule takes more than ${MAX_STEPS} steps on this object)`)
  }
}
