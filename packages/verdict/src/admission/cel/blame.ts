import type { FieldPath } from '@bulkhead/resources'
import type { CallNode, Node } from './ast.js'
import { CelError } from './errors.js'
import { type Activation, Budget } from './frame.js'
import { type CelProgram, frameOf } from './index.js'
import { Provenance } from './provenance.js'

/*
 * Which field of the object makes an expression false. CEL has no word for it: the expression is gone through once more,
 * towards the operand and the element that decided. Where several fields together did, it is the closest one that holds
 * them all; where none of the object's is asked at all, there is none.
 */

type Paths = readonly FieldPath[]

/** `undefined` where no field can be named. */
export function fieldThatFails(
  program: CelProgram,
  activation: Activation,
  programOf: (variable: string) => CelProgram | undefined,
): FieldPath | undefined {
  const own: Activation = {
    roots: activation.roots,
    budget: new Budget(),
    ...(activation.review !== undefined && { review: activation.review }),
    variable: (name) => activation.variable?.(name),
  }
  const variables = new Map<string, Provenance | undefined>()
  const root: Provenance = new Provenance(program, frameOf(own), (name) => {
    if (!variables.has(name)) {
      const inner = programOf(name)
      variables.set(name, inner === undefined ? undefined : root.of(inner, frameOf(own)))
    }
    return variables.get(name)
  })
  try {
    const direct = new Blame(root).locate(program.node, true)
    const path = joined(direct.length > 0 ? direct : new Blame(root, true).locate(program.node, true))
    return path === undefined || path.length === 0 ? undefined : path
  } catch (error) {
    // It is an explanation: what it may cost is bounded, and without it the verdict stands.
    if (error instanceof CelError || error instanceof RangeError) return undefined
    throw error
  }
}

class Blame {
  readonly #from: Provenance
  /** What an object of the cluster was looked up by counts too: where nothing else of the object is asked. */
  readonly #lookUps: boolean

  constructor(from: Provenance, lookUps = false) {
    this.#from = from
    this.#lookUps = lookUps
  }

  /** The fields that make the node something else than is wanted. */
  locate(node: Node, wanted: boolean): Paths {
    const inner = this.#from.variable(node)
    if (inner !== undefined) {
      const found = new Blame(inner, this.#lookUps).locate(inner.node, wanted)
      return found.length > 0 ? found : this.#collect(node)
    }
    switch (node.op) {
      case 'and':
      case 'or':
        return this.#logical(node, wanted)
      case 'not':
        return this.locate(node.operand, !wanted)
      case 'ternary':
        return this.#ternary(node, wanted)
      case 'binary':
        return this.#binary(node)
      case 'call':
        return this.#call(node, wanted)
      default:
        return this.#collect(node)
    }
  }

  /** One operand decides an `&&` that is false and an `||` that is true; all of them decide the others. */
  #logical(node: Node & { readonly op: 'and' | 'or' }, wanted: boolean): Paths {
    const wrong = node.terms.filter((term) => this.#from.value(term) !== wanted)
    if ((node.op === 'and') === wanted) {
      for (const term of wrong) {
        const found = this.locate(term, wanted)
        if (found.length > 0) return found
      }
      return []
    }
    return chain(wrong.flatMap((term) => this.locate(term, wanted)))
  }

  #ternary(node: Node & { readonly op: 'ternary' }, wanted: boolean): Paths {
    const test = this.#from.value(node.test) === true
    const branch = test ? node.yes : node.no
    const found = branch.op === 'literal' ? [] : this.locate(branch, wanted)
    return found.length > 0 ? found : this.locate(node.test, !test)
  }

  #binary(node: Node & { readonly op: 'binary' }): Paths {
    for (const side of [node.left, node.right]) {
      // `list.filter(x, bad).size() == 0`: the first element that is in it.
      const counted = side.op === 'call' && side.name === 'size' ? (side.target ?? side.args[0]) : side
      if (counted === undefined || counted.op !== 'call' || counted.name !== 'filter') continue
      const found = this.#loop(counted, false)
      if (found.length > 0) return found
    }
    return chain([...this.#collect(node.left), ...this.#collect(node.right)])
  }

  #call(node: CallNode, wanted: boolean): Paths {
    const { name, target, args } = node
    if (name === 'has' && target === undefined) return this.#collect(args[0] ?? node)
    if (name === 'bind' && target?.op === 'ident' && target.name === 'cel') {
      const [, value, body] = args
      if (value === undefined || body === undefined) return []
      const bound = [this.#from.value(value), this.#from.pathOf(value)] as const
      return this.#from.within(node, [bound], () => this.locate(body, wanted))
    }
    if (name === 'all' || name === 'exists') return this.#quantifier(node, wanted)
    return this.#collect(node)
  }

  /** One element decides an `all` that is false and an `exists` that is true; all of them decide the others. */
  #quantifier(node: CallNode, wanted: boolean): Paths {
    const one = (node.name === 'all') === wanted
    const from = one ? [] : this.#collect(node.target ?? node)
    return from.length > 0 ? from : this.#loop(node, wanted)
  }

  /** The first element for which the body is not what is wanted, and in it the field. */
  #loop(node: CallNode, wanted: boolean): Paths {
    const { target, args } = node
    const body = args.at(-1)
    if (target === undefined || body === undefined) return []
    const two = args.length === 3
    for (const { only, key, value, path } of this.#from.elements(target)) {
      const variables = two ? [[key, undefined] as const, [value, path] as const] : [[only, path] as const]
      const found = this.#from.within(node, variables, () => {
        return this.#from.value(body) === wanted ? undefined : this.locate(body, wanted)
      })
      if (found === undefined) continue
      // What is asked of an element that is not of the object's own is asked of where it came from.
      if (found.length > 0) return found
      return path === undefined ? this.#collect(target) : [path]
    }
    return this.#collect(target)
  }

  /** Every field that the node's value was made of. */
  #collect(node: Node): Paths {
    const path = this.#from.pathOf(node)
    if (path !== undefined) return [path]
    const inner = this.#from.variable(node)
    if (inner !== undefined) return new Blame(inner, this.#lookUps).#collect(inner.node)
    const found = chain(this.#parts(node).flatMap((part) => this.#collect(part)))
    return found.length === 0 && node.op === 'ternary' && this.#lookUps ? this.#collect(node.test) : found
  }

  #parts(node: Node): readonly Node[] {
    switch (node.op) {
      case 'select':
        return [node.target]
      case 'index':
        return [node.target, node.index]
      case 'call':
        return this.#partsOfCall(node)
      case 'list':
        return node.items.map(({ value }) => value)
      case 'map':
        return node.entries.flatMap(({ key, value }) => [key, value])
      case 'message':
        return node.fields.map(({ value }) => value)
      case 'and':
      case 'or':
        return node.terms
      case 'not':
      case 'negate':
        return [node.operand]
      case 'binary':
        return [node.left, node.right]
      case 'ternary':
        return this.#from.value(node.test) === true ? [node.yes] : [node.no]
      default:
        return []
    }
  }

  /** A comprehension's body is about its elements, which are its target's. */
  #partsOfCall({ name, target, args }: CallNode): readonly Node[] {
    if (!this.#lookUps && target?.op === 'ident' && target.name === 'resource') return []
    const loops = ['all', 'exists', 'exists_one', 'existsOne', 'filter', 'map', 'transformList', 'transformMap']
    if (target === undefined) return args
    if (loops.includes(name) || name === 'optMap' || name === 'optFlatMap') return [target]
    if (name === 'bind') return args.slice(1)
    return [target, ...args]
  }
}

/** Fields that lie in one another are the innermost one: the others only ask whether it is there. */
function chain(all: Paths): Paths {
  // What kind of object it is decides what is asked of it, and is never what it has to change.
  const own = all.filter((path) => path[0] !== 'kind' && path[0] !== 'apiVersion')
  const paths = own.length > 0 ? own : all
  const deepest = paths.reduce<FieldPath | undefined>(
    (best, path) => (best === undefined || path.length > best.length ? path : best),
    undefined,
  )
  if (deepest === undefined) return []
  return paths.every((path) => isPrefix(path, deepest)) ? [deepest] : paths
}

function isPrefix(path: FieldPath, of: FieldPath): boolean {
  return path.length <= of.length && path.every((key, index) => of[index] === key)
}

/** The one field, or the closest that holds all. */
function joined(paths: Paths): FieldPath | undefined {
  const [first, ...rest] = chain(paths)
  if (first === undefined) return undefined
  let length = first.length
  for (const path of rest) {
    let same = 0
    while (same < length && path[same] === first[same]) same++
    length = same
  }
  return first.slice(0, length)
}
