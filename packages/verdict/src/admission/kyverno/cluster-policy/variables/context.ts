import { type Dict, isDict } from '../data.js'
import type { Budget } from '../limits.js'
import { readExpression } from './expression.js'
import { evaluate, QueryError } from './interpreter.js'

/*
 * What variables can name. Entries of a rule's context are worked out when something first names them, as Kyverno does: one
 * that nobody names cannot fail.
 */

/** Puts an entry's value in place of the entry. Throws QueryError or NotModelled. */
export interface Entry {
  readonly name: string
  load(context: Context): unknown
}

export class Context {
  readonly budget: Budget
  readonly #data: Record<string, unknown>
  #waiting: readonly Entry[]

  constructor(data: Dict, budget: Budget, entries: readonly Entry[] = []) {
    this.#data = { ...data }
    this.budget = budget
    this.#waiting = entries
  }

  /** The same, and more: what is added or worked out there is not seen here. */
  with(data: Dict, entries: readonly Entry[] = []): Context {
    return new Context({ ...this.#data, ...data }, this.budget, [...this.#waiting, ...entries])
  }

  /** With request.object as a rule has left it. */
  withObject(object: Dict): Context {
    const { request } = this.#data
    return this.with({ request: { ...(isDict(request) && request), object } })
  }

  get isDelete(): boolean {
    const { request } = this.#data
    return isDict(request) && request.operation === 'DELETE'
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#data, name)
  }

  /** Throws QueryError with Kyverno's words. */
  query(text: string): unknown {
    let expression: ReturnType<typeof readExpression>
    try {
      expression = readExpression(text)
    } catch (error) {
      throw error instanceof Error && error.name === 'ExpressionError' ? new QueryError(error.message) : error
    }
    this.#load(expression.names)
    try {
      return evaluate(expression, this.#data, this.budget)
    } catch (error) {
      if (error instanceof QueryError) throw new QueryError(`JMESPath query failed: ${error.message}`)
      throw error
    }
  }

  /** The entry is gone before its own value is looked for: it may be put together from what had its name before. */
  #load(names: ReadonlySet<string>): void {
    for (let next = this.#waiting.find(({ name }) => names.has(name)); next !== undefined; ) {
      const entry = next
      this.budget.spend(10)
      const before = this.#waiting
      const index = before.indexOf(entry)
      this.#waiting = before.slice(0, index)
      const value = entry.load(this)
      this.#waiting = [...this.#waiting, ...before.slice(index + 1)]
      this.#data[entry.name] = value
      next = this.#waiting.find(({ name }) => names.has(name))
    }
  }
}
