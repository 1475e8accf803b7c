import { createRequire } from 'node:module'

/*
 * mingo, when something first needs it: reading its three hundred files takes 0.1 s, and 0.2 s as ES modules, which is most
 * of a server's start, and many servers never compute an expression.
 */

/** JavaScript that a client sends is not run; and JavaScript's regular expressions could be made to take for ever. */
export const refusedOperators: ReadonlySet<string> = new Set([
  ...['$function', '$accumulator', '$where', '$regexMatch', '$regexFind', '$regexFindAll'],
])

type Table = Readonly<Record<string, unknown>>
const without = <T extends Table>(table: T): T =>
  Object.fromEntries(Object.entries(table).filter(([name]) => !refusedOperators.has(name))) as T

function load() {
  const require = createRequire(import.meta.url)
  const { Aggregator, Context } = require('mingo') as typeof import('mingo')
  const { evalExpr } = require('mingo/core') as typeof import('mingo/core')
  const expression = without(require('mingo/operators/expression') as typeof import('mingo/operators/expression'))
  const accumulator = without(require('mingo/operators/accumulator') as typeof import('mingo/operators/accumulator'))
  const pipeline = { ...(require('mingo/operators/pipeline') as typeof import('mingo/operators/pipeline')) }
  const query = without(require('mingo/operators/query') as typeof import('mingo/operators/query'))
  const known: ReadonlySet<string> = new Set(['$literal', ...Object.keys(expression), ...Object.keys(accumulator)])
  const context = Context.init({ expression, accumulator, pipeline, query })
  return { Aggregator, evalExpr, context, known }
}

let loaded: ReturnType<typeof load> | undefined

export function mingo(): ReturnType<typeof load> {
  loaded ??= load()
  return loaded
}
