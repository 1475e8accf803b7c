import type { Document } from 'bson'
import { MongoError } from '../../errors.js'
import { compare, equal } from '../../values/compare.js'
import type { Budget } from '../budget.js'

export type Variables = Readonly<Record<string, unknown>>

/** What an expression is evaluated in. */
export interface Scope {
  readonly document: Document
  readonly variables: Variables
  readonly budget: Budget
}

/** The value that an expression has; `undefined`: none. */
export type Evaluate = (scope: Scope) => unknown

export interface Compiler {
  (expression: unknown): Evaluate
  /** One that knows these variables too. */
  readonly knowing: (...names: readonly string[]) => Compiler
}

/** Reads an operator's operand. */
export type Operator = (operand: unknown, compile: Compiler, name: string) => Evaluate

/** As MongoDB takes a value for true: not false, null, 0 or nothing. */
export const isTrue = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== false && !equal(value, 0)

export const isNothing = (value: unknown): value is null | undefined => value === undefined || value === null

/** In expressions, no value at all comes before null. */
export function order(a: unknown, b: unknown, budget: Budget): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined)
  if (typeof a === 'object' && typeof b === 'object') budget.tick(1 + Math.min(budget.weigh(a), budget.weigh(b)) / 64)
  return Math.sign(compare(a, b))
}

/** The operands of an operator, in an array or alone. @throws MongoError Location16020, Location28667 */
export function operandsOf(name: string, operand: unknown, least: number, most = least): readonly unknown[] {
  const operands: readonly unknown[] = Array.isArray(operand) ? operand : [operand]
  if (operands.length >= least && operands.length <= most) return operands
  if (least === most)
    throw new MongoError(
      'Location16020',
      `Expression ${name} takes exactly ${least} arguments. ${operands.length} were passed in.`,
    )
  throw new MongoError(
    'Location28667',
    `Expression ${name} takes at least ${least} arguments, and at most ${most}, but ${operands.length} were passed in.`,
  )
}

/** An operator over the values of its operands. */
export const over =
  (least: number, most: number, of: (values: readonly unknown[], scope: Scope, name: string) => unknown): Operator =>
  (operand, compile, name) => {
    const operands = operandsOf(name, operand, least, most).map(compile)
    return (scope) =>
      of(
        operands.map((each) => each(scope)),
        scope,
        name,
      )
  }

/** Over one value; null or nothing gives null. */
export const overOne = (of: (value: unknown, scope: Scope, name: string) => unknown): Operator =>
  over(1, 1, ([value], scope, name) => (isNothing(value) ? null : of(value, scope, name)))
