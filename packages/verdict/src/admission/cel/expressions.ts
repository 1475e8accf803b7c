import type { FieldPath, Resource } from '@bulkhead/resources'
import { CompileError } from '../../model/compile-error.js'
import { at } from '../../model/kinds.js'
import type { Review } from '../types.js'
import {
  type Activation,
  Budget,
  type CelProgram,
  CelSyntaxError,
  type Declarations,
  type StaticType,
} from './index.js'
import { programOf } from './programs.js'
import { rootsOf } from './roots.js'

/*
 * The expressions of one policy: where each is written, which variables it may use, and what it must come to.
 */

export interface Expression {
  readonly program: CelProgram
  /** The field that holds it, in the policy. */
  readonly path: FieldPath
  /** `file:line` of it. */
  readonly at: string
}

export interface NamedExpression extends Expression {
  readonly name: string
}

/** Reads a policy's expressions in the order in which they may name each other. */
export class ExpressionReader {
  readonly resource: Resource
  readonly #declared: Omit<Declarations, 'variables'>
  readonly #variables = new Map<string, StaticType>()
  readonly #read: Expression[] = []

  constructor(resource: Resource, declared: Omit<Declarations, 'variables'>) {
    this.resource = resource
    this.#declared = declared
  }

  /** Everything of the expressions read so far that is not modelled. */
  get notModelled(): readonly { readonly what: string; readonly at: string }[] {
    return this.#read.flatMap((one) => one.program.notModelled.map((what) => ({ what, at: one.at })))
  }

  /** Throws CompileError for one that a cluster would not take: it does not parse, or comes to another type. */
  read(path: FieldPath, source: string, wanted?: readonly StaticType[]): Expression {
    const program = this.#compile(path, source)
    const fits = wanted === undefined || program.type === 'open' || wanted.includes(program.type)
    if (!fits) {
      const hint = program.type === 'dyn' ? ': compare it, or convert it' : ''
      const types = wanted.join(' or ')
      throw this.error(path, `the expression comes to '${program.type}', and has to come to ${types}${hint}`)
    }
    const expression = { program, path, at: at(this.resource, path) }
    this.#read.push(expression)
    return expression
  }

  /** A variable, which those after it may use. */
  variable(path: FieldPath, name: string, source: string): NamedExpression {
    const expression = this.read(path, source)
    this.#variables.set(name, expression.program.type)
    return { ...expression, name }
  }

  error(path: FieldPath, what: string): CompileError {
    return new CompileError(this.resource, path, `${textOf(path)}: ${what}`)
  }

  #compile(path: FieldPath, source: string): CelProgram {
    try {
      return programOf(source, this.#declared, this.#variables)
    } catch (error) {
      if (!(error instanceof CelSyntaxError)) throw error
      const before = source.slice(0, error.offset).split('\n')
      const place = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1} of the expression`
      throw this.error(path, `${error.message} (${place})`)
    }
  }
}

/** `spec.validations[0].expression` */
function textOf(path: FieldPath): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`))
    .join('')
    .replace(/^\./, '')
}

/** What one policy's expressions see of one request. Variables are evaluated when they are asked for, and once. */
export class PolicyActivation implements Activation {
  readonly roots: ReadonlyMap<string, unknown>
  readonly review: Review
  readonly budget = new Budget()
  readonly variables: ReadonlyMap<string, Expression>
  readonly #known = new Map<string, { readonly value: unknown } | { readonly error: unknown }>()

  constructor(review: Review, variables: ReadonlyMap<string, Expression>, more?: ReadonlyMap<string, unknown>) {
    this.review = review
    this.variables = variables
    const roots = rootsOf(review)
    this.roots = more === undefined ? roots : new Map([...roots, ...more])
  }

  variable(name: string): unknown {
    let known = this.#known.get(name)
    if (known === undefined) {
      known = this.#evaluate(name)
      this.#known.set(name, known)
    }
    if ('error' in known) throw known.error
    return known.value
  }

  #evaluate(name: string): { readonly value: unknown } | { readonly error: unknown } {
    try {
      return { value: this.variables.get(name)?.program.evaluate(this) }
    } catch (error) {
      return { error }
    }
  }
}
