import type { Fields } from '../plain.js'
import { L4_CONDITIONS } from './conditions.js'
import type { At } from './schema.js'

/*
 * A policy for pods (a selector, or none) is enforced by ztunnel, which sees connections and no requests. istiod takes
 * such a policy with request fields in it all the same, and what becomes of it is rarely what was meant. Source:
 * semantics of what ztunnel does with L7 attributes; the verdict engine follows the same table.
 */

const andNot = (names: readonly string[]) =>
  new Set(names.flatMap((name) => [name, `not${name[0]?.toUpperCase()}${name.slice(1)}`]))

const L4_SOURCE = andNot(['principals', 'namespaces', 'serviceAccounts', 'ipBlocks'])
const L7_SOURCE = andNot(['requestPrincipals', 'remoteIpBlocks'])
const TRUST_DOMAINS = andNot(['trustDomains'])
const L4_OPERATION = andNot(['ports'])
const L7_OPERATION = andNot(['hosts', 'methods', 'paths'])

export function warnOfRequestFields(spec: Fields, at: At): void {
  if (hasTargets(spec) || selectsGateway(spec)) return
  const action = spec.action ?? 'ALLOW'
  const rules = listOf(spec.rules)
  if (action === 'AUDIT' || action === 'CUSTOM') {
    at.at('action').warn(
      'ztunnel.action',
      `ztunnel does not know the action ${action}: for pods this policy does nothing; put it on a waypoint or gateway with targetRefs`,
    )
    return
  }
  for (const [index, rule] of rules.entries()) warnOfTrustDomains(rule, at.at('rules', index))
  if (action === 'ALLOW') warnOfAllow(rules, at)
  else if (action === 'DENY') for (const [index, rule] of rules.entries()) warnOfDeny(rule, at.at('rules', index))
}

/** ALLOW: a rule with any request field is dropped whole. With none left the policy allows nobody. */
function warnOfAllow(rules: readonly Fields[], at: At): void {
  const dropped = rules.map(requestFields)
  const noneLeft = dropped.length > 0 && dropped.every((fields) => fields.length > 0)
  for (const [index, fields] of dropped.entries()) {
    if (fields.length === 0) continue
    const result = noneLeft ? 'no rule is left, so the policy denies everyone' : 'the other rules stay'
    at.at('rules', index).warn(
      'ztunnel.request-fields',
      `ztunnel cannot see ${fields.join(', ')} and drops this whole ALLOW rule; ${result}. Requests are judged by a waypoint: use targetRefs`,
    )
  }
}

/** DENY: the request fields are taken out. Where nothing else is left in a clause the rule never matches; else it denies more than it says. */
function warnOfDeny(rule: Fields, at: At): void {
  const fields = requestFields(rule)
  if (fields.length === 0) return
  const from = listOf(rule.from).map((entry) => namesOf(entry.source))
  const to = listOf(rule.to).map((entry) => namesOf(entry.operation))
  const emptied = (clause: readonly string[][], known: ReadonlySet<string>) =>
    clause.length > 0 && clause.every((names) => names.length > 0 && names.every((name) => !known.has(name)))
  const never = emptied(from, L4_SOURCE) || emptied(to, L4_OPERATION) || listOf(rule.when).some((entry) => !isL4(entry))
  at.warn(
    'ztunnel.request-fields',
    never
      ? `ztunnel cannot see ${fields.join(', ')}, and without it a clause of this DENY rule is empty: the rule denies nothing. Requests are judged by a waypoint: use targetRefs`
      : `ztunnel cannot see ${fields.join(', ')} and takes it out of this DENY rule: it denies every connection that the rest matches. Requests are judged by a waypoint: use targetRefs`,
  )
}

/** Trust domains are not sent to ztunnel: where a source says nothing else, nothing is left of it. */
function warnOfTrustDomains(rule: Fields, at: At): void {
  for (const [index, entry] of listOf(rule.from).entries()) {
    const names = namesOf(entry.source)
    const ignored = names.filter((name) => TRUST_DOMAINS.has(name))
    if (ignored.length === 0) continue
    const result = ignored.length === names.length ? 'so this source matches nobody' : 'as if it were not there'
    at.at('from', index).warn(
      'ztunnel.trust-domains',
      `ztunnel does not look at ${ignored.join(' and ')}, ${result}; name whole identities under principals`,
    )
  }
}

function requestFields(rule: Fields): string[] {
  const found = new Set<string>()
  for (const entry of listOf(rule.from)) {
    for (const name of namesOf(entry.source)) if (L7_SOURCE.has(name)) found.add(name)
  }
  for (const entry of listOf(rule.to))
    for (const name of namesOf(entry.operation)) if (L7_OPERATION.has(name)) found.add(name)
  for (const entry of listOf(rule.when)) if (!isL4(entry)) found.add(String(entry.key))
  return [...found]
}

const isL4 = (condition: Fields): boolean => typeof condition.key !== 'string' || L4_CONDITIONS.has(condition.key)

/** The fields that say something: an empty list is as good as none. */
function namesOf(fields: unknown): string[] {
  if (typeof fields !== 'object' || fields === null) return []
  return Object.entries(fields).flatMap(([name, value]) => (Array.isArray(value) && value.length > 0 ? [name] : []))
}

function listOf(value: unknown): Fields[] {
  return Array.isArray(value)
    ? value.map((item: unknown) => (typeof item === 'object' && item !== null ? (item as Fields) : {}))
    : []
}

const hasTargets = (spec: Fields): boolean =>
  [spec.targetRef, spec.targetRefs].some((value) => value !== undefined && value !== null)

/** Gateways that istiod made carry this label; their Envoy enforces a selector's policy, requests and all. */
function selectsGateway(spec: Fields): boolean {
  const labels = (spec.selector as { matchLabels?: unknown } | null | undefined)?.matchLabels
  return (
    typeof labels === 'object' && labels !== null && Object.hasOwn(labels, 'gateway.networking.k8s.io/gateway-name')
  )
}
