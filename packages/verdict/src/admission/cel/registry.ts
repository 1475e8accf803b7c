import { noOverload } from './errors.js'
import type { Frame } from './frame.js'
import type { CelValue, Double, Message, Optional, Plain, TypeValue, Uint } from './values.js'
import { isList, typeName } from './values.js'

/**
 * What is known of a value before anything is evaluated. `dyn` is what cel-go's checker calls so: a field of an object, of
 * which nothing is known. `open`: the checker knows more of it than is worked out here.
 */
export type StaticType = keyof TypeOf | 'null_type' | 'open'

/** CEL's types, and what their values are here. */
export interface TypeOf {
  dyn: unknown
  bool: boolean
  string: string
  int: bigint
  uint: Uint
  double: Double
  bytes: Uint8Array
  list: readonly unknown[]
  map: Plain | ReadonlyMap<unknown, unknown>
  type: TypeValue
  optional_type: Optional
  message: Message
  'google.protobuf.Timestamp': CelValue
  'google.protobuf.Duration': CelValue
  opaque: CelValue
}

type Values<P extends readonly string[]> = {
  readonly [K in keyof P]: P[K] extends keyof TypeOf ? TypeOf[P[K]] : CelValue
}

interface Overload {
  readonly params: readonly string[]
  readonly returns: StaticType
  readonly call: (args: readonly unknown[], frame: Frame) => unknown
}

/** A function by its name, `.name` for one with a receiver (its first parameter), `namespace.name` for one of a namespace. */
export class CelFunction {
  readonly name: string
  readonly #overloads: Overload[] = []

  constructor(name: string) {
    this.name = name
  }

  add(overload: Overload): void {
    this.#overloads.push(overload)
  }

  takes(count: number): boolean {
    return this.#overloads.some(({ params }) => params.length === count)
  }

  /** The one type that all overloads of this many parameters return. */
  returns(count: number): StaticType {
    const types = new Set(this.#overloads.filter(({ params }) => params.length === count).map(({ returns }) => returns))
    const [only] = types
    if (this.name === 'dyn') return 'dyn'
    return types.size === 1 && only !== undefined && only !== 'dyn' ? only : 'open'
  }

  call(args: readonly unknown[], frame: Frame): unknown {
    frame.budget.spend(costOf(args))
    for (const overload of this.#overloads) {
      if (fits(overload.params, args)) return overload.call(args, frame)
    }
    throw noOverload(this.name.replace(/^\./, ''))
  }
}

function fits(params: readonly string[], args: readonly unknown[]): boolean {
  if (params.length !== args.length) return false
  for (let i = 0; i < params.length; i++) {
    const wanted = params[i]
    if (wanted !== 'dyn' && wanted !== typeName(args[i])) return false
  }
  return true
}

/** A function looks at all of a string or a list, as a rule. */
function costOf(args: readonly unknown[]): number {
  let cost = 1
  for (const arg of args) {
    if (typeof arg === 'string') cost += arg.length >> 6
    else if (isList(arg)) cost += arg.length >> 3
  }
  return cost
}

const functions = new Map<string, CelFunction>()

export function define<const P extends readonly string[]>(
  name: string,
  params: P,
  returns: StaticType,
  call: (args: Values<P>, frame: Frame) => unknown,
): void {
  const known = functions.get(name) ?? new CelFunction(name)
  functions.set(name, known)
  // The types are checked, value by value, before it is called.
  known.add({ params, returns, call: (args, frame) => call(args as Values<P>, frame) })
}

export function findFunction(name: string): CelFunction | undefined {
  return functions.get(name)
}

export function functionNames(): Iterable<string> {
  return functions.keys()
}

/** Whether `name.something` is a function's name. */
export function isNamespace(name: string): boolean {
  for (const key of functions.keys()) if (key.startsWith(`${name}.`)) return true
  return false
}
