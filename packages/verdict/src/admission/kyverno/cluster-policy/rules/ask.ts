import { NotModelled } from '../limits.js'
import type { Rule, RuleAnswer, Scene } from '../types.js'
import { QueryError } from '../variables/interpreter.js'
import { preconditions } from './validate.js'

/** A rule that matches: its preconditions first. What is not modelled is unknown, and says what it is. */
export function askRule<T extends RuleAnswer>(
  rule: Rule,
  scene: Scene,
  does: (rule: Rule, scene: Scene) => T,
): T | RuleAnswer {
  try {
    return preconditions(rule.body.preconditions, scene.context) ?? does(rule, scene)
  } catch (error) {
    if (error instanceof NotModelled) return { status: 'unknown', message: error.message }
    if (error instanceof QueryError) return { status: 'error', message: error.message }
    if (error instanceof RangeError) return { status: 'unknown', message: 'the object is nested deeper than is judged' }
    throw error
  }
}
