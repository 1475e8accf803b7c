import type { CallNode, Node } from './ast.js'
import { CelError, CelSyntaxError, CelUnknownError } from './errors.js'
import type { Frame, Run } from './frame.js'
import { isMacro, macro } from './macros.js'
import { asBool, negate, operate } from './operators.js'
import { findFunction, isNamespace } from './registry.js'
import { type Compiled, type Declarations, type Found, Scope } from './scope.js'
import { selectField, selectIndex } from './select.js'
import { arithmeticType, clash, eitherType, ofElement, staticType } from './static-types.js'
import { isUnmodelled, undeclaredFunction } from './unmodelled.js'
import { Message, mapKey, none, Optional, TypeValue, typeName } from './values.js'

/** Names of types, which are values as well. */
const types = new Map(
  Object.entries({
    bool: 'bool',
    bytes: 'bytes',
    double: 'double',
    int: 'int',
    list: 'list',
    map: 'map',
    null_type: 'null_type',
    optional_type: 'optional_type',
    string: 'string',
    type: 'type',
    uint: 'uint',
  }),
)

/** An expression's tree to closures, with what is known of its type. Throws CelSyntaxError for a name that is not there. */
export class Compiler {
  readonly declared: Declarations
  readonly found: Found = { runs: new Map(), slots: new Map(), notModelled: new Set() }

  constructor(declared: Declarations) {
    this.declared = declared
  }

  compile(node: Node, scope: Scope): Compiled {
    const compiled = this.#compile(node, scope)
    this.found.runs.set(node, compiled.run)
    return compiled
  }

  #compile(node: Node, scope: Scope): Compiled {
    switch (node.op) {
      case 'literal': {
        const { value } = node
        return { run: () => value, type: staticType(value), cost: 1 }
      }
      case 'ident':
        return this.#ident(node.name, node.at, scope)
      case 'select':
        return this.#select(node, scope)
      case 'index':
        return this.#index(node, scope)
      case 'call':
        return this.#call(node, scope)
      case 'list':
        return this.#list(node, scope)
      case 'map':
        return this.#map(node, scope)
      case 'message':
        return this.#message(node, scope)
      case 'and':
      case 'or':
        return this.#logical(node, scope)
      case 'not': {
        const { run, cost } = this.#bool(node.operand, scope)
        return { run: (frame) => !asBool(run(frame)), type: 'bool', cost: cost + 1 }
      }
      case 'negate': {
        const { run, type, cost } = this.compile(node.operand, scope)
        return { run: (frame) => negate(run(frame)), type, cost: cost + 1 }
      }
      case 'binary':
        return this.#binary(node, scope)
      case 'ternary':
        return this.#ternary(node, scope)
    }
  }

  #ident(name: string, at: number, scope: Scope): Compiled {
    const local = scope.find(name)
    if (local !== undefined) {
      const { slot, type } = local
      return { run: (frame) => frame.locals[slot], type, cost: 1 }
    }
    const root = this.declared.roots.get(name)
    if (root !== undefined) {
      return { run: (frame) => frame.roots.get(name), type: root, cost: 1 }
    }
    const type = types.get(name)
    if (type !== undefined) {
      const value = new TypeValue(type)
      return { run: () => value, type: 'type', cost: 1 }
    }
    if (this.declared.foreign?.has(name)) return this.#foreign(name)
    throw new CelSyntaxError(`undeclared reference to '${name}'`, at)
  }

  #foreign(what: string): Compiled {
    this.found.notModelled.add(what)
    return {
      run: () => {
        throw new CelError(`${what} is not modelled`)
      },
      type: 'open',
      cost: 1,
    }
  }

  #select(node: Node & { readonly op: 'select' }, scope: Scope): Compiled {
    const { field, optional } = node
    if (this.isVariables(node.target, scope)) {
      const type = this.declared.variables?.get(field)
      if (type === undefined) throw new CelSyntaxError(`undefined field '${field}'`, node.at)
      const run: Run = (frame) => frame.variable?.(field)
      return {
        run: optional ? (frame) => new Optional(run(frame)) : run,
        type: optional ? 'optional_type' : type,
        cost: 1,
      }
    }
    const target = this.compile(node.target, scope)
    const run: Run = (frame) => selectField(target.run(frame), field, optional)
    return { run, type: optional ? 'optional_type' : ofElement(target.type), cost: target.cost + 1 }
  }

  isVariables(node: Node, scope: Scope): boolean {
    return (
      node.op === 'ident' &&
      node.name === 'variables' &&
      this.declared.variables !== undefined &&
      scope.find('variables') === undefined
    )
  }

  #index(node: Node & { readonly op: 'index' }, scope: Scope): Compiled {
    const [target, index] = [this.compile(node.target, scope), this.compile(node.index, scope)]
    const { optional } = node
    return {
      run: (frame) => selectIndex(target.run(frame), index.run(frame), optional),
      type: optional ? 'optional_type' : ofElement(target.type),
      cost: target.cost + index.cost + 1,
    }
  }

  #call(node: CallNode, scope: Scope): Compiled {
    if (isMacro(node)) return macro(this, node, scope)
    const { target, args } = node
    const space = target?.op === 'ident' && scope.find(target.name) === undefined ? target.name : undefined
    const isFunctionOfSpace = space !== undefined && (isNamespace(space) || this.declared.foreign?.has(space) === true)
    const absent = isFunctionOfSpace ? space : target === undefined ? node.name : undefined
    if (absent !== undefined && this.declared.absent?.has(absent)) {
      throw new CelSyntaxError(`undeclared reference to '${absent}'`, node.at)
    }
    const name = isFunctionOfSpace ? `${space}.${node.name}` : target === undefined ? node.name : `.${node.name}`
    const operands = target === undefined || isFunctionOfSpace ? args : [target, ...args]
    const called = findFunction(name)
    const { foreign } = this.declared
    // A mistake in the name explains the mistakes in the arguments, as where a macro was meant.
    if (called === undefined && !isUnmodelled(name, foreign)) {
      throw new CelSyntaxError(undeclaredFunction(name, args.length, foreign), node.at)
    }
    const compiled = operands.map((operand) => this.compile(operand, scope))
    if (called === undefined) return this.#foreign(`${name.replace(/^\./, '')}()`)
    // Kyverno's forms for groups, versions and resources, and for policies of a namespace.
    if (space === 'resource' && !called.takes(operands.length))
      return this.#foreign(`${name}() of ${args.length} arguments`)
    if (!called.takes(operands.length)) {
      throw new CelSyntaxError(
        `found no matching overload for '${name.replace(/^\./, '')}' with ${args.length} arguments`,
        node.at,
      )
    }
    const runs = compiled.map(({ run }) => run)
    return {
      run: (frame) => {
        const values = new Array<unknown>(runs.length)
        for (let i = 0; i < runs.length; i++) values[i] = runs[i]?.(frame)
        return called.call(values, frame)
      },
      type: called.returns(operands.length),
      cost: total(compiled),
    }
  }

  #list(node: Node & { readonly op: 'list' }, scope: Scope): Compiled {
    const items = node.items.map(({ value, optional }) => ({ ...this.compile(value, scope), optional }))
    const known = new Set(
      items.filter(({ type, optional }) => type !== 'dyn' && type !== 'open' && !optional).map(({ type }) => type),
    )
    const [first, second] = known
    if (second !== undefined && this.declared.mixed !== true)
      throw new CelSyntaxError(`expected type '${first}' but found '${second}'`, node.at)
    return {
      run: (frame) => {
        const list: unknown[] = []
        for (const { run, optional } of items) {
          const value = run(frame)
          if (!optional) list.push(value)
          else if (asOptional(value).value !== undefined) list.push(asOptional(value).value)
        }
        return list
      },
      type: 'list',
      cost: total(items),
    }
  }

  #map(node: Node & { readonly op: 'map' }, scope: Scope): Compiled {
    const entries = node.entries.map(({ key, value, optional }) => {
      return { key: this.compile(key, scope), value: this.compile(value, scope), optional }
    })
    return {
      run: (frame) => {
        const map = new Map<unknown, unknown>()
        for (const { key, value, optional } of entries) {
          const name = mapKey(key.run(frame))
          if (typeof name !== 'string' && typeof name !== 'bigint' && typeof name !== 'boolean') {
            throw new CelError(`unsupported key type: ${typeName(name)}`)
          }
          if (map.has(name)) throw new CelError(`Failed with repeated key: ${String(name)}`)
          put(map, name, value.run(frame), optional)
        }
        return map
      },
      type: 'map',
      cost: entries.reduce((sum, { key, value }) => sum + key.cost + value.cost, 1),
    }
  }

  #message(node: Node & { readonly op: 'message' }, scope: Scope): Compiled {
    const { type } = node
    const fields = node.fields.map(({ name, value, optional }) => ({ name, optional, ...this.compile(value, scope) }))
    return {
      run: (frame) => {
        const values = new Map<unknown, unknown>()
        for (const { name, run, optional } of fields) put(values, name, run(frame), optional)
        return new Message(type, values as Map<string, unknown>)
      },
      type: 'message',
      cost: total(fields),
    }
  }

  /** An operand that decides does so whatever the others end with, errors too. */
  #logical(node: Node & { readonly op: 'and' | 'or' }, scope: Scope): Compiled {
    const terms = node.terms.map((term) => this.#bool(term, scope))
    const runs = terms.map(({ run }) => run)
    const decides = node.op === 'or'
    const decide = (frame: Frame): boolean => {
      let failed: unknown
      for (const run of runs) {
        try {
          if (asBool(run(frame)) === decides) return decides
        } catch (error) {
          if (!(error instanceof CelError) || error instanceof CelUnknownError) throw error
          failed ??= error
        }
      }
      if (failed !== undefined) throw failed
      return !decides
    }
    return { run: decide, type: 'bool', cost: total(terms) }
  }

  #bool(node: Node, scope: Scope): Compiled {
    const compiled = this.compile(node, scope)
    if (!['bool', 'dyn', 'open'].includes(compiled.type)) {
      throw new CelSyntaxError(`expected type 'bool' but found '${compiled.type}'`, node.at)
    }
    return compiled
  }

  #binary(node: Node & { readonly op: 'binary' }, scope: Scope): Compiled {
    const { operator } = node
    const [left, right] = [this.compile(node.left, scope), this.compile(node.right, scope)]
    const compares = ['==', '!=', '<', '<=', '>', '>='].includes(operator)
    if (compares && clash(left.type, right.type)) {
      throw new CelSyntaxError(
        `found no matching overload for '_${operator}_' applied to '(${left.type}, ${right.type})'`,
        node.at,
      )
    }
    const [first, second] = [left.run, right.run]
    return {
      run: (frame) => operate(operator, first(frame), second(frame), frame),
      type: compares || operator === 'in' ? 'bool' : arithmeticType(left.type, right.type),
      cost: left.cost + right.cost + 1,
    }
  }

  #ternary(node: Node & { readonly op: 'ternary' }, scope: Scope): Compiled {
    const [test, yes, no] = [this.#bool(node.test, scope), this.compile(node.yes, scope), this.compile(node.no, scope)]
    const [first, second, third] = [test.run, yes.run, no.run]
    return {
      run: (frame) => (asBool(first(frame)) ? second(frame) : third(frame)),
      type: eitherType(yes.type, no.type),
      cost: test.cost + yes.cost + no.cost + 1,
    }
  }
}

export function compileNode(node: Node, declared: Declarations): Compiled & { readonly found: Found } {
  const compiler = new Compiler(declared)
  return { ...compiler.compile(node, new Scope()), found: compiler.found }
}

function put(map: Map<unknown, unknown>, name: unknown, value: unknown, optional: boolean): void {
  if (!optional) map.set(name, value)
  else if (asOptional(value) !== none && asOptional(value).value !== undefined) map.set(name, asOptional(value).value)
}

function asOptional(value: unknown): Optional {
  if (value instanceof Optional) return value
  throw new CelError(`cannot initialize optional entry from non-optional value of type ${typeName(value)}`)
}

function total(parts: readonly Compiled[]): number {
  return parts.reduce((sum, { cost }) => sum + cost, 1)
}
