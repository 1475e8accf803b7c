import './functions/index.js'
import type { Node } from './ast.js'
import { compileNode } from './compile.js'
import { CelBudgetError, CelError, CelSyntaxError } from './errors.js'
import type { Activation, Frame, Run } from './frame.js'
import { parse } from './parse.js'
import type { StaticType } from './registry.js'
import type { Declarations, Found } from './scope.js'

export { CelBudgetError, CelError, CelSyntaxError, CelUnknownError } from './errors.js'
export { type Activation, Budget, MAX_STEPS } from './frame.js'
export type { StaticType } from './registry.js'
export type { Declarations } from './scope.js'
export * from './values.js'

/** An expression, read once and asked often. */
export interface CelProgram {
  readonly source: string
  /** What is known of its value before it is evaluated. */
  readonly type: StaticType
  /** Functions and names that a cluster knows and that are not modelled here. When there is one, do not evaluate. */
  readonly notModelled: readonly string[]
  readonly node: Node
  readonly found: Found
  /** Throws CelError (CelBudgetError when it costs too much, CelUnknownError when nobody knows) for whatever it ends with but a value. */
  evaluate(activation: Activation): unknown
}

/** Throws CelSyntaxError, with the offset, for what does not parse or names what is not there. */
export function compileCel(source: string, declared: Declarations): CelProgram {
  const node = parse(source)
  const { run, type, found } = compileNode(node, declared)
  return {
    source,
    type,
    notModelled: [...found.notModelled],
    node,
    found,
    evaluate: (activation) => evaluate(run, frameOf(activation)),
  }
}

export function frameOf(activation: Activation): Frame {
  const { roots, budget, review, variable } = activation
  return {
    roots,
    budget,
    locals: [],
    ...(review !== undefined && { review }),
    ...(variable !== undefined && { variable: variable.bind(activation) }),
  }
}

/** The stack and the length of a string are bounds as well. */
function evaluate(run: Run, frame: Frame): unknown {
  try {
    return run(frame)
  } catch (error) {
    if (error instanceof RangeError) throw new CelBudgetError(`the expression needs too much: ${error.message}`)
    throw error
  }
}

/** Whether this is an expression's own error, and not a mistake of ours. */
export function isCelError(error: unknown): error is CelError | CelSyntaxError {
  return error instanceof CelError || error instanceof CelSyntaxError
}
