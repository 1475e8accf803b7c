import { compareSpecificity } from './attach.js'
import type { RequestMatch } from './match.js'

/*
 * Which of several matches that a request has takes it. Source: HTTPRouteSpec.hostnames and HTTPRouteRule.matches; for
 * regular expressions, which the specification leaves open, Istio: after all prefixes, the longer expression first
 * (sortHTTPRoutes), except that the prefix `/` and the expression `.*` without any further condition come last of all
 * (SortVHostRoutes).
 */

/** One match of a rule of a route, at one host pattern of a listener. */
export interface Ranked {
  readonly match: RequestMatch
  /** The route's own hostname behind the pattern. */
  readonly own: string
  /** The route's creationTimestamp in milliseconds; Infinity when it has none, as in files. */
  readonly created: number
  /** `namespace/name` of the route. */
  readonly route: string
  readonly rule: number
  readonly index: number
}

/** The order in which matches are tried: the first that matches takes the request. */
export function compareRanked(a: Ranked, b: Ranked): number {
  return (
    compareSpecificity(a.own, b.own) ||
    compareMatches(a.match, b.match) ||
    (a.created === b.created ? 0 : a.created - b.created) ||
    (a.route < b.route ? -1 : a.route > b.route ? 1 : 0) ||
    a.rule - b.rule ||
    a.index - b.index
  )
}

function compareMatches(a: RequestMatch, b: RequestMatch): number {
  return (
    Number(takesAll(a)) - Number(takesAll(b)) ||
    rank[b.path.type] - rank[a.path.type] ||
    b.path.value.length - a.path.value.length ||
    Number(b.method !== undefined) - Number(a.method !== undefined) ||
    b.headers.length - a.headers.length ||
    b.query.length - a.query.length
  )
}

const rank = { Exact: 3, PathPrefix: 2, RegularExpression: 1 }

function takesAll({ path, method, headers, query }: RequestMatch): boolean {
  const anyPath = path.type === 'PathPrefix' ? path.value === '' : path.type !== 'Exact' && path.value === '.*'
  return anyPath && method === undefined && headers.length === 0 && query.length === 0
}
