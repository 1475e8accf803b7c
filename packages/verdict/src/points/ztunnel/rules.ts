import type { AuthorizationPolicy, AuthorizationRule, Resource } from '@bulkhead/resources'
import { namespaceOf } from '../../model/kinds.js'
import type { Attribute, AttributeKind } from '../policy/attributes.js'
import { attribute, byOf, type Clause, type Entry, kindOf, polarity, type Rule, writtenFields } from '../policy/rule.js'
import type { Subject } from '../policy/subject.js'
import { conditionKinds, httpOperation, httpSource, ignoredSource, operationKinds, sourceKinds } from './kinds.js'

const why = 'ztunnel does not read HTTP, so it leaves the rule out'

/** A rule as ztunnel receives it. */
export function compileRule(resource: Resource<AuthorizationPolicy>, rule: AuthorizationRule, index: number): Rule {
  const path = ['spec', 'rules', index]
  const http: string[] = []
  const notModelled: string[] = []
  const reader = new EntryReader(resource, http, notModelled)
  const clauses: Clause<Subject>[] = []
  // An empty list is no constraint, as a missing one is (C.3).
  if (rule.from !== undefined && rule.from.length > 0) {
    const entries = rule.from.map(({ source }, i) =>
      reader.read(source, [...path, 'from', i, 'source'], sourceKinds, httpSource, ignoredSource),
    )
    clauses.push({ name: 'from', entries })
  }
  if (rule.to !== undefined && rule.to.length > 0) {
    const entries = rule.to.map(({ operation }, i) =>
      reader.read(operation, [...path, 'to', i, 'operation'], operationKinds, httpOperation, new Set()),
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
  return {
    by: byOf(resource, index),
    namespace: namespaceOf(resource),
    clauses,
    omittedFor: denies ? [] : http.map((name) => ({ attribute: name, why })),
    emptiedBy: denies && never ? http : [],
    notModelled,
  }
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
    written: object | undefined,
    path: readonly (string | number)[],
    kinds: Readonly<Record<string, AttributeKind>>,
    http: ReadonlySet<string>,
    ignored: ReadonlySet<string>,
  ): Entry<Subject> {
    const entry: Attribute[] = []
    for (const [name, wants] of writtenFields(written)) {
      const { positive, negated } = polarity(name)
      if (ignored.has(positive)) continue
      const kind = kindOf(kinds, positive)
      if (http.has(positive)) this.#http.push(name)
      else if (kind === undefined) this.#notModelled.push([...path, name].join('.'))
      else entry.push(...this.#attribute(kind, { name, wants, negated }, [...path, name]))
    }
    return entry
  }

  condition(
    condition: { readonly key: string; readonly values?: readonly string[]; readonly notValues?: readonly string[] },
    path: readonly (string | number)[],
  ): Entry<Subject> {
    const { key, values = [], notValues = [] } = condition
    const kind = kindOf(conditionKinds, key)
    if (kind === undefined) {
      this.#http.push(`when ${key}`)
      return []
    }
    const [positive, negative] = [
      { name: `when ${key}`, wants: values, negated: false },
      { name: `when ${key} not`, wants: notValues, negated: true },
    ]
    return [
      ...(values.length > 0 ? this.#attribute(kind, positive, [...path, 'values']) : []),
      ...(notValues.length > 0 ? this.#attribute(kind, negative, [...path, 'notValues']) : []),
    ]
  }

  #attribute(
    kind: AttributeKind,
    written: Parameters<typeof attribute>[3],
    path: readonly (string | number)[],
  ): Attribute[] {
    const read = attribute(this.#resource, path, kind, written)
    return read === undefined ? [] : [read]
  }
}
