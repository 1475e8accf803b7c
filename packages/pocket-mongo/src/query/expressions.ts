import type { Document } from 'bson'
import { MongoError } from '../errors.js'
import { isPlain } from '../values/decode.js'
import { Budget } from './budget.js'
import { arithmetic } from './expressions/arithmetic.js'
import { arrays } from './expressions/arrays.js'
import { conversions } from './expressions/conversions.js'
import { dates } from './expressions/dates.js'
import { logic } from './expressions/logic.js'
import { objects } from './expressions/objects.js'
import { refused } from './expressions/refused.js'
import { strings } from './expressions/strings.js'
import type { Compiler, Evaluate, Operator, Scope, Variables } from './expressions/types.js'
import { own } from './path.js'

export type { Variables } from './expressions/types.js'

/** The value that an expression has for a document; `undefined`: none. */
export type Expression = (document: Document) => unknown

/** Those that the contract suite holds, and no others: what is not in here is refused. */
const operators: Readonly<Record<string, Operator>> = {
  ...logic,
  ...arithmetic,
  ...strings,
  ...arrays,
  ...objects,
  ...conversions,
  ...dates,
  $literal: (operand) => () => operand,
}

export const knownExpressions: readonly string[] = Object.keys(operators)

/**
 * An expression of aggregation, read once, evaluated for many documents, over BSON's types.
 *
 * @param budget of the command; absent: one for each evaluation
 * @throws MongoError InvalidPipelineOperator (there is none of that name), NotImplemented (MongoDB has one)
 */
export function compileExpression(expression: unknown, variables: Variables = {}, budget?: Budget): Expression {
  const evaluate = compilerKnowing(new Set(Object.keys(variables)))(expression)
  return (document) => {
    const its = budget ?? new Budget()
    return its.keep(its.mark, evaluate({ document, variables, budget: its }))
  }
}

function compilerKnowing(known: ReadonlySet<string>): Compiler {
  const compile = (expression: unknown): Evaluate => {
    if (typeof expression === 'string' && expression.startsWith('$')) return reference(expression, known)
    if (Array.isArray(expression)) return listOf(expression.map(compile))
    if (!isPlain(expression)) return () => expression
    const [first = '', second] = Object.keys(expression)
    if (!first.startsWith('$')) return documentOf(expression, compile)
    if (second !== undefined)
      throw new MongoError('Location15983', 'An object representing an expression must have exactly one field')
    const operator = Object.hasOwn(operators, first) ? operators[first] : undefined
    if (operator !== undefined) return operator(expression[first], compiler, first)
    if (refused.has(first)) throw new MongoError('NotImplemented', `${first} is not supported by this server`)
    throw new MongoError('InvalidPipelineOperator', `Unrecognized expression '${first}'`)
  }
  const compiler: Compiler = Object.assign(compile, {
    knowing: (...names: readonly string[]) => compilerKnowing(new Set([...known, ...names])),
  })
  return compiler
}

function listOf(items: readonly Evaluate[]): Evaluate {
  return (scope) => scope.budget.made(items.map((item) => item(scope) ?? null))
}

function documentOf(expression: Document, compile: (expression: unknown) => Evaluate): Evaluate {
  const fields = Object.keys(expression).map((key) => {
    if (key.startsWith('$'))
      throw new MongoError('Location16410', `FieldPath field names may not start with '$': '${key}'`)
    if (key.includes('.')) throw new MongoError('Location16412', `FieldPath field names may not contain '.': '${key}'`)
    return { key, value: compile(expression[key]) }
  })
  return (scope) =>
    scope.budget.made(
      Object.fromEntries(
        fields.map(({ key, value }) => [key, value(scope)] as const).filter(([, item]) => item !== undefined),
      ),
    )
}

/** `'$a.b'`, `'$$ROOT'`, `'$$name.c'`. */
function reference(text: string, known: ReadonlySet<string>): Evaluate {
  if (!text.startsWith('$$')) return along(text.slice(1).split('.'), ({ document }) => document)
  const [name = '', ...path] = text.slice(2).split('.')
  if (name === 'REMOVE') return () => undefined
  if (name === 'NOW') return along(path, ({ budget }) => budget.now)
  if (name === 'ROOT' || name === 'CURRENT') return along(path, ({ document }) => document)
  if (known.has(name)) return along(path, ({ variables }) => own(variables, name))
  throw new MongoError('Location17276', `Use of undefined variable: ${name}`)
}

function along(path: readonly string[], from: (scope: Scope) => unknown): Evaluate {
  if (path.includes('')) throw new MongoError('BadValue', `'${path.join('.')}' is no field path`)
  return (scope) => follow(from(scope), path, 0, scope.budget)
}

/** Through an array, the values of the documents in it: `undefined` for what has none. */
function follow(value: unknown, path: readonly string[], at: number, budget: Budget): unknown {
  if (at === path.length) return value
  if (Array.isArray(value)) {
    budget.elements(value.length)
    const items = value.filter(isPlain).map((item) => follow(item, path, at, budget))
    return items.filter((item) => item !== undefined)
  }
  return isPlain(value) ? follow(own(value, path[at] ?? ''), path, at + 1, budget) : undefined
}
