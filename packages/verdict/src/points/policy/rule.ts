import type { AuthorizationPolicy, Resource } from '@bulkhead/resources'
import { CompileError } from '../../model/compile-error.js'
import { at, namespaceOf } from '../../model/kinds.js'
import type { Attribute, AttributeKind } from './attributes.js'
import type { By } from './step.js'
import type { Subject } from './subject.js'

/** All attributes must hold. None at all: never matches. */
export type Entry<S extends Subject> = readonly Attribute<S>[]

/** `from`, `to` or one condition of `when`. Any entry will do. */
export interface Clause<S extends Subject> {
  readonly name: 'from' | 'to' | 'when'
  readonly entries: readonly Entry<S>[]
}

/** A rule as the proxy that enforces it receives it. */
export interface Rule<S extends Subject = Subject> {
  /** What a step says that this rule decides. */
  readonly by: Required<Pick<By, 'layer' | 'policy' | 'rule' | 'at'>>
  /** The policy's: what a short name in it means depends on it. */
  readonly namespace: string
  /** All must match. None at all: always matches. */
  readonly clauses: readonly Clause<S>[]
  /** What makes istiod leave the whole rule out, and why. */
  readonly omittedFor: readonly { readonly attribute: string; readonly why: string }[]
  /** Attributes without which a clause of this DENY rule is empty, so that it never matches. */
  readonly emptiedBy: readonly string[]
  /** Fields that the engine does not know. */
  readonly notModelled: readonly string[]
}

export function byOf(resource: Resource<AuthorizationPolicy>, rule: number): Rule['by'] {
  return { layer: resource.layer, policy: resource.id, rule, at: at(resource, ['spec', 'rules', rule]) }
}

/** `principals` for `notPrincipals`: what is read, and whether it must not match. */
export function polarity(name: string): { readonly positive: string; readonly negated: boolean } {
  const negated = /^not[A-Z]/.test(name)
  return { positive: negated ? name.charAt(3).toLowerCase() + name.slice(4) : name, negated }
}

/** One attribute as written; undefined when the proxy takes none of its values. `meant`: what a value stands for. */
export function attribute<S extends Subject>(
  resource: Resource<AuthorizationPolicy>,
  path: readonly (string | number)[],
  kind: AttributeKind<S>,
  written: { readonly name: string; readonly wants: readonly string[]; readonly negated: boolean },
  meant: (value: string) => string = (value) => value,
): Attribute<S> | undefined {
  const invalid = (value: string, expected: string): never => {
    throw new CompileError(resource, path, `${JSON.stringify(value)} is not ${expected}`)
  }
  const { name, wants, negated } = written
  const values = wants.map(meant)
  const any = kind.compile(values, invalid, namespaceOf(resource))
  if (any === undefined) return undefined
  const holds = negated ? (subject: S) => !any(subject) : any
  const { texts } = kind
  const compared = texts && { reader: texts.reader, patterns: texts.patterns(values, invalid), negated }
  return { name, wants, holds, has: (subject) => kind.has(subject), ...(compared && { texts: compared }) }
}

/** Not what every object inherits: `constructor` is a name like any other. */
export function kindOf<K>(kinds: Readonly<Record<string, K>>, name: string): K | undefined {
  return Object.hasOwn(kinds, name) ? kinds[name] : undefined
}

export function stringsOf(value: unknown): readonly string[] {
  return (Array.isArray(value) ? value : [value]).map(String)
}

/** The fields of a `source` or `operation` that say something. */
export function writtenFields(fields: object | undefined): [name: string, values: readonly string[]][] {
  return Object.entries(fields ?? {})
    .filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0))
    .map(([name, value]) => [name, stringsOf(value)])
}
