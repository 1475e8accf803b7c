import type { Gateway, HttpBackendRef, HttpRoute, HttpRouteMatch, Resource } from '@bulkhead/resources'
import type { HttpRequest } from '../routes/types.js'

/*
 * Test code: a second reading of Gateway API, written from its descriptions and not from routes/: slow, no index, no
 * compilation, and for each question a list of everything that could be the answer. Paths must be normal already,
 * regular expressions such that JavaScript reads them alike.
 */

export interface NaiveAnswer {
  readonly code: string
  readonly policy?: string
  readonly rule?: number
  readonly match?: number
  /** Of backends that take requests, with what each takes, `!` for one that cannot be used. */
  readonly backends?: readonly string[]
}

interface Candidate {
  readonly route: Resource<HttpRoute>
  readonly hostname: string
  readonly rule: number
  readonly match: number
  readonly spec: HttpRouteMatch
}

const labelsOf = (host: string): string[] => host.split('.')

/** By labels from the right: `*` stands for one or more of them. */
function covers(pattern: string | undefined, host: string): boolean {
  if (pattern === undefined) return true
  const wanted = labelsOf(pattern).reverse()
  const has = labelsOf(host).reverse()
  if (wanted.at(-1) !== '*') return wanted.length === has.length && wanted.every((label, i) => label === has[i])
  return has.length >= wanted.length && wanted.slice(0, -1).every((label, i) => label === has[i])
}

/** How specific: exact names above wildcards above nothing, then by length. */
const weight = (pattern: string | undefined): number =>
  pattern === undefined ? 0 : (pattern.startsWith('*') ? 1000 : 2000) + pattern.length

/** The pattern of the hosts of both, when they have any in common. */
function common(listener: string | undefined, route: string | undefined): { pattern: string | undefined } | undefined {
  if (listener === undefined) return { pattern: route }
  if (route === undefined) return { pattern: listener }
  const example = (pattern: string) => pattern.replace('*', 'zz.zz')
  if (covers(listener, example(route))) return { pattern: route }
  return covers(route, example(listener)) ? { pattern: listener } : undefined
}

function greatest<T>(items: readonly T[], value: (item: T) => number): T | undefined {
  return items.toSorted((a, b) => value(b) - value(a))[0]
}

export function naiveRoute(
  resources: readonly Resource[],
  namespaceLabels: Readonly<Record<string, Readonly<Record<string, string>>>>,
  services: ReadonlySet<string>,
  key: string,
  port: number,
  request: HttpRequest,
): NaiveAnswer {
  const host = request.host.replace(/:\d+$/, '').toLowerCase()
  const gateway = resources.find((one) => one.id === `Gateway/${key}`) as Resource<Gateway> | undefined
  const atPort = (gateway?.object.spec.listeners ?? []).filter((one) => one.port === port)
  // A request has one listener.
  const listener = greatest(
    atPort.filter(({ hostname }) => covers(hostname, host)),
    ({ hostname }) => weight(hostname),
  )
  if (gateway === undefined || listener === undefined) return { code: 'route.no-host' }

  const attached = resources
    .filter((one): one is Resource<HttpRoute> => one.kind === 'HTTPRoute')
    .filter((route) => {
      const namespace = route.namespace ?? ''
      const { from = 'Same', selector } = listener.allowedRoutes?.namespaces ?? {}
      const labels = namespaceLabels[namespace] ?? {}
      const wanted = Object.entries(selector?.matchLabels ?? {})
      const isIn =
        from === 'All' ||
        (from === 'Same' && namespace === gateway.namespace) ||
        (from === 'Selector' && wanted.every(([name, value]) => labels[name] === value))
      const names = (route.object.spec.parentRefs ?? []).some(
        (ref) =>
          `${ref.namespace ?? namespace}/${ref.name}` === key &&
          (ref.sectionName ?? listener.name) === listener.name &&
          (ref.port ?? listener.port) === listener.port,
      )
      return isIn && names
    })
  // One virtual host of all that the listener's routes have: the most specific that covers the request's.
  const hosts = attached.flatMap((route) =>
    (route.object.spec.hostnames ?? [undefined]).flatMap((own) => {
      const shared = common(listener.hostname, own)
      return shared === undefined ? [] : [{ route, own, pattern: shared.pattern }]
    }),
  )
  const chosen = greatest(
    hosts.filter(({ pattern }) => covers(pattern, host)),
    ({ pattern }) => weight(pattern),
  )
  if (chosen === undefined) return { code: 'route.no-host' }
  const here = hosts.filter(({ pattern }) => pattern === chosen.pattern)

  const candidates = here.flatMap(({ route, own }) =>
    (route.object.spec.rules ?? []).flatMap((rule, index) =>
      (rule.matches ?? [{}]).flatMap((spec, match): Candidate[] =>
        naiveMatch(spec, request) ? [{ route, hostname: own ?? '', rule: index, match, spec }] : [],
      ),
    ),
  )
  const best = candidates.toSorted((a, b) => (precedes(a, b) ? -1 : 1))[0]
  if (best === undefined) return { code: 'route.no-match' }
  const said = { policy: best.route.id, rule: best.rule, match: best.match }
  const refs = (best.route.object.spec.rules?.[best.rule]?.backendRefs ?? []).filter((ref) => ref.weight !== 0)
  const backends = refs.map((ref) => backend(ref, best.route.namespace ?? '', resources, services))
  if (backends.every((name) => name.endsWith('!'))) return { code: 'route.no-backend', ...said }
  return { code: 'route.forwards', ...said, backends }
}

function backend(
  ref: HttpBackendRef,
  namespace: string,
  resources: readonly Resource[],
  services: ReadonlySet<string>,
): string {
  const home = ref.namespace ?? namespace
  const granted = resources.some(({ kind, namespace: at, object }) => {
    if (kind !== 'ReferenceGrant' || at !== home) return false
    const { spec } = object as unknown as { spec: { from: { namespace: string }[]; to: { name?: string }[] } }
    const to = spec.to.some(({ name = ref.name }) => name === ref.name)
    return to && spec.from.some((one) => one.namespace === namespace)
  })
  const usable = services.has(`${home}/${ref.name}`) && ref.port === 80 && (home === namespace || granted)
  return `${home}/${ref.name} ${ref.weight ?? 1}${usable ? '' : '!'}`
}

function naiveMatch({ path, method, headers, queryParams }: HttpRouteMatch, request: HttpRequest): boolean {
  const [pathname = '', ...rest] = request.path.split('?')
  const { type = 'PathPrefix', value = '/' } = path ?? {}
  const elements = (text: string): string[] => text.replace(/^\//, '').replace(/\/$/, '').split('/')
  const wanted = elements(value)
  const has = elements(pathname)
  const pathMatches =
    type === 'Exact'
      ? pathname === value
      : type === 'RegularExpression'
        ? new RegExp(`^(?:${value})$`).test(pathname)
        : value === '/' || wanted.every((element, i) => element === has[i])
  const first = new URLSearchParams(rest.join('?'))
  return (
    pathMatches &&
    (method ?? request.method) === request.method &&
    (headers ?? []).every(({ name, value: one }) => request.headers[name.toLowerCase()] === one) &&
    (queryParams ?? []).every(({ name, value: one }) => first.get(name) === one)
  )
}

/** The descriptions' criteria, one after the other; for regular expressions Istio's. */
function precedes(a: Candidate, b: Candidate): boolean {
  const criteria: ((one: Candidate) => number)[] = [
    ({ hostname }) => (hostname.startsWith('*') ? 0 : hostname.length),
    ({ hostname }) => hostname.length,
    ({ spec }) => (isCatchAll(spec) ? 0 : 1),
    ({ spec }) => (spec.path?.type === 'Exact' ? 1 : 0),
    ({ spec }) => (spec.path?.type === 'RegularExpression' ? 0 : 1),
    ({ spec: { path } }) => (path?.type === 'RegularExpression' ? (path.value ?? '') : prefix(path?.value)).length,
    ({ spec }) => (spec.method === undefined ? 0 : 1),
    ({ spec }) => spec.headers?.length ?? 0,
    ({ spec }) => spec.queryParams?.length ?? 0,
    ({ route }) => -age(route),
  ]
  for (const criterion of criteria) if (criterion(a) !== criterion(b)) return criterion(a) > criterion(b)
  const [left, right] = [a, b].map(({ route }) => `${route.namespace}/${route.name}`)
  if (left !== right) return (left ?? '') < (right ?? '')
  return a.rule === b.rule ? a.match < b.match : a.rule < b.rule
}

const prefix = (value = '/'): string => value.replace(/(.)\/$/, '$1')

function isCatchAll({ path, method, headers = [], queryParams = [] }: HttpRouteMatch): boolean {
  const { type = 'PathPrefix', value = '/' } = path ?? {}
  const any = (type === 'PathPrefix' && value === '/') || (type === 'RegularExpression' && value === '.*')
  return any && method === undefined && headers.length + queryParams.length === 0
}

function age({ object }: Resource): number {
  const { creationTimestamp } = object.metadata as { creationTimestamp?: string }
  return creationTimestamp === undefined ? 9e15 : Date.parse(creationTimestamp)
}
