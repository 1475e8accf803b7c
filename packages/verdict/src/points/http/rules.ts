import type { AuthorizationPolicy, AuthorizationRule, Resource } from '@bulkhead/resources'
import { namespaceOf } from '../../model/kinds.js'
import { type Attribute, type AttributeKind, isPort, ports, principals } from '../policy/attributes.js'
import { attribute, byOf, type Clause, kindOf, polarity, type Rule, writtenFields } from '../policy/rule.js'
import { conditionKind, isClaim, isHttp, isRemote, operationKinds, sourceKinds } from './kinds.js'
import type { HttpSubject } from './subject.js'

/** What is in force at a proxy beside its AuthorizationPolicies, and makes some of their attributes unknowable. */
export interface HttpContext {
  /** RequestAuthentications that apply: ids. */
  readonly requestAuthentications: readonly string[]
  /** A word of the proxy's own configuration on whom it trusts to say who called. */
  readonly topology: boolean
  /** The rules are for a TCP filter chain, which reads no requests (C.6, last row). */
  readonly tcp: boolean
  /** The mesh's own, which `cluster.local` in a principal stands for (C.6). */
  readonly trustDomain: string
}

type Path = readonly (string | number)[]
type Entry = readonly Attribute<HttpSubject>[]

/**
 * A rule as Envoy's RBAC filter receives it (C.6). Unlike at ztunnel, an entry in which nothing is written matches
 * everything, so its clause says nothing.
 */
export function compileHttpRule(
  resource: Resource<AuthorizationPolicy>,
  rule: AuthorizationRule,
  index: number,
  context: HttpContext,
): Rule<HttpSubject> {
  const path = ['spec', 'rules', index]
  const reader = new HttpRuleReader(resource, context)
  const clauses: Clause<HttpSubject>[] = []
  const add = (name: Clause<HttpSubject>['name'], entries: readonly Entry[]): void => {
    if (entries.length > 0 && entries.every((entry) => entry.length > 0)) clauses.push({ name, entries })
  }
  add(
    'from',
    (rule.from ?? []).map(({ source }, i) => reader.fields(source, [...path, 'from', i, 'source'], sourceKinds)),
  )
  add(
    'to',
    (rule.to ?? []).map(({ operation }, i) =>
      reader.fields(operation, [...path, 'to', i, 'operation'], operationKinds),
    ),
  )
  for (const [i, condition] of (rule.when ?? []).entries()) {
    add('when', [reader.condition(condition, [...path, 'when', i])])
  }
  const { omittedFor, notModelled } = reader
  const namespace = namespaceOf(resource)
  return { by: byOf(resource, index), namespace, clauses, omittedFor, emptiedBy: [], notModelled }
}

class HttpRuleReader {
  readonly omittedFor: { attribute: string; why: string }[] = []
  readonly notModelled: string[] = []
  readonly #resource: Resource<AuthorizationPolicy>
  readonly #context: HttpContext

  constructor(resource: Resource<AuthorizationPolicy>, context: HttpContext) {
    this.#resource = resource
    this.#context = context
  }

  /** One `source` or `operation`. */
  fields(written: object | undefined, path: Path, kinds: Readonly<Record<string, AttributeKind<HttpSubject>>>): Entry {
    return writtenFields(written).flatMap(([name, wants]) => {
      const { positive, negated } = polarity(name)
      return this.#read(kindOf(kinds, positive), positive, { name, wants, negated }, [...path, name])
    })
  }

  condition(
    {
      key,
      values = [],
      notValues = [],
    }: { readonly key: string; readonly values?: readonly string[]; readonly notValues?: readonly string[] },
    path: Path,
  ): Entry {
    const kind = conditionKind(key)
    const written = [
      { name: `when ${key}`, wants: values, negated: false, field: 'values' },
      { name: `when ${key} not`, wants: notValues, negated: true, field: 'notValues' },
    ]
    return written
      .filter(({ wants }) => wants.length > 0)
      .flatMap(({ field, ...rest }) => this.#read(kind, key, rest, [...path, field]))
  }

  #read(
    kind: AttributeKind<HttpSubject> | undefined,
    positive: string,
    written: Parameters<typeof attribute>[3],
    path: Path,
  ): Entry {
    const { requestAuthentications, topology, tcp, trustDomain } = this.#context
    const allows = (this.#resource.object.spec?.action ?? 'ALLOW') === 'ALLOW'
    // Without requests an ALLOW rule that asks about one is left out; a DENY rule is without the attribute, and so wider.
    if (tcp && isHttp(positive)) {
      if (allows) this.omittedFor.push({ attribute: written.name, why: 'the connection carries no HTTP' })
      return []
    }
    if (kind === undefined) this.notModelled.push(path.join('.'))
    else if (isClaim(positive) && requestAuthentications.length > 0)
      this.notModelled.push(`${written.name} with ${requestAuthentications.join(', ')}`)
    else if (isRemote(positive) && topology) this.notModelled.push(`${written.name} with a gatewayTopology`)
    const bad = kind === ports ? written.wants.find((value) => !isPort(value)) : undefined
    // In an ALLOW policy one value that cannot be read takes the whole rule along; in a DENY only itself.
    if (bad !== undefined && allows) {
      const why = `${JSON.stringify(bad)} is no port number, so istiod leaves the rule out`
      this.omittedFor.push({ attribute: written.name, why })
    }
    const read =
      kind && attribute(this.#resource, path, kind, written, kind === principals ? ownDomain(trustDomain) : undefined)
    return read === undefined ? [] : [read]
  }
}

/**
 * `cluster.local` in a whole identity is the mesh's own trust domain, whatever its name; another one is meant as it is
 * written, and so is what is less than an identity (`cluster.local/ns/shop/*`): istiod replaces in nothing else.
 */
function ownDomain(trustDomain: string): (principal: string) => string {
  return (principal) => {
    const [domain, ...rest] = principal.split('/')
    return domain === 'cluster.local' && rest.length === 4 ? [trustDomain, ...rest].join('/') : principal
  }
}
