import type { Document } from 'bson'
import { Aggregator, Context } from 'mingo'
import { evalExpr } from 'mingo/core'
import * as accumulators from 'mingo/operators/accumulator'
import * as expressions from 'mingo/operators/expression'
import * as stages from 'mingo/operators/pipeline'
import * as queries from 'mingo/operators/query'
import * as windows from 'mingo/operators/window'
import { MongoError } from '../errors.js'
import { isPlain } from '../values/decode.js'
import { type Expression, ownOperator } from './operators-of-expressions.js'
import { own } from './path.js'
import { fromView, viewOf } from './view.js'

/*
 * Expressions of aggregation: a field's value, constants, comparisons and sums are evaluated here, with BSON's types; all
 * else is mingo's.
 */

/** JavaScript that a client sends is not run; and JavaScript's regular expressions could be made to take for ever. */
const refused = new Set(['$function', '$accumulator', '$where', '$regexMatch', '$regexFind', '$regexFindAll'])

type Table = Readonly<Record<string, unknown>>
const without = <T extends Table>(table: T): T =>
  Object.fromEntries(Object.entries(table).filter(([name]) => !refused.has(name))) as T

const expressionOps = without(expressions)
const accumulatorOps = without(accumulators)
const context = Context.init({
  expression: expressionOps,
  accumulator: accumulatorOps,
  pipeline: { ...stages },
  query: without(queries),
  window: { ...windows },
})
const known = new Set([
  '$literal',
  ...Object.keys(expressionOps),
  ...Object.keys(accumulatorOps),
  ...Object.keys(windows),
])

export type Variables = Readonly<Record<string, unknown>>

/** @throws MongoError InvalidPipelineOperator, NotImplemented */
export function compileExpression(expression: unknown, variables: Variables = {}): Expression {
  if (typeof expression === 'string' && expression.startsWith('$')) return reference(expression, variables)
  if (Array.isArray(expression)) {
    const items = expression.map((item) => compileExpression(item, variables))
    return (document) => items.map((item) => item(document) ?? null)
  }
  if (!isPlain(expression)) return () => expression
  const [first] = Object.keys(expression)
  if (first === '$literal') return () => expression.$literal
  if (first?.startsWith('$') === true) return computed(expression, variables)
  const fields = Object.keys(expression).map((key) => ({ key, value: compileExpression(expression[key], variables) }))
  return (document) => {
    const made: Document = {}
    for (const { key, value } of fields) {
      const item = value(document)
      if (item !== undefined) made[key] = item
    }
    return made
  }
}

/** `'$a.b'`, `'$$ROOT'`, `'$$name.c'`. */
function reference(text: string, variables: Variables): Expression {
  if (!text.startsWith('$$')) return along(text.slice(1).split('.'))
  const [name = '', ...path] = text.slice(2).split('.')
  if (name === 'REMOVE') return () => undefined
  if (name === 'NOW') return () => new Date()
  const rest = path.length === 0 ? (value: unknown) => value : (value: unknown) => follow(value, path, 0)
  if (name === 'ROOT' || name === 'CURRENT') return rest
  if (Object.hasOwn(variables, name)) return () => rest(variables[name])
  throw new MongoError('Location17276', `Use of undefined variable: ${name}`)
}

function along(path: readonly string[]): Expression {
  if (path.includes('')) throw new MongoError('BadValue', `'${path.join('.')}' is no field path`)
  return (document) => follow(document, path, 0)
}

/** Through an array, the values of its elements: `undefined` for what has none. */
function follow(value: unknown, path: readonly string[], at: number): unknown {
  if (at === path.length) return value
  if (Array.isArray(value))
    return value.map((item: unknown) => follow(item, path, at)).filter((item) => item !== undefined)
  return isPlain(value) ? follow(own(value, path[at] ?? ''), path, at + 1) : undefined
}

function computed(expression: Document, variables: Variables): Expression {
  checkOperators(expression)
  const [first = ''] = Object.keys(expression)
  const operand: unknown = expression[first]
  let ready: { readonly plain: unknown; readonly options: object } | undefined
  const mingo: Expression = (document) => {
    ready ??= { plain: viewOf(expression), options: optionsWith(variables) }
    const { plain, options } = ready
    const view = viewOf(document)
    return byMingo(() => fromView(evalExpr(view, plain, options as never)))
  }
  return ownOperator(first, operand, (inner) => compileExpression(inner, variables), mingo) ?? mingo
}

const optionsWith = (variables: Variables) => ({
  context,
  scriptEnabled: false,
  variables: Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, viewOf(value)])),
})

/** A stage that mingo does, over all documents. */
export function runStage(stage: Document, documents: readonly Document[], variables: Variables): Document[] {
  checkOperators(Object.values(stage)[0])
  const options = optionsWith(variables)
  const plain = viewOf(stage) as Document
  const views = documents.map(viewOf) as Document[]
  return byMingo(() => new Aggregator([plain], options).run<Document>(views)).map((made) => fromView(made) as Document)
}

function byMingo<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof MongoError || error instanceof RangeError) throw error
    throw new MongoError(
      'BadValue',
      `the expression cannot be evaluated: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

/** Operators that there are none of are told before a document is looked at. */
function checkOperators(value: unknown): void {
  if (Array.isArray(value)) for (const item of value) checkOperators(item)
  if (!isPlain(value)) return
  for (const key of Object.keys(value)) {
    if (key === '$literal') continue
    if (refused.has(key)) throw new MongoError('NotImplemented', `${key} is not supported by this server`)
    if (key.startsWith('$') && !known.has(key))
      throw new MongoError('InvalidPipelineOperator', `Unrecognized expression '${key}'`)
    checkOperators(value[key])
  }
}
