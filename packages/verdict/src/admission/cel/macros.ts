import type { CallNode, Node } from './ast.js'
import type { Compiler } from './compile.js'
import { CelError, CelSyntaxError, CelUnknownError, noOverload } from './errors.js'
import type { Frame, Run } from './frame.js'
import { asBool } from './operators.js'
import type { StaticType } from './registry.js'
import type { Compiled, Scope } from './scope.js'
import { hasField } from './select.js'
import { entry, isList, isMap, keysOf, mapKey, none, Optional, read, typeName } from './values.js'

/*
 * What looks like a call and is not one: its arguments are evaluated in their own time, with a variable of their own.
 */

export const loops: ReadonlySet<string> = new Set([
  'all',
  'exists',
  'exists_one',
  'existsOne',
  'filter',
  'map',
  'transformList',
  'transformMap',
])

export function isMacro({ name, target, args }: CallNode): boolean {
  if (target === undefined) return name === 'has' && args.length === 1
  if (name === 'bind') return target.op === 'ident' && target.name === 'cel' && args.length === 3
  if (name === 'optMap' || name === 'optFlatMap') return args.length === 2
  if (name === 'orValue' || name === 'or') return args.length === 1
  return loops.has(name) && args.length >= 2 && args.length <= 4
}

export function macro(compiler: Compiler, node: CallNode, scope: Scope): Compiled {
  switch (node.name) {
    case 'has':
      return has(compiler, node, scope)
    case 'bind':
      return bind(compiler, node, scope)
    case 'optMap':
    case 'optFlatMap':
      return optMap(compiler, node, scope)
    case 'orValue':
    case 'or':
      return orValue(compiler, node, scope)
    default:
      return loop(compiler, node, scope)
  }
}

function has(compiler: Compiler, node: CallNode, scope: Scope): Compiled {
  const [field] = node.args
  const name = field?.op === 'select' ? field.field : undefined
  const literal = field?.op === 'index' && field.index.op === 'literal' ? field.index.value : undefined
  const tested = name ?? literal
  if ((field?.op !== 'select' && field?.op !== 'index') || typeof tested !== 'string') {
    throw new CelSyntaxError('invalid argument to has() macro', node.at)
  }
  if (compiler.isVariables(field.target, scope)) {
    const declared = compiler.declared.variables?.has(tested) === true
    return { run: () => declared, type: 'bool', cost: 1 }
  }
  const { run, cost } = compiler.compile(field.target, scope)
  return { run: (frame) => hasField(run(frame), tested), type: 'bool', cost: cost + 1 }
}

function variable(node: Node | undefined): string {
  if (node?.op === 'ident') return node.name
  throw new CelSyntaxError('argument must be a simple name', node?.at ?? 0)
}

function bind(compiler: Compiler, node: CallNode, scope: Scope): Compiled {
  const [name, value, body] = node.args
  if (value === undefined || body === undefined) throw new CelSyntaxError('cel.bind() takes three arguments', node.at)
  const bound = compiler.compile(value, scope)
  const inner = compiler.compile(body, scope.with([variable(name), bound.type]))
  compiler.found.slots.set(node, scope.depth)
  const [slot, first, second] = [scope.depth, bound.run, inner.run]
  const run: Run = (frame) => {
    frame.locals[slot] = first(frame)
    return second(frame)
  }
  return { run, type: inner.type, cost: bound.cost + inner.cost + 1 }
}

function optMap(compiler: Compiler, node: CallNode, scope: Scope): Compiled {
  const [name, body] = node.args
  if (node.target === undefined || body === undefined) throw new CelSyntaxError('optMap() takes a body', node.at)
  const target = compiler.compile(node.target, scope)
  const inner = compiler.compile(body, scope.with([variable(name), 'open']))
  compiler.found.slots.set(node, scope.depth)
  const [slot, flat] = [scope.depth, node.name === 'optFlatMap']
  const run: Run = (frame) => {
    const value = target.run(frame)
    if (!(value instanceof Optional)) throw noOverload(node.name)
    if (value.value === undefined) return none
    frame.locals[slot] = value.value
    const mapped = inner.run(frame)
    return flat ? mapped : new Optional(mapped)
  }
  return { run, type: 'optional_type', cost: target.cost + inner.cost + 1 }
}

/** On a value that is no optional both are that value: Kyverno keeps it so, and Kubernetes' version of cel-go does it. */
function orValue(compiler: Compiler, node: CallNode, scope: Scope): Compiled {
  const [other] = node.args
  if (node.target === undefined || other === undefined) throw new CelSyntaxError('orValue() takes a value', node.at)
  const [target, instead] = [compiler.compile(node.target, scope), compiler.compile(other, scope)]
  const whole = node.name === 'or'
  const run: Run = (frame) => {
    const value = target.run(frame)
    if (!(value instanceof Optional)) return value
    if (value.value === undefined) return instead.run(frame)
    return whole ? value : value.value
  }
  return {
    run,
    type: whole ? 'optional_type' : orValueType(compiler, target.type),
    cost: target.cost + instead.cost + 1,
  }
}

function orValueType(compiler: Compiler, target: StaticType): StaticType {
  return compiler.declared.looseOrValue === true || target === 'dyn' ? 'dyn' : 'open'
}

/** Calls `each` with the keys and values of a list or a map, which for one variable is a list's values or a map's keys. */
type Each = (first: unknown, second: unknown) => boolean

function iterate(over: unknown, two: boolean, each: Each): void {
  if (isList(over)) {
    for (let i = 0; i < over.length; i++) {
      const value = read(over[i])
      if (!each(two ? BigInt(i) : value, value)) return
    }
    return
  }
  if (!isMap(over)) throw new CelError(`expression of type '${typeName(over)}' cannot be the range of a comprehension`)
  for (const key of keysOf(over)) if (!each(key, entry(over, key))) return
}

function loop(compiler: Compiler, node: CallNode, scope: Scope): Compiled {
  const { name, args, target } = node
  if (target === undefined) throw new CelSyntaxError(`${name}() takes a list or a map`, node.at)
  // `map(x, p, t)` has a filter before its transform; elsewhere a third argument means two variables.
  const two = name.startsWith('transform') || (args.length === 3 && name !== 'map')
  const names = two ? args.slice(0, 2) : args.slice(0, 1)
  const bodies = args.slice(names.length)
  const most = name === 'map' || name.startsWith('transform') ? 2 : 1
  if (bodies.length === 0 || bodies.length > most || (two && name === 'filter')) {
    throw new CelSyntaxError(`found no matching overload for '${name}' with ${args.length} arguments`, node.at)
  }
  const over = compiler.compile(target, scope)
  const element: StaticType = over.type === 'dyn' ? 'dyn' : 'open'
  const inner = scope.with(...names.map((one) => [variable(one), element] as const))
  const compiled = bodies.map((body) => compiler.compile(body, inner))
  compiler.found.slots.set(node, scope.depth)
  const step = compiled.reduce((sum, { cost }) => sum + cost, 1)
  const slot = scope.depth
  const walk = (frame: Frame, each: Each): void => {
    iterate(over.run(frame), two, (first, second) => {
      frame.budget.spend(step)
      frame.locals[slot] = first
      if (two) frame.locals[slot + 1] = second
      return each(first, second)
    })
  }
  const last = compiled.at(-1)?.run ?? (() => null)
  const filter = compiled.length > 1 ? compiled[0]?.run : undefined
  const made = runOf(name, walk, last, filter)
  return { ...made, cost: over.cost + 1 }
}

type Walk = (frame: Frame, each: Each) => void

function runOf(name: string, walk: Walk, body: Run, filter: Run | undefined): Pick<Compiled, 'run' | 'type'> {
  switch (name) {
    case 'all':
      return { run: quantifier(walk, body, false), type: 'bool' }
    case 'exists':
      return { run: quantifier(walk, body, true), type: 'bool' }
    case 'exists_one':
    case 'existsOne':
      return { run: (frame) => collect(frame, walk, body, () => 0).length === 1, type: 'bool' }
    case 'filter':
      return { run: (frame) => collect(frame, walk, body, (first) => first), type: 'list' }
    case 'transformMap':
      return { run: (frame) => transformMap(frame, walk, body, filter), type: 'map' }
    default:
      return { run: (frame) => collect(frame, walk, filter, () => body(frame)), type: 'list' }
  }
}

/** One element that decides does so whatever the others end with. */
function quantifier(walk: Walk, body: Run, decides: boolean): Run {
  return (frame) => {
    let result = !decides
    let failed: unknown
    walk(frame, () => {
      try {
        if (asBool(body(frame)) !== decides) return true
        result = decides
        return false
      } catch (error) {
        if (!(error instanceof CelError) || error instanceof CelUnknownError) throw error
        failed ??= error
        return true
      }
    })
    if (result !== decides && failed !== undefined) throw failed
    return result
  }
}

function collect(frame: Frame, walk: Walk, test: Run | undefined, value: (first: unknown) => unknown): unknown[] {
  const list: unknown[] = []
  walk(frame, (first) => {
    if (test === undefined || asBool(test(frame))) list.push(value(first))
    return true
  })
  return list
}

function transformMap(frame: Frame, walk: Walk, body: Run, filter: Run | undefined): unknown {
  const map = new Map<unknown, unknown>()
  walk(frame, (key) => {
    if (filter === undefined || asBool(filter(frame))) map.set(mapKey(key), body(frame))
    return true
  })
  return map
}
