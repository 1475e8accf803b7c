import { field, isDict, isList, textOf } from '../data.js'
import type { Context } from '../variables/context.js'
import { QueryError } from '../variables/interpreter.js'
import { substitute } from '../variables/substitute.js'
import { operatorHolds } from './operators.js'

/*
 * any and all: with any, one of its conditions has to hold; with all, each; with both, both. A plain list is all of them.
 */

export interface ConditionAnswer {
  readonly holds: boolean
  /** What the conditions themselves have to say about it, joined. */
  readonly message: string
}

/** Throws QueryError with Kyverno's words. */
export function checkConditions(conditions: unknown, context: Context): ConditionAnswer {
  if (conditions === undefined || conditions === null) return { holds: true, message: '' }
  if (isList(conditions)) return all(conditions, context, ';')
  if (!isDict(conditions)) throw new QueryError('failed to parse conditions')
  return anyAll(conditions, context)
}

function anyAll(conditions: unknown, context: Context): ConditionAnswer {
  const [any, every] = [field(conditions, 'any'), field(conditions, 'all')]
  const [held, failed]: [string[], string[]] = [[], []]
  let anyHolds = !isList(any)
  for (const condition of isList(any) ? any : []) {
    const { holds, message } = check(condition, context)
    if (holds) {
      anyHolds = true
      held.push(message)
      break
    }
    failed.push(message)
  }
  let allHold = true
  for (const condition of isList(every) ? every : []) {
    const { holds, message } = check(condition, context)
    if (!holds) {
      allHold = false
      failed.push(message)
      break
    }
    held.push(message)
  }
  const holds = anyHolds && allHold
  return { holds, message: joined(holds ? held : failed, '; ') }
}

function all(conditions: readonly unknown[], context: Context, separator: string): ConditionAnswer {
  const messages: string[] = []
  for (const condition of conditions) {
    const { holds, message } =
      isDict(condition) && (condition.any !== undefined || condition.all !== undefined)
        ? anyAll(condition, context)
        : check(condition, context)
    if (!holds) return { holds, message }
    messages.push(message)
  }
  return { holds: true, message: joined(messages, separator) }
}

function check(condition: unknown, context: Context): ConditionAnswer {
  const key = put(field(condition, 'key'), 'key', context)
  const value = put(field(condition, 'value'), 'value', context)
  const operator = textOf(field(condition, 'operator')) ?? ''
  const holds = operatorHolds(operator, key, value, context.budget)
  if (holds === undefined) throw new QueryError('failed to create handler for condition operator: %!w(<nil>)')
  return { holds, message: textOf(field(condition, 'message')) ?? '' }
}

function put(document: unknown, what: string, context: Context): unknown {
  try {
    return substitute(document, context)
  } catch (error) {
    if (error instanceof QueryError)
      throw new QueryError(`failed to substitute variables in condition ${what}: ${error.message}`)
    throw error
  }
}

export function joined(texts: readonly string[], separator: string): string {
  return texts.filter((text) => text !== '').join(separator)
}
