/*
 * Test code: a second evaluator of PeerAuthentication and AuthorizationPolicy at ztunnel. Slow and plain, written from
 * the specification alone; it shares no line with the engine, so that a mistake has to be made twice to go unseen. It
 * reads plain objects and answers with outcomes only.
 */

type Plain = { readonly [key: string]: unknown }

export interface NaivePod {
  readonly namespace: string
  readonly labels: { readonly [key: string]: string }
  readonly ip: string
}

export interface NaiveCall {
  readonly pod: NaivePod
  readonly port: number
  readonly ip: string
  /** `<trust domain>/ns/<namespace>/sa/<name>`, or null without a certificate. */
  readonly principal: string | null
}

const root = 'istio-system'

function get(value: unknown, ...keys: string[]): unknown {
  let here = value
  for (const key of keys) {
    if (here === null || typeof here !== 'object') return undefined
    here = (here as Plain)[key]
  }
  return here
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

function isEmpty(value: unknown): boolean {
  return value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0)
}

function selectorHits(policy: Plain, pod: NaivePod): boolean {
  const wanted = get(policy, 'spec', 'selector', 'matchLabels')
  if (isEmpty(wanted)) return true
  for (const [key, value] of Object.entries(wanted as Plain)) {
    if (pod.labels[key] !== value) return false
  }
  return true
}

/** C.2: is a peer without an identity refused on this port? */
export function naiveStrict(policies: readonly Plain[], pod: NaivePod, port: number): boolean {
  let mesh: Plain | undefined
  let namespace: Plain | undefined
  let workload: Plain | undefined
  for (const policy of policies) {
    const own = get(policy, 'metadata', 'namespace')
    const withSelector = !isEmpty(get(policy, 'spec', 'selector', 'matchLabels'))
    if (withSelector) {
      if (own === root) continue
      if (own === pod.namespace && selectorHits(policy, pod) && workload === undefined) workload = policy
    } else if (own === root) {
      if (mesh === undefined) mesh = policy
    } else if (own === pod.namespace) {
      if (namespace === undefined) namespace = policy
    }
  }
  const modes = [
    get(workload, 'spec', 'portLevelMtls', String(port), 'mode'),
    get(workload, 'spec', 'mtls', 'mode'),
    get(namespace, 'spec', 'mtls', 'mode'),
    get(mesh, 'spec', 'mtls', 'mode'),
  ]
  for (const mode of modes) {
    if (mode === 'STRICT') return true
    if (mode === 'PERMISSIVE' || mode === 'DISABLE') return false
  }
  return false
}

/** C.3: `deny` (a DENY matched), `default` (ALLOW policies and none matched), `open` (no ALLOW), `allow`. */
export function naiveAuthorization(policies: readonly Plain[], call: NaiveCall): 'deny' | 'default' | 'open' | 'allow' {
  let anyAllow = false
  let allowMatched = false
  let denyMatched = false
  for (const policy of policies) {
    const own = get(policy, 'metadata', 'namespace')
    if (own !== call.pod.namespace && own !== root) continue
    if (!selectorHits(policy, call.pod)) continue
    if (list(get(policy, 'spec', 'targetRefs')).length > 0) continue
    if (get(policy, 'metadata', 'annotations', 'istio.io/dry-run') === 'true') continue
    const action = get(policy, 'spec', 'action') ?? 'ALLOW'
    if (action === 'CUSTOM' || action === 'AUDIT') continue
    if (action === 'ALLOW') anyAllow = true
    for (const rule of list(get(policy, 'spec', 'rules'))) {
      if (!naiveRule(rule, action === 'ALLOW', call, String(own))) continue
      if (action === 'ALLOW') allowMatched = true
      else denyMatched = true
    }
  }
  if (denyMatched) return 'deny'
  if (!anyAllow) return 'open'
  return allowMatched ? 'allow' : 'default'
}

const l7Source = ['requestPrincipals', 'notRequestPrincipals', 'remoteIpBlocks', 'notRemoteIpBlocks']
const l7Operation = ['hosts', 'notHosts', 'methods', 'notMethods', 'paths', 'notPaths']
const l4When = ['source.ip', 'source.namespace', 'source.principal', 'destination.ip', 'destination.port']

function naiveRule(rule: unknown, isAllow: boolean, call: NaiveCall, policyNamespace: string): boolean {
  const froms = list(get(rule, 'from')).map((from) => get(from, 'source'))
  const tos = list(get(rule, 'to')).map((to) => get(to, 'operation'))
  const whens = list(get(rule, 'when'))
  const hasL7 =
    froms.some((source) => l7Source.some((name) => list(get(source, name)).length > 0)) ||
    tos.some((operation) => l7Operation.some((name) => list(get(operation, name)).length > 0)) ||
    whens.some((when) => !l4When.includes(String(get(when, 'key'))))
  // C.5, first row.
  if (isAllow && hasL7) return false

  const clauses: (boolean | null)[][] = []
  if (froms.length > 0) clauses.push(froms.map((source) => naiveSource(source, call, policyNamespace)))
  if (tos.length > 0) clauses.push(tos.map((operation) => naiveFields(operation, [['ports', portIs(call.port)]])))
  for (const when of whens) clauses.push([naiveWhen(when, call)])
  // An entry that is empty (null) never matches; a rule without clauses always does.
  for (const clause of clauses) if (!clause.some((entry) => entry === true)) return false
  return true
}

type Check = (value: string) => boolean

function naiveSource(source: unknown, call: NaiveCall, policyNamespace: string): boolean | null {
  return naiveFields(source, [
    ['principals', (value) => wildcard(value, call.principal)],
    ['namespaces', (value) => wildcard(value, part(call.principal, 2))],
    [
      'serviceAccounts',
      (value) =>
        call.principal !== null &&
        (value.includes('/') ? value : `${policyNamespace}/${value}`) ===
          `${part(call.principal, 2)}/${part(call.principal, 4)}`,
    ],
    ['ipBlocks', (value) => inBlock(call.ip, value)],
  ])
}

function naiveWhen(when: unknown, call: NaiveCall): boolean | null {
  const checks: { [key: string]: Check } = {
    'source.ip': (value) => inBlock(call.ip, value),
    'source.namespace': (value) => wildcard(value, part(call.principal, 2)),
    'source.principal': (value) => wildcard(value, call.principal),
    'destination.ip': (value) => inBlock(call.pod.ip, value),
    'destination.port': portIs(call.port),
  }
  const key = String(get(when, 'key'))
  const check = checks[key]
  if (check === undefined) return null
  const drop = key === 'destination.port' ? isPort : () => true
  const values = list(get(when, 'values')).map(String).filter(drop)
  const notValues = list(get(when, 'notValues')).map(String).filter(drop)
  if (values.length === 0 && notValues.length === 0) return null
  return (values.length === 0 || values.some(check)) && !notValues.some(check)
}

/** All fields must hold; null when nothing of it is left that ztunnel reads. */
function naiveFields(entry: unknown, fields: readonly (readonly [string, Check])[]): boolean | null {
  let read = 0
  let ok = true
  for (const [name, check] of fields) {
    const keep = name === 'ports' ? isPort : () => true
    const values = list(get(entry, name)).map(String).filter(keep)
    const notName = `not${name[0]?.toUpperCase()}${name.slice(1)}`
    const notValues = list(get(entry, notName)).map(String).filter(keep)
    read += values.length + notValues.length
    if (values.length > 0 && !values.some(check)) ok = false
    if (notValues.some(check)) ok = false
  }
  return read === 0 ? null : ok
}

function isPort(value: string): boolean {
  return /^[0-9]+$/.test(value)
}

function portIs(port: number): Check {
  return (value) => Number.parseInt(value, 10) === port
}

function part(principal: string | null, index: number): string | null {
  return principal === null ? null : (principal.split('/')[index] ?? null)
}

function wildcard(pattern: string, value: string | null): boolean {
  if (value === null) return false
  if (pattern === '*') return value.length > 0
  if (pattern[0] === '*') return value.slice(-(pattern.length - 1)) === pattern.slice(1)
  if (pattern[pattern.length - 1] === '*') return value.indexOf(pattern.slice(0, -1)) === 0
  return pattern === value
}

function inBlock(ip: string, block: string): boolean {
  const [base = '', length] = block.split('/')
  const a = bits(ip)
  const b = bits(base)
  if (a.length !== b.length) return false
  const count = length === undefined ? b.length : Number(length)
  return a.slice(0, count) === b.slice(0, count)
}

/** An address as a text of zeros and ones. */
function bits(ip: string): string {
  if (!ip.includes(':')) {
    return ip
      .split('.')
      .map((byte) => Number(byte).toString(2).padStart(8, '0'))
      .join('')
  }
  const [head = '', tail] = ip.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const middle = tail === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => '0')
  return [...left, ...middle, ...right].map((word) => Number.parseInt(word, 16).toString(2).padStart(16, '0')).join('')
}
