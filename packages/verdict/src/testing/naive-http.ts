import { entries, get, inBlock, type Plain } from './naive-patterns.js'

/*
 * Test code: AuthorizationPolicies as an Envoy reads them, a gateway's or a waypoint's. Slow and plain, written from the
 * specification alone (semantics C.3, C.6, Envoy's column); it shares no line with the engine. Which policies those are,
 * naive-gateway.ts and naive-waypoint.ts say. Reads plain objects, answers with outcomes only.
 */

export interface NaiveSubject {
  /** The address that called, and who calls by what the proxy was told of those before. */
  readonly ip: string
  readonly remoteIp: string
  readonly destinationIp: string
  readonly port: number
  /** `<trust domain>/ns/<namespace>/sa/<name>`, or null without a certificate. */
  readonly principal: string | null
  /** The mesh's own; policies call it `cluster.local` as well. Default that. */
  readonly trustDomain?: string
  /** With its path normalised. Absent: a connection of no request. */
  readonly request?: {
    readonly method: string
    readonly host: string
    readonly path: string
    readonly headers: { readonly [key: string]: string }
  }
}

/** `deny` (a DENY matched), `default` (ALLOW policies and none matched), `open` (no ALLOW), `allow`; a CUSTOM is unknown. */
export type NaiveAnswer = 'deny' | 'default' | 'open' | 'allow' | 'unknown'

/** What policies that are in force there say. */
export function naiveHttp(policies: readonly Plain[], subject: NaiveSubject): NaiveAnswer {
  const matched = { ALLOW: false, DENY: false, CUSTOM: false }
  let allows = 0
  for (const policy of policies) {
    if (get(policy, 'metadata', 'annotations', 'istio.io/dry-run') === 'true') continue
    const action = String(get(policy, 'spec', 'action') ?? 'ALLOW')
    if (action === 'ALLOW') allows += 1
    if (action !== 'ALLOW' && action !== 'DENY' && action !== 'CUSTOM') continue
    for (const rule of entries(get(policy, 'spec', 'rules')))
      if (ruleHolds(rule, action, subject, String(get(policy, 'metadata', 'namespace')))) matched[action] = true
  }
  if (matched.DENY) return 'deny'
  if (allows > 0 && !matched.ALLOW) return 'default'
  if (matched.CUSTOM) return 'unknown'
  return allows === 0 ? 'open' : 'allow'
}

type Field = readonly [name: string, values: readonly string[], notValues: readonly string[]]

function ruleHolds(rule: unknown, action: string, subject: NaiveSubject, policyNamespace: string): boolean {
  const froms = entries(get(rule, 'from')).map((from) => fieldsOf(get(from, 'source')))
  const tos = entries(get(rule, 'to')).map((to) => fieldsOf(get(to, 'operation')))
  const whens = entries(get(rule, 'when')).map(
    (one): Field => [String(get(one, 'key')), texts(get(one, 'values')), texts(get(one, 'notValues'))],
  )
  // An ALLOW rule with something that this proxy cannot be given is not given at all; of any other it is left out.
  const readable = ([name, values, notValues]: Field): boolean =>
    [...values, ...notValues].every((value) => canRead(name, value, subject))
  if (action === 'ALLOW' && ![...froms.flat(), ...tos.flat(), ...whens].every(readable)) return false

  const fieldHolds = ([name, values, notValues]: Field): boolean => {
    const holds = (value: string): boolean => attribute(name, value, subject, policyNamespace)
    const read = (list: readonly string[]): readonly string[] => list.filter((value) => canRead(name, value, subject))
    if (read(values).length > 0 && !read(values).some(holds)) return false
    return !read(notValues).some(holds)
  }
  if (froms.length > 0 && !froms.some((source) => source.every(fieldHolds))) return false
  if (tos.length > 0 && !tos.some((operation) => operation.every(fieldHolds))) return false
  return whens.every(fieldHolds)
}

function texts(list: unknown): string[] {
  return entries(list).map(String)
}

function fieldsOf(entry: unknown): Field[] {
  const names = Object.keys((entry ?? {}) as Plain).map((name) =>
    /^not[A-Z]/.test(name) ? name.slice(3, 4).toLowerCase() + name.slice(4) : name,
  )
  return [...new Set(names)].map((name) => {
    const not = `not${name.slice(0, 1).toUpperCase()}${name.slice(1)}`
    return [name, texts(get(entry, name)), texts(get(entry, not))]
  })
}

/** C.6, the last row: on a connection of no request there is nothing to hold these against. */
const ofRequests = /^(hosts|methods|paths|requestPrincipals|request\..*)$/

function canRead(name: string, value: string, { request }: NaiveSubject): boolean {
  if (name === 'ports' || name === 'destination.port') return /^[0-9]+$/.test(value)
  return request !== undefined || !ofRequests.test(name)
}

function attribute(name: string, value: string, subject: NaiveSubject, policyNamespace: string): boolean {
  const { principal, request } = subject
  const parts = principal === null ? null : principal.split('/')
  switch (name) {
    case 'principals':
    case 'source.principal':
      return like(inTrustDomain(value, subject.trustDomain), principal)
    case 'namespaces':
    case 'source.namespace':
      return parts !== null && new RegExp(`^${value.replaceAll('*', '.*')}$`).test(String(parts[2]))
    case 'serviceAccounts':
    case 'source.serviceAccount':
      return (
        parts !== null && (value.includes('/') ? value : `${policyNamespace}/${value}`) === `${parts[2]}/${parts[4]}`
      )
    case 'trustDomains':
      return parts !== null && like(value, String(parts[0]))
    case 'ipBlocks':
    case 'source.ip':
      return inBlock(subject.ip, value)
    case 'remoteIpBlocks':
    case 'remote.ip':
      return inBlock(subject.remoteIp, value)
    case 'destination.ip':
      return inBlock(subject.destinationIp, value)
    case 'ports':
    case 'destination.port':
      return Number(value) === subject.port
    default:
      return request !== undefined && ofRequest(name, value, request)
  }
}

function ofRequest(name: string, value: string, request: NonNullable<NaiveSubject['request']>): boolean {
  if (name === 'hosts') return request.host !== '' && like(value.toUpperCase(), request.host.toUpperCase())
  if (name === 'methods') return like(value, request.method)
  if (name === 'paths') return pathLike(value, String(request.path.split('?')[0]))
  const header = /^request\.headers\[(.*)\]$/.exec(name)?.[1]
  // Without a token that somebody checked there are no claims; without TLS in the tunnel no server name.
  if (header === undefined) return false
  const found = headerOf(request, header.toLowerCase())
  return found !== undefined && (value === '*' || like(value, found))
}

/** Envoy keeps the first line of a request among its headers; Host is another name of one of them. */
function headerOf(
  { method, host, path, headers }: NonNullable<NaiveSubject['request']>,
  name: string,
): string | undefined {
  if (name === ':method') return method
  if (name === ':path') return path
  if (name === ':authority' || name === 'host') return host === '' ? undefined : host
  return Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1]
}

/** Whole identities of `cluster.local` are read as of the mesh's own trust domain. */
function inTrustDomain(value: string, trustDomain = 'cluster.local'): string {
  const parts = value.split('/')
  return parts.length === 5 && parts[0] === 'cluster.local' ? [trustDomain, ...parts.slice(1)].join('/') : value
}

function like(pattern: string, value: string | null): boolean {
  if (value === null) return false
  if (pattern === '*') return value !== ''
  if (pattern[0] === '*')
    return value.length >= pattern.length - 1 && value.slice(value.length - pattern.length + 1) === pattern.slice(1)
  if (pattern[pattern.length - 1] === '*') return value.slice(0, pattern.length - 1) === pattern.slice(0, -1)
  return value === pattern
}

/** What `{*}` and `{**}` take in a path: no bracket, no star, nothing that is written as an escape. */
const taken = /^[a-zA-Z0-9\-._~%!$&'()+,;:@=]+$/

/** Segment by segment, with `{*}` for one and `{**}` for the rest. */
function pathLike(pattern: string, path: string): boolean {
  if (!pattern.includes('{')) return like(pattern, path)
  const wants = pattern.split('/')
  const has = path.split('/')
  const rest = wants.indexOf('{**}')
  const one = (want: string, got: string | undefined): boolean =>
    got !== undefined && (want === '{*}' ? taken.test(got) : want === got)
  if (rest === -1) return wants.length === has.length && wants.every((want, i) => one(want, has[i]))
  const [head, tail] = [wants.slice(0, rest), wants.slice(rest + 1)]
  if (has.length < head.length + tail.length + 1) return false
  const end = has.slice(has.length - tail.length)
  const middle = has.slice(head.length, has.length - tail.length)
  return (
    head.every((want, i) => one(want, has[i])) &&
    tail.every((want, i) => one(want, end[i])) &&
    middle.every((got) => got === '' || taken.test(got))
  )
}
