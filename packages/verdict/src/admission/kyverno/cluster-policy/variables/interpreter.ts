import { type JSONValue, TreeInterpreter } from '@jmespath-community/jmespath'
import { put } from '../data.js'
import { type Budget, MAX_TEXT, NotModelled } from '../limits.js'
import type { Expression, Node } from './expression.js'
import { type Apply, addFunctions } from './functions.js'

/*
 * Kyverno's JMESPath differs from everybody's in one thing: a field that is not there is an error, and not null. Functions,
 * comparisons, projections and logic take it for null; a path, and so the whole expression, does not. The walk is ours for
 * that, and to count the steps; syntax and the first edition's functions are the library's.
 */

/** An expression that could not be evaluated, in Kyverno's words. */
export class QueryError extends Error {
  override readonly name: string = 'QueryError'
}

export class UnknownKey extends QueryError {
  override readonly name = 'UnknownKey'

  constructor(key: string) {
    super(`Unknown key "${key}" in path`)
  }
}

/** The library exports one instance of its class, whose table of functions all would share. */
const Interpreter = TreeInterpreter.constructor as new () => typeof TreeInterpreter

type Visited = ReturnType<typeof TreeInterpreter.visit>

class Walk extends Interpreter {
  budget: Budget | undefined

  constructor() {
    super()
    const apply: Apply = (reference, item) => this.visit(reference as Node, item as JSONValue)
    addFunctions(this.runtime, () => this.budget, apply)
  }

  override visit(node: Node, value: Visited): Visited {
    this.budget?.spend()
    switch (node.type) {
      case 'Field':
        return fieldOf(node.name, value)
      case 'Subexpression':
      case 'IndexExpression':
        return this.visit(node.right, this.visit(node.left, value))
      case 'Pipe':
        return this.#lenient(node.right, this.#lenient(node.left, value))
      case 'OrExpression': {
        const left = this.#lenient(node.left, value)
        return isFalse(left) ? this.#lenient(node.right, value) : left
      }
      case 'AndExpression': {
        const left = this.#lenient(node.left, value)
        return isFalse(left) ? left : this.visit(node.right, value)
      }
      case 'NotExpression':
        return isFalse(this.#lenient(node.child, value))
      case 'Comparator':
        return compare(node.name, this.#lenient(node.left, value), this.#lenient(node.right, value), this.budget)
      case 'Projection':
        return this.#project(this.#lenient(node.left, value), node.right)
      case 'FilterProjection': {
        const list = this.#tolerant(node.left, value)
        const taken = Array.isArray(list) ? list.filter((item) => !isFalse(this.#lenient(node.condition, item))) : null
        return this.#project(taken, node.right)
      }
      case 'ValueProjection': {
        const object = this.#tolerant(node.left, value)
        return this.#project(isObject(object) ? Object.values(object) : null, node.right)
      }
      case 'Slice':
        return Array.isArray(value) ? super.visit(node, value) : null
      case 'Flatten': {
        const list = this.#tolerant(node.child, value)
        if (!Array.isArray(list)) return null
        const flat = list.flat()
        this.budget?.spend(flat.length)
        return flat
      }
      case 'MultiSelectList':
        return value === null ? null : node.children.map((child) => plain(this.#lenient(child, value)))
      case 'MultiSelectHash': {
        if (value === null) return null
        const made: Record<string, JSONValue> = {}
        for (const child of node.children) put(made, child.name, this.#lenient(child.value, value))
        return made
      }
      case 'Function': {
        const given = node.children.map((child) => this.#lenient(child, value))
        this.budget?.spend(given.reduce<number>((sum, one) => sum + size(one), 0))
        const answer = this.runtime.callFunction(node.name, given as (JSONValue | Node)[])
        return bounded(answer)
      }
      default:
        return super.visit(node, value)
    }
  }

  #project(list: Visited, right: Node): Visited {
    if (!Array.isArray(list)) return null
    const collected: JSONValue[] = []
    for (const item of list) {
      const one = this.#lenient(right, item)
      if (one !== null) collected.push(plain(one))
    }
    return collected
  }

  /** A missing field is null; anything else that fails, fails. */
  #lenient(node: Node, value: Visited): Visited {
    try {
      return this.visit(node, value)
    } catch (error) {
      if (error instanceof UnknownKey) return null
      throw error
    }
  }

  /** The left of these projections fails for nobody: whatever goes wrong is null. */
  #tolerant(node: Node, value: Visited): Visited {
    try {
      return this.visit(node, value)
    } catch (error) {
      if (error instanceof NotModelled || error instanceof RangeError) throw error
      return null
    }
  }
}

const walk = new Walk()

/** Throws UnknownKey, QueryError, or NotModelled. */
export function evaluate(expression: Expression, data: unknown, budget: Budget): unknown {
  if (expression.notModelled !== undefined)
    throw new NotModelled(`the function ${expression.notModelled}() in ${expression.text}`)
  const before = walk.budget
  walk.budget = budget
  try {
    return walk.visit(expression.node, data as JSONValue)
  } catch (error) {
    if (error instanceof QueryError || error instanceof NotModelled) throw error
    if (error instanceof RangeError) throw new NotModelled(`${expression.text}, which takes more room than there is,`)
    throw new QueryError(error instanceof Error ? error.message : String(error))
  } finally {
    walk.budget = before
  }
}

function fieldOf(name: string, value: Visited): Visited {
  if (!isObject(value)) return null
  if (!Object.hasOwn(value, name)) throw new UnknownKey(name)
  return (value as Readonly<Record<string, JSONValue>>)[name] ?? null
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Inside lists and objects there are values alone: an expression reference is an argument of functions. */
function plain(value: Visited): JSONValue {
  return value as JSONValue
}

function isFalse(value: Visited): boolean {
  if (value === null || value === false || value === '') return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

function compare(name: string, left: Visited, right: Visited, budget: Budget | undefined): JSONValue {
  if (name === 'EQ') return same(left, right, budget)
  if (name === 'NE') return !same(left, right, budget)
  if (typeof left !== 'number' || typeof right !== 'number') return null
  if (name === 'GT') return left > right
  if (name === 'GTE') return left >= right
  return name === 'LT' ? left < right : left <= right
}

/** Equal to the leaves; every pair that is looked at is a step. */
export function same(left: unknown, right: unknown, budget: Budget | undefined): boolean {
  budget?.spend()
  if (left === right) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (Array.isArray(left) !== Array.isArray(right)) return false
  const keys = Object.keys(left)
  if (keys.length !== Object.keys(right).length) return false
  return keys.every(
    (key) =>
      Object.hasOwn(right, key) &&
      same((left as Record<string, unknown>)[key], (right as Record<string, unknown>)[key], budget),
  )
}

function size(value: Visited): number {
  if (typeof value === 'string') return Math.ceil(value.length / 64)
  return typeof value === 'object' && value !== null ? Object.keys(value).length : 1
}

function bounded<T>(value: T): T {
  if (typeof value === 'string' && value.length > MAX_TEXT)
    throw new NotModelled(`a function that makes a text of ${value.length} characters, more than ${MAX_TEXT},`)
  return value
}
