import type { FieldPath } from '@bulkhead/resources'
import type { CallNode, Node } from './ast.js'
import { CelError } from './errors.js'
import type { Frame } from './frame.js'
import type { Found } from './scope.js'
import { entry, isList, isMap, isPlain, keysOf, Optional, read } from './values.js'

/*
 * Where in the object a value of an expression came from. Lists and maps are known by their identity, whatever variables
 * and comprehensions they went through; what has none (a string, a number) by the way that the expression takes to it.
 */

/** A program with an evaluation of it: variables are programs of their own. */
export interface Traced {
  readonly node: Node
  readonly found: Found
}

export type Outcome = { readonly value: unknown } | { readonly error: CelError }

/** What the variables of a comprehension are for one element, and where that is written. */
export interface Element {
  /** Of one variable: a list's value, a map's key. */
  readonly only: unknown
  /** Of two. */
  readonly key: unknown
  readonly value: unknown
  readonly path: FieldPath | undefined
}

const MAX_INDEXED = 200_000

/** Every list and map of an object, by identity. */
function indexOf(root: unknown): ReadonlyMap<unknown, FieldPath> {
  const index = new Map<unknown, FieldPath>()
  const open: [unknown, FieldPath][] = [[root, []]]
  for (let next = open.pop(); next !== undefined && index.size < MAX_INDEXED; next = open.pop()) {
    const [value, path] = next
    if (typeof value !== 'object' || value === null || index.has(value)) continue
    index.set(value, path)
    if (isList(value)) for (let i = value.length - 1; i >= 0; i--) open.push([value[i], [...path, i]])
    else if (isPlain(value)) for (const key of Object.keys(value).reverse()) open.push([value[key], [...path, key]])
  }
  return index
}

export class Provenance {
  readonly #traced: Traced
  readonly #frame: Frame
  readonly #variables: (name: string) => Provenance | undefined
  readonly #index: () => ReadonlyMap<unknown, FieldPath>
  /** Of the comprehensions' variables, by slot. */
  readonly #locals = new Map<number, FieldPath | undefined>()
  readonly #names = new Map<string, number>()

  constructor(
    traced: Traced,
    frame: Frame,
    variables: (name: string) => Provenance | undefined,
    index: () => ReadonlyMap<unknown, FieldPath> = indexer(frame),
  ) {
    this.#traced = traced
    this.#frame = frame
    this.#variables = variables
    this.#index = index
  }

  get node(): Node {
    return this.#traced.node
  }

  /** What is around a variable's own program. */
  of(traced: Traced, frame: Frame): Provenance {
    return new Provenance(traced, frame, this.#variables, this.#index)
  }

  /** The program of `variables.name`. */
  variable(node: Node): Provenance | undefined {
    if (node.op !== 'select' || node.target.op !== 'ident' || node.target.name !== 'variables') return undefined
    return this.#names.has('variables') ? undefined : this.#variables(node.field)
  }

  outcome(node: Node): Outcome {
    try {
      return { value: this.#traced.found.runs.get(node)?.(this.#frame) }
    } catch (error) {
      if (error instanceof CelError) return { error }
      throw error
    }
  }

  /** `undefined` for what ends with an error. */
  value(node: Node): unknown {
    const outcome = this.outcome(node)
    return 'value' in outcome ? outcome.value : undefined
  }

  /** Does it with the variable of a comprehension (or of `cel.bind`) being this value, from there. */
  within<T>(
    loop: CallNode,
    bound: readonly (readonly [value: unknown, path: FieldPath | undefined])[],
    work: () => T,
  ): T {
    const slot = this.#traced.found.slots.get(loop) ?? 0
    const names = loop.args.slice(0, bound.length).map((arg) => (arg.op === 'ident' ? arg.name : ''))
    const before = names.map((name) => [name, this.#names.get(name)] as const)
    for (const [index, [value, path]] of bound.entries()) {
      this.#frame.locals[slot + index] = value
      this.#locals.set(slot + index, path)
      this.#names.set(names[index] ?? '', slot + index)
    }
    try {
      return work()
    } finally {
      for (const [name, old] of before) {
        if (old === undefined) this.#names.delete(name)
        else this.#names.set(name, old)
      }
    }
  }

  /** The field of the object that the node's value is, or would be if it were written. */
  pathOf(node: Node): FieldPath | undefined {
    const inner = this.variable(node)
    if (inner !== undefined) return inner.pathOf(inner.node)
    switch (node.op) {
      case 'ident': {
        const slot = this.#names.get(node.name)
        if (slot !== undefined) return this.#locals.get(slot) ?? this.#byIdentity(node)
        return this.#isObject(node.name) ? [] : undefined
      }
      case 'select':
        return this.#child(node.target, node.field) ?? this.#byIdentity(node)
      case 'index':
        return this.#child(node.target, key(this.value(node.index))) ?? this.#byIdentity(node)
      case 'call':
        return this.#pathOfCall(node) ?? this.#byIdentity(node)
      case 'ternary':
        return this.pathOf(this.value(node.test) === true ? node.yes : node.no)
      case 'literal':
        return undefined
      default:
        return this.#byIdentity(node)
    }
  }

  /** Of a request that deletes, what is there is `oldObject`, and the object asked about. */
  #isObject(name: string): boolean {
    const { roots } = this.#frame
    return name === 'object' ? roots.get(name) !== null : name === 'oldObject' && roots.get('object') === null
  }

  #child(target: Node, name: string | number | undefined): FieldPath | undefined {
    const base = name === undefined ? undefined : this.pathOf(target)
    return base === undefined || name === undefined ? undefined : [...base, name]
  }

  #pathOfCall(node: CallNode): FieldPath | undefined {
    const { name, target, args } = node
    if (name === 'bind' && target?.op === 'ident' && target.name === 'cel') {
      const [, bound, body] = args
      if (bound === undefined || body === undefined) return undefined
      return this.within(node, [[this.value(bound), this.pathOf(bound)]], () => this.pathOf(body))
    }
    if (target === undefined)
      return ['dyn', 'string', 'int', 'quantity', 'size'].includes(name) && args[0] !== undefined
        ? this.pathOf(args[0])
        : undefined
    if (name === 'orValue' || name === 'or') {
      const value = this.value(target)
      // Where nothing is written, it is the place where it would be.
      return (
        this.pathOf(target) ??
        (value instanceof Optional && value.value === undefined && args[0] !== undefined
          ? this.pathOf(args[0])
          : undefined)
      )
    }
    return ['value', 'size', 'lowerAscii', 'upperAscii', 'trim'].includes(name) ? this.pathOf(target) : undefined
  }

  #byIdentity(node: Node): FieldPath | undefined {
    return this.identity(this.value(node))
  }

  identity(value: unknown): FieldPath | undefined {
    const held = value instanceof Optional ? value.value : value
    return typeof held === 'object' && held !== null ? this.#index().get(held) : undefined
  }

  /** The elements that a comprehension goes over. */
  elements(over: Node): readonly Element[] {
    const value = this.value(over)
    if (isList(value)) {
      return value.map((item, index) => {
        const element = read(item)
        const path = this.identity(item) ?? this.elementPath(over, index)
        return { only: element, key: BigInt(index), value: element, path }
      })
    }
    if (!isMap(value)) return []
    const base = this.pathOf(over)
    return keysOf(value).map((name) => {
      const path = base === undefined ? undefined : [...base, String(name)]
      return { only: name, key: name, value: entry(value, name), path }
    })
  }

  /** Where the element of a list that an expression makes is written. */
  elementPath(node: Node, index: number): FieldPath | undefined {
    const inner = this.variable(node)
    if (inner !== undefined) return inner.elementPath(inner.node, index)
    const base = this.pathOf(node)
    if (base !== undefined) return [...base, index]
    if (node.op === 'binary' && node.operator === '+') {
      const left = this.value(node.left)
      const length = isList(left) ? left.length : 0
      return index < length ? this.elementPath(node.left, index) : this.elementPath(node.right, index - length)
    }
    if (node.op === 'list') {
      const item = node.items[index]
      return item === undefined ? undefined : this.pathOf(item.value)
    }
    if (node.op === 'ternary') return this.elementPath(this.value(node.test) === true ? node.yes : node.no, index)
    if (node.op === 'call') return this.#elementOfCall(node, index)
    return undefined
  }

  #elementOfCall(node: CallNode, index: number): FieldPath | undefined {
    const { name, target, args } = node
    if (target === undefined) return undefined
    if (name === 'orValue') return this.elementPath(target, index)
    const body = args.at(-1)
    if (body === undefined || args.length !== 2 || (name !== 'map' && name !== 'filter')) return undefined
    let passed = -1
    for (const { only, path } of this.elements(target)) {
      const kept = name === 'map' || this.within(node, [[only, path]], () => this.value(body)) === true
      if (kept) passed += 1
      if (passed !== index || !kept) continue
      return name === 'filter' ? path : this.within(node, [[only, path]], () => this.pathOf(body))
    }
    return undefined
  }
}

function indexer(frame: Frame): () => ReadonlyMap<unknown, FieldPath> {
  let index: ReadonlyMap<unknown, FieldPath> | undefined
  return () => {
    index ??= indexOf(frame.roots.get('object') ?? frame.roots.get('oldObject'))
    return index
  }
}

function key(value: unknown): string | number | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'bigint' ? Number(value) : undefined
}
