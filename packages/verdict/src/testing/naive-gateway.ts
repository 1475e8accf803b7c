/*
 * Test code: a second evaluator of AuthorizationPolicy at a gateway's Envoy. Slow and plain, written from the
 * specification alone (semantics C.3, C.4, C.6, Envoy's column); it shares no line with the engine. Reads plain objects,
 * answers with outcomes only.
 */

type Plain = { readonly [key: string]: unknown }

export interface NaiveGateway {
  readonly namespace: string
  readonly name: string
  readonly labels: { readonly [key: string]: string }
  readonly ip: string
}

export interface NaiveRequest {
  readonly method: string
  readonly host: string
  readonly path: string
  readonly headers: { readonly [key: string]: string }
  readonly ip: string
  readonly port: number
  /** `<trust domain>/ns/<namespace>/sa/<name>`, or null as it is with every caller of today. */
  readonly principal: string | null
}

export type NaiveAnswer = 'deny' | 'default' | 'open' | 'allow' | 'unknown'

function at(value: unknown, ...keys: string[]): unknown {
  let here = value
  for (const key of keys) here = here !== null && typeof here === 'object' ? (here as Plain)[key] : undefined
  return here
}

function all(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

/** C.4: the last column of the table. */
function concerns(policy: Plain, gateway: NaiveGateway): boolean {
  const own = at(policy, 'metadata', 'namespace')
  const refs = all(at(policy, 'spec', 'targetRefs'))
  if (refs.length > 0) {
    for (const ref of refs) {
      if (at(ref, 'kind') !== 'Gateway' || at(ref, 'group') !== 'gateway.networking.k8s.io') continue
      if (at(ref, 'name') === gateway.name && own === gateway.namespace) return true
    }
    return false
  }
  if (own !== gateway.namespace && own !== 'istio-system') return false
  for (const [key, value] of Object.entries((at(policy, 'spec', 'selector', 'matchLabels') ?? {}) as Plain)) {
    if (gateway.labels[key] !== value) return false
  }
  return true
}

export function naiveGateway(policies: readonly Plain[], gateway: NaiveGateway, request: NaiveRequest): NaiveAnswer {
  const matched = { ALLOW: false, DENY: false, CUSTOM: false }
  let allows = 0
  for (const policy of policies) {
    if (!concerns(policy, gateway)) continue
    if (at(policy, 'metadata', 'annotations', 'istio.io/dry-run') === 'true') continue
    const action = String(at(policy, 'spec', 'action') ?? 'ALLOW')
    if (action === 'ALLOW') allows += 1
    if (action !== 'ALLOW' && action !== 'DENY' && action !== 'CUSTOM') continue
    for (const rule of all(at(policy, 'spec', 'rules'))) {
      if (ruleHolds(rule, action, gateway, request, String(at(policy, 'metadata', 'namespace')))) matched[action] = true
    }
  }
  if (matched.DENY) return 'deny'
  if (allows > 0 && !matched.ALLOW) return 'default'
  if (matched.CUSTOM) return 'unknown'
  return allows === 0 ? 'open' : 'allow'
}

function ruleHolds(
  rule: unknown,
  action: string,
  gateway: NaiveGateway,
  request: NaiveRequest,
  policyNamespace: string,
): boolean {
  const ports = [
    ...all(at(rule, 'to')).flatMap((to) => [
      ...all(at(to, 'operation', 'ports')),
      ...all(at(to, 'operation', 'notPorts')),
    ]),
    ...all(at(rule, 'when'))
      .filter((one) => at(one, 'key') === 'destination.port')
      .flatMap((one) => [...all(at(one, 'values')), ...all(at(one, 'notValues'))]),
  ]
  // One port that is none: an ALLOW rule is not generated.
  if (action === 'ALLOW' && ports.some((port) => !/^[0-9]+$/.test(String(port)))) return false

  const attribute = (name: string, value: string): boolean => holds(name, value, gateway, request, policyNamespace)
  const froms = all(at(rule, 'from')).map((from) => at(from, 'source') ?? {})
  const tos = all(at(rule, 'to')).map((to) => at(to, 'operation') ?? {})
  if (froms.length > 0 && !froms.some((source) => entryHolds(source as Plain, attribute))) return false
  if (tos.length > 0 && !tos.some((operation) => entryHolds(operation as Plain, attribute))) return false
  for (const one of all(at(rule, 'when'))) {
    const key = String(at(one, 'key'))
    if (!listsHold(key, at(one, 'values'), at(one, 'notValues'), attribute)) return false
  }
  return true
}

function entryHolds(entry: Plain, attribute: (name: string, value: string) => boolean): boolean {
  const names = new Set(
    Object.keys(entry).map((name) => (/^not[A-Z]/.test(name) ? name.slice(3, 4).toLowerCase() + name.slice(4) : name)),
  )
  for (const name of names) {
    const not = `not${name.slice(0, 1).toUpperCase()}${name.slice(1)}`
    if (!listsHold(name, entry[name], entry[not], attribute)) return false
  }
  return true
}

function listsHold(
  name: string,
  values: unknown,
  notValues: unknown,
  attribute: (name: string, value: string) => boolean,
): boolean {
  const isPort = name === 'ports' || name === 'destination.port'
  const read = (list: unknown): string[] =>
    all(list)
      .map(String)
      .filter((value) => !isPort || /^[0-9]+$/.test(value))
  const wanted = read(values)
  if (wanted.length > 0 && !wanted.some((value) => attribute(name, value))) return false
  return !read(notValues).some((value) => attribute(name, value))
}

function holds(
  name: string,
  value: string,
  gateway: NaiveGateway,
  request: NaiveRequest,
  policyNamespace: string,
): boolean {
  const parts = request.principal === null ? null : request.principal.split('/')
  switch (name) {
    case 'principals':
    case 'source.principal':
      return like(value, request.principal)
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
    case 'remoteIpBlocks':
    case 'remote.ip':
      return inside(request.ip, value)
    case 'destination.ip':
      return inside(gateway.ip, value)
    case 'ports':
    case 'destination.port':
      return Number(value) === request.port
    case 'hosts':
      return request.host !== '' && like(value.toUpperCase(), request.host.toUpperCase())
    case 'methods':
      return like(value, request.method)
    case 'paths':
      return pathLike(value, normal(request.path))
    case 'connection.sni':
    case 'requestPrincipals':
      return false
    default:
      break
  }
  if (name.startsWith('request.auth.')) return false
  const header = /^request\.headers\[(.*)\]$/.exec(name)?.[1] ?? ''
  const found = Object.entries(request.headers).find(([key]) => key.toLowerCase() === header.toLowerCase())
  if (found === undefined) return false
  return value === '*' || like(value, found[1])
}

function like(pattern: string, value: string | null): boolean {
  if (value === null) return false
  if (pattern === '*') return value !== ''
  if (pattern[0] === '*')
    return value.length >= pattern.length - 1 && value.slice(value.length - pattern.length + 1) === pattern.slice(1)
  if (pattern[pattern.length - 1] === '*') return value.slice(0, pattern.length - 1) === pattern.slice(0, -1)
  return value === pattern
}

/** Segment by segment, with `{*}` for one and `{**}` for the rest. */
function pathLike(pattern: string, path: string): boolean {
  if (!pattern.includes('{')) return like(pattern, path)
  const wants = pattern.split('/')
  const has = path.split('/')
  const rest = wants.indexOf('{**}')
  const one = (want: string, got: string | undefined): boolean =>
    got !== undefined && (want === '{*}' ? got !== '' : want === got)
  if (rest === -1) return wants.length === has.length && wants.every((want, i) => one(want, has[i]))
  const [head, tail] = [wants.slice(0, rest), wants.slice(rest + 1)]
  if (has.length < head.length + tail.length + 1) return false
  const end = has.slice(has.length - tail.length)
  return head.every((want, i) => one(want, has[i])) && tail.every((want, i) => one(want, end[i]))
}

/** The paths of these tests need no more of normalisation than this. */
function normal(path: string): string {
  const plain = String(path.split('?')[0]).replaceAll('%61', 'a')
  const kept: string[] = []
  for (const segment of plain.split('/').slice(1)) {
    if (segment === '..') kept.pop()
    else kept.push(segment)
  }
  return `/${kept.join('/')}`
}

function inside(ip: string, block: string): boolean {
  const [base = '', size] = block.split('/')
  const binary = (text: string): string =>
    text
      .split('.')
      .map((byte) => Number(byte).toString(2).padStart(8, '0'))
      .join('')
  const count = size === undefined ? 32 : Number(size)
  return binary(ip).slice(0, count) === binary(base).slice(0, count)
}
