import type { HttpRoute, HttpRouteRule, Resource } from '@bulkhead/resources'
import { durationMs } from '@bulkhead/resources/gateway-api'
import { at, namespaceOf } from '../model/kinds.js'
import type { Step } from '../types.js'
import { type BackendSources, backendOf, backendText } from './backends.js'
import { changeHeaders, headerChange, hostOf } from './headers.js'
import { hostName } from './hosts.js'
import type { RequestMatch } from './match.js'
import type { RequestPath } from './path.js'
import { pathChange, Redirect } from './rewrite.js'
import { requestText, routeStep } from './step.js'
import type { HttpRequest, RouteDecision } from './types.js'

type ForwardDecision = Extract<RouteDecision, { kind: 'forward' }>
type Forward = { -readonly [K in keyof ForwardDecision]: ForwardDecision[K] }

/** What a rule does with a request that one of its matches took. */
export type Act = (request: HttpRequest, target: RequestPath, match: RequestMatch) => RouteDecision

/** A step of this rule, but for its outcome. */
type Said = Required<Pick<Step, 'outcome' | 'code' | 'facts'>>
type Say = (said: Said) => Step

export interface RuleSources extends BackendSources {
  /** For redirects that leave the port out. */
  readonly listenerPort: number
  /** Something in the route, or in the rule, that is not modelled. */
  readonly unknown: string | undefined
}

/** `index` of the rule; `match` is that of the match whose line the step names. */
export function compileAct(
  route: Resource<HttpRoute>,
  rule: HttpRouteRule,
  { index, match }: { readonly index: number; readonly match: number },
  sources: RuleSources,
): Act {
  const several = (rule.matches?.length ?? 0) > 1
  const place = at(route, ['spec', 'rules', index, ...(several ? ['matches', match] : [])])
  const say: Say = ({ outcome, code, facts }) => routeStep(route, place, { outcome, code, rule: index, facts })
  const { unknown } = sources
  if (unknown !== undefined) {
    const step = say({ outcome: 'unknown', code: 'not-modelled', facts: { what: unknown } })
    return () => ({ kind: 'unknown', step })
  }
  // A redirect answers by itself; Gateway API takes none together with backends.
  return redirectAct(route, rule, say, sources.listenerPort) ?? forwardAct(route, rule, say, sources)
}

function redirectAct(
  route: Resource,
  { filters = [] }: HttpRouteRule,
  say: Say,
  listenerPort: number,
): Act | undefined {
  const filter = filters.find(({ type }) => type === 'RequestRedirect')?.requestRedirect
  if (filter === undefined) return undefined
  const redirect = new Redirect(filter, listenerPort)
  const status = filter.statusCode ?? 302
  const responseHeaders = modifiers(filters, 'responseHeaderModifier').map(headerChange)
  return (request, target, match) => {
    const location = redirect.location(hostName(request.host), target, prefixOf(match))
    const facts = { request: requestText(request), location }
    const step = say({ outcome: 'allow', code: 'route.redirects', facts })
    return { kind: 'redirect', step, route: route.id, status, location, responseHeaders }
  }
}

function forwardAct(route: Resource, rule: HttpRouteRule, say: Say, sources: RuleSources): Act {
  const { filters = [], backendRefs = [], timeouts } = rule
  const backends = backendRefs.map((ref) => backendOf(ref, namespaceOf(route), sources))
  const taking = backends.filter(({ weight }) => weight > 0)
  const usable = taking.some(({ invalid }) => invalid === undefined)
  if (!usable) {
    const why =
      backends.length === 0
        ? 'it has no backend'
        : taking.length === 0
          ? 'all its backends have the weight 0'
          : `none of its backends can be used: ${[...new Set(taking.map(({ invalid }) => invalid))].join('; ')}`
    const step = say({ outcome: 'deny', code: 'route.no-backend', facts: { why } })
    return () => ({ kind: 'respond', status: 500, step, route: route.id })
  }

  const rewrite = filters.find(({ type }) => type === 'URLRewrite')?.urlRewrite
  const requestModifiers = modifiers(filters, 'requestHeaderModifier')
  // A rewrite of the host name counts before a Host that a modifier sets (applyHTTPRouteDestination).
  const host = rewrite?.hostname ?? requestModifiers.map(hostOf).find((name) => name !== undefined)
  const path = rewrite?.path === undefined ? undefined : pathChange(rewrite.path)
  const requestHeaders = requestModifiers.map(headerChange)
  const responseHeaders = modifiers(filters, 'responseHeaderModifier').map(headerChange)
  const requestTimeoutMs = timeoutMs(timeouts?.request)
  const backendTimeoutMs = timeoutMs(timeouts?.backendRequest)
  const backend = backendText(backends)
  return (request, target, match) => {
    const facts = { request: requestText(request), backend }
    const step = say({ outcome: 'allow', code: 'route.forwards', facts })
    const changed = path === undefined ? target.path : path(target.path, prefixOf(match))
    const decision: Forward = {
      kind: 'forward',
      step,
      route: route.id,
      backends,
      request: {
        method: request.method,
        host: host ?? request.host,
        path: changed + target.query,
        headers: changeHeaders(request.headers, requestHeaders),
      },
      responseHeaders,
    }
    if (requestTimeoutMs !== undefined) decision.requestTimeoutMs = requestTimeoutMs
    if (backendTimeoutMs !== undefined) decision.backendTimeoutMs = backendTimeoutMs
    return decision
  }
}

/** Zero switches a timeout off. */
function timeoutMs(text: string | undefined): number | undefined {
  const ms = text === undefined ? undefined : durationMs(text)
  return ms === 0 ? undefined : ms
}

const prefixOf = ({ path }: RequestMatch): string => (path.type === 'PathPrefix' ? path.value : '')

function modifiers(
  filters: NonNullable<HttpRouteRule['filters']>,
  field: 'requestHeaderModifier' | 'responseHeaderModifier',
) {
  return filters.flatMap((filter) => (filter[field] === undefined ? [] : [filter[field]]))
}
