import { type TreeInterpreter, TYPE_ANY } from '@jmespath-community/jmespath'
import type { Budget } from '../limits.js'
import { arithmetic } from './functions-arithmetic.js'
import { collections } from './functions-collections.js'
import { texts } from './functions-text.js'
import { times } from './functions-time.js'

/*
 * Kyverno's functions, put into the table of one interpreter.
 */

/** Evaluates an expression that is an argument (`&name`) on an item. */
export type Apply = (reference: unknown, item: unknown) => unknown

/** @param given as evaluated; a field that is missing is null. */
export type KyvernoFunction = (given: readonly unknown[], budget: Budget | undefined, apply: Apply) => unknown

/** How many arguments, and what it does with them. */
export type FunctionTable = Readonly<Record<string, readonly [number, KyvernoFunction]>>

type Runtime = (typeof TreeInterpreter)['runtime']
type Registered = Parameters<Runtime['registerFunction']>[1]

export function addFunctions(runtime: Runtime, budget: () => Budget | undefined, apply: Apply): void {
  for (const table of [texts, collections, arithmetic, times]) {
    for (const [name, [count, does]] of Object.entries(table)) {
      const registered: Registered = (given) => does(given, budget(), apply) as ReturnType<Registered>
      const signature = Array.from({ length: count }, () => ({ types: [TYPE_ANY] }))
      runtime.registerFunction(name, registered, signature, { override: true })
    }
  }
}
