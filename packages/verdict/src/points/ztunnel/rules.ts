import type { AuthorizationPolicy, AuthorizationRule, Resource } from '@bulkhead/resources'
import { CompileError } from '../../model/compile-error.js'
import { at, namespaceOf } from '../../model/kinds.js'
import {
  type Attribute,
  type AttributeKind,
  conditionKinds,
  operationKinds,
  type Subject,
  sourceKinds,
} from './match.js'

/** All attributes must hold. None at all: never matches. */
export type Entry = readonly Attribute[]

/** `from`, `to` or one condition of `when`. Any entry will do. */
export interface Clause {
  readonly name: 'from' | 'to' | 'when'
  readonly entries: readonly Entry[]
}

/** A rule as ztunnel receives it. */
export interface Rule {
  /** What a step says that this rule decides. */
  readonly by: {
    readonly layer: string | undefined
    readonly policy: string
    readonly rule: number
    readonly at: string
  }
  /** All must match. None at all: always matches. */
  readonly clauses: readonly Clause[]
  /** Attributes of requests that make istiod leave the whole rule out of an ALLOW policy (C.5). */
  readonly omittedFor: readonly string[]
  /** Attributes of requests without which a clause of this DENY rule is empty, so that it never matches (C.5). */
  readonly emptiedBy: readonly string[]
  /** Fields that the engine does not know. */
  readonly notModelled: readonly string[]
}

/** Read by waypoints and gateways only. */
const httpSource = new Set(['requestPrincipals', 'notRequestPrincipals', 'remoteIpBlocks', 'notRemoteIpBlocks'])
const httpOperation = new Set(['hosts', 'notHosts', 'methods', 'notMethods', 'paths', 'notPaths'])
/** Silently unsupported by ztunnel: as if not written (C.6). */
const ignoredSource = new Set(['trustDomains', 'notTrustDomains'])

export function compileRule(resource: Resource<AuthorizationPolicy>, rule: AuthorizationRule, index: number): Rule {
  const path = ['spec', 'rules', index]
  const http: string[] = []
  const notModelled: string[] = []
  const reader = new EntryReader(resource, http, notModelled)
  const clauses: Clause[] = []
  // An empty list is no constraint, as a missing one is (C.3).
  if (rule.from !== undefined && rule.from.length > 0) {
    const entries = rule.from.map(({ source }, i) =>
      reader.read({ ...source }, [...path, 'from', i, 'source'], sourceKinds, httpSource, ignoredSource),
    )
    clauses.push({ name: 'from', entries })
  }
  if (rule.to !== undefined && rule.to.length > 0) {
    const entries = rule.to.map(({ operation }, i) =>
      reader.read({ ...operation }, [...path, 'to', i, 'operation'], operationKinds, httpOperation, new Set()),
    )
    clauses.push({ name: 'to', entries })
  }
  for (const [i, condition] of (rule.when ?? []).entries()) {
    clauses.push({ name: 'when', entries: [reader.condition(condition, [...path, 'when', i])] })
  }
  // HTTP makes an ALLOW rule vanish; in a DENY rule only the attribute does, and an entry that it leaves empty can
  // never match (C.5):   - from: [{source: {principals: [p]}}]
  //                        to: [{operation: {methods: [DELETE]}}]      denies nothing
  const denies = resource.object.spec?.action === 'DENY'
  const never = clauses.some((clause) => clause.entries.every((entry) => entry.length === 0))
  const by = { layer: resource.layer, policy: resource.id, rule: index, at: at(resource, path) }
  return { by, clauses, omittedFor: denies ? [] : http, emptiedBy: denies && never ? http : [], notModelled }
}

class EntryReader {
  readonly #resource: Resource<AuthorizationPolicy>
  readonly #http: string[]
  readonly #notModelled: string[]

  constructor(resource: Resource<AuthorizationPolicy>, http: string[], notModelled: string[]) {
    this.#resource = resource
    this.#http = http
    this.#notModelled = notModelled
  }

  /** One `source` or `operation`: the attributes of it that ztunnel reads. */
  read(
    written: Readonly<Record<string, unknown>>,
    path: readonly (string | number)[],
    kinds: Readonly<Record<string, AttributeKind>>,
    http: ReadonlySet<string>,
    ignored: ReadonlySet<string>,
  ): Entry {
    const entry: Attribute[] = []
    for (const [name, value] of Object.entries(written)) {
      if (value === undefined || (Array.isArray(value) && value.length === 0) || ignored.has(name)) continue
      const positive = name.startsWith('not') ? name.charAt(3).toLowerCase() + name.slice(4) : name
      const kind = kindOf(kinds, positive)
      if (http.has(name)) this.#http.push(name)
      else if (kind === undefined) this.#notModelled.push([...path, name].join('.'))
      else entry.push(...this.#attribute(name, kind, stringsOf(value), name !== positive, [...path, name]))
    }
    return entry
  }

  condition(
    condition: { readonly key: string; readonly values?: readonly string[]; readonly notValues?: readonly string[] },
    path: readonly (string | number)[],
  ): Entry {
    const kind = kindOf(conditionKinds, condition.key)
    if (kind === undefined) {
      this.#http.push(`when ${condition.key}`)
      return []
    }
    const { key, values = [], notValues = [] } = condition
    return [
      ...(values.length > 0 ? this.#attribute(`when ${key}`, kind, values, false, [...path, 'values']) : []),
      ...(notValues.length > 0
        ? this.#attribute(`when ${key} not`, kind, notValues, true, [...path, 'notValues'])
        : []),
    ]
  }

  #attribute(
    name: string,
    kind: AttributeKind,
    wants: readonly string[],
    negated: boolean,
    path: readonly (string | number)[],
  ): Attribute[] {
    const invalid = (value: string): never => {
      throw new CompileError(this.#resource, path, `${JSON.stringify(value)} is not an IP address or CIDR block`)
    }
    const any = kind.compile(wants, invalid, namespaceOf(this.#resource))
    if (any === undefined) return []
    const holds = negated ? (subject: Subject) => !any(subject) : any
    return [{ name, wants, holds, has: kind.has }]
  }
}

/** Not what every object inherits: `constructor` is a name like any other. */
function kindOf(kinds: Readonly<Record<string, AttributeKind>>, name: string): AttributeKind | undefined {
  return Object.hasOwn(kinds, name) ? kinds[name] : undefined
}

function stringsOf(value: unknown): readonly string[] {
  return (Array.isArray(value) ? value : [value]).map(String)
}

/** Every clause, and in each any entry, and in it every attribute (C.3). */
export function ruleMatches(rule: Rule, subject: Subject): boolean {
  return rule.omittedFor.length === 0 && rule.clauses.every((clause) => clauseMatches(clause, subject))
}

function clauseMatches(clause: Clause, subject: Subject): boolean {
  return clause.entries.some((entry) => entry.length > 0 && entry.every((attribute) => attribute.holds(subject)))
}
