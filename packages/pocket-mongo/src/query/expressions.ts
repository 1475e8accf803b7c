import type { Document } from 'bson'
import { MongoError } from '../errors.js'
import { isPlain } from '../values/decode.js'
import { mingo, refusedOperators } from './mingo.js'
import { type Expression, ownOperator } from './operators-of-expressions.js'
import { own } from './path.js'
import { fromView, viewOf } from './view.js'

/*
 * Expressions of aggregation: a field's value, constants, comparisons and sums are evaluated here, with BSON's types; all
 * else is mingo's.
 */

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
  return (document) =>
    Object.fromEntries(fields.map(({ key, value }) => [key, value(document)]).filter(([, item]) => item !== undefined))
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
  const [first = '', second] = Object.keys(expression)
  if (second !== undefined)
    throw new MongoError('Location15983', 'An object representing an expression must have exactly one field')
  let ready: Expression | undefined
  const byOther: Expression = (document) => {
    ready ??= throughMingo(expression, variables)
    return ready(document)
  }
  const own = ownOperator(first, expression[first], (inner) => compileExpression(inner, variables), byOther)
  if (own !== undefined) return own
  checkOperators(expression)
  return byOther
}

function throughMingo(expression: Document, variables: Variables): Expression {
  const { evalExpr } = mingo()
  const plain = viewOf(expression)
  const options = optionsWith(variables)
  return (document) => {
    const view = viewOf(document)
    return guarded(() => fromView(evalExpr(view, plain, options as never)))
  }
}

const optionsWith = (variables: Variables) => ({
  context: mingo().context,
  scriptEnabled: false,
  variables: Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, viewOf(value)])),
})

/** A stage that mingo does, over all documents. */
export function runStage(stage: Document, documents: readonly Document[], variables: Variables): Document[] {
  checkOperators(Object.values(stage)[0])
  const { Aggregator } = mingo()
  const options = optionsWith(variables)
  const plain = viewOf(stage) as Document
  const views = documents.map(viewOf) as Document[]
  return guarded(() => new Aggregator([plain], options).run<Document>(views)).map((made) => fromView(made) as Document)
}

function guarded<T>(work: () => T): T {
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
    if (refusedOperators.has(key)) throw new MongoError('NotImplemented', `${key} is not supported by this server`)
    if (key.startsWith('$') && !mingo().known.has(key))
      throw new MongoError('InvalidPipelineOperator', `Unrecognized expression '${key}'`)
    checkOperators(value[key])
  }
}
