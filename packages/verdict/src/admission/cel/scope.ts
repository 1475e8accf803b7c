import type { Node } from './ast.js'
import type { Run } from './frame.js'
import type { StaticType } from './registry.js'

/** What an expression may name. */
export interface Declarations {
  /** Names that an activation has, with what is known of their types. */
  readonly roots: ReadonlyMap<string, StaticType>
  /** The policy's variables that may be used here: those that come before. Absent: `variables` is not declared. */
  readonly variables?: ReadonlyMap<string, StaticType>
  /** Names that a cluster has and that are not modelled: `http`, `authorizer`, `globalContext`. */
  readonly foreign?: ReadonlySet<string>
  /** Namespaces of functions, and functions, that are Kyverno's own and not there: an API server refuses such a policy. */
  readonly absent?: ReadonlySet<string>
  /** Lists and maps may hold values of several types, as in expressions that make objects. */
  readonly mixed?: boolean
  /** `orValue` comes to anything, as Kyverno declares it. */
  readonly looseOrValue?: boolean
}

export interface Compiled {
  readonly run: Run
  readonly type: StaticType
  /** Nodes that one evaluation takes, comprehensions' bodies aside. */
  readonly cost: number
}

interface Local {
  readonly slot: number
  readonly type: StaticType
}

/** The variables of comprehensions around a node. */
export class Scope {
  readonly #names: ReadonlyMap<string, Local>
  readonly depth: number

  constructor(names: ReadonlyMap<string, Local> = new Map(), depth = 0) {
    this.#names = names
    this.depth = depth
  }

  find(name: string): Local | undefined {
    return this.#names.get(name)
  }

  /** With these names in the next slots. */
  with(...added: readonly (readonly [name: string, type: StaticType])[]): Scope {
    const names = new Map(this.#names)
    for (const [index, [name, type]] of added.entries()) names.set(name, { slot: this.depth + index, type })
    return new Scope(names, this.depth + added.length)
  }
}

/** What compiling finds out beside the closures. */
export interface Found {
  readonly runs: Map<Node, Run>
  /** The first slot of the variables of a comprehension or of `cel.bind`. */
  readonly slots: Map<Node, number>
  readonly notModelled: Set<string>
}
