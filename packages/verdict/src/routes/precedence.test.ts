import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HttpRouteMatch } from '@bulkhead/resources'
import { answer, ask, gateway, type RouteOptions, route, to } from '../testing/routes.js'
import type { HttpRequest } from './types.js'

const front = gateway('shop/front')

/** The first of these takes it, whichever way round they are written, in one rule's list or in several routes. */
function beats(stronger: HttpRouteMatch, weaker: HttpRouteMatch, request: Partial<HttpRequest>): void {
  const rules = [to('a', { matches: [stronger] }), to('b', { matches: [weaker] })]
  for (const order of [rules, rules.toReversed()]) {
    const text = JSON.stringify([stronger, weaker])
    assert.equal(answer(ask([front, route('shop/r', { rules: order })], request)), 'a', text)
    const routes = order.map((rule, index) => route(`shop/r${index}`, { rules: [rule] }))
    assert.equal(answer(ask([front, ...routes], request)), 'a', text)
  }
  // Each alone would take it, or there is nothing to be shown.
  for (const [index, rule] of rules.entries())
    assert.equal(answer(ask([front, route('shop/r', { rules: [rule] })], request)), 'ab'.charAt(index))
}

const exact = (value: string) => ({ path: { type: 'Exact', value } }) as const
const prefix = (value: string) => ({ path: { type: 'PathPrefix', value } }) as const
const regex = (value: string) => ({ path: { type: 'RegularExpression', value } }) as const
const header = (name: string) => ({ name, value: 'x' })

test('exact path, longest prefix, method, most headers, most query parameters: in this order', () => {
  const request = { method: 'GET', path: '/a/b?p=x&q=x', headers: { h: 'x', i: 'x' } }
  const named = { headers: [header('h'), header('i')], queryParams: [header('p'), header('q')] }
  const rich = { ...named, method: 'GET' }
  beats(exact('/a/b'), { ...prefix('/a/b'), ...rich }, request)
  beats(prefix('/a/b'), { ...prefix('/a'), ...rich }, request)
  beats(prefix('/a'), { ...prefix('/'), ...rich }, request)
  beats({ ...prefix('/a'), method: 'GET' }, { ...prefix('/a'), ...named }, request)
  beats({ headers: [header('h'), header('i')] }, { headers: [header('h')], queryParams: named.queryParams }, request)
  beats({ headers: [header('h')] }, { queryParams: named.queryParams }, request)
  beats({ queryParams: named.queryParams }, { queryParams: [header('p')] }, request)
  beats({ queryParams: [header('p')] }, {}, request)
  // A slash at the end of a prefix is no character of it.
  beats({ ...prefix('/a'), method: 'GET' }, prefix('/a/'), request)
})

test('regular expressions come after prefixes, the longer one first, as Istio has them', () => {
  const request = { path: '/a/b', headers: { h: 'x' } }
  beats(exact('/a/b'), regex('/a/b|/a/c/d/e'), request)
  beats(prefix('/a'), regex('/a/[a-z]'), request)
  beats(regex('/a/[a-z]'), regex('/a/.'), request)
  // But what takes everything is the last.
  beats(regex('/a/.'), prefix('/'), request)
  beats(regex('/a/.'), regex('.*'), request)
  beats({ ...prefix('/'), headers: [header('h')] }, regex('/a/.'), request)
  beats({ ...prefix('/'), method: 'GET' }, regex('/a/.'), request)
  beats(prefix('/'), regex('.*'), request)
})

/* The rows of conformance/tests/httproute-path-match-order and httproute-matching. */
test('the conformance suite', () => {
  const ordered = route('shop/r', {
    rules: [
      to('a', { matches: [exact('/match')] }),
      to('b', { matches: [exact('/match/exact')] }),
      to('c', { matches: [exact('/match/exact/one')] }),
      to('d', { matches: [prefix('/match/')] }),
      to('e', { matches: [prefix('/match/prefix/')] }),
      to('f', { matches: [prefix('/match/prefix/one')] }),
    ],
  })
  const order: [string, string][] = [
    ['/match/exact/one', 'c'],
    ['/match/exact', 'b'],
    ['/match', 'a'],
    ['/match/prefix/one/any', 'f'],
    ['/match/prefix/any', 'e'],
    ['/match/any', 'd'],
  ]
  for (const [path, expected] of order) assert.equal(answer(ask([front, ordered], { path })), expected, path)

  const version = (value: string) => ({ headers: [{ name: 'version', value }] })
  const matching = route('shop/r', {
    rules: [to('a', { matches: [prefix('/'), version('one')] }), to('b', { matches: [prefix('/v2'), version('two')] })],
  })
  const table: [path: string, version: string | undefined, expected: string][] = [
    ['/', undefined, 'a'],
    ['/example', undefined, 'a'],
    ['/', 'one', 'a'],
    ['/v2', undefined, 'b'],
    ['/v2/example', undefined, 'b'],
    ['/', 'two', 'b'],
    ['/v2/', undefined, 'b'],
    ['/v2example', undefined, 'a'],
    ['/foo/v2/example', undefined, 'a'],
  ]
  for (const [path, has, expected] of table) {
    const headers: Record<string, string> = has === undefined ? {} : { version: has }
    assert.equal(answer(ask([front, matching], { path, headers })), expected, `${path} ${has}`)
  }
})

test('of equals across routes: the oldest, then the first by namespace and name', () => {
  const one = (key: string, name: string, rest: RouteOptions = {}) =>
    route(key, { rules: [to(name, { backendRefs: [{ name, namespace: 'shop', port: 80 }] })] }, rest)
  const open = gateway('shop/front', [{ allowedRoutes: { namespaces: { from: 'All' } } }])
  const first = (...routes: ReturnType<typeof one>[]) => {
    const answers = [routes, routes.toReversed()].map((order) => answer(ask([open, ...order])))
    assert.equal(answers[0], answers[1])
    return answers[0]
  }
  const old = { created: '2024-01-01T00:00:00Z' }
  const young = { created: '2025-01-01T00:00:00Z' }
  assert.equal(first(one('shop/z', 'a', old), one('shop/a', 'b', young)), 'a')
  assert.equal(first(one('shop/z', 'a', young), one('shop/a', 'b')), 'a')
  assert.equal(first(one('shop/a', 'a'), one('shop/z', 'b')), 'a')
  assert.equal(first(one('shop/a', 'a', old), one('shop/z', 'b', old)), 'a')
  // By the text of both: "-" sorts before "/". shop-a has no grant, which shows whose rule took it.
  assert.equal(first(one('shop-a/z', 'a'), one('shop/a', 'b')), '500')
  // The age of a route does not come before what its match says.
  const general = route('shop/old', { rules: [to('a')] }, old)
  const special = route('shop/young', { rules: [to('b', { matches: [prefix('/b')] })] }, young)
  assert.equal(answer(ask([front, general, special], { path: '/b' })), 'b')
})

test('of equals in one route the first rule', () => {
  assert.equal(answer(ask([front, route('shop/r', { rules: [to('a'), to('b')] })])), 'a')
  const matches = [prefix('/x'), prefix('/')]
  assert.equal(answer(ask([front, route('shop/r', { rules: [to('a', { matches }), to('b', { matches })] })])), 'a')
})

/*
 * Both routes come to the host a.example at this listener; the one that writes it out is the more specific one. (Spec:
 * HTTPRouteSpec.hostnames; the matches of the other follow.)
 */
test('at one host the route with the more specific hostname comes first', () => {
  const listener = gateway('shop/front', [{ hostname: 'a.example' }])
  const named = route('shop/z', { hostnames: ['a.example'], rules: [to('a', { matches: [prefix('/x')] })] })
  const wild = route('shop/a', {
    hostnames: ['*.example'],
    rules: [to('b', { matches: [exact('/x/y')] }), to('c')],
  })
  const host = 'a.example'
  for (const order of [
    [named, wild],
    [wild, named],
  ]) {
    assert.equal(answer(ask([listener, ...order], { host, path: '/x/y' })), 'a')
    assert.equal(answer(ask([listener, ...order], { host, path: '/z' })), 'c')
  }
})

test('of several hostnames of one route that come to one host the most specific counts', () => {
  const listener = gateway('shop/front', [{ hostname: 'a.example' }])
  const matches = [prefix('/')]
  const other = route('shop/a', { hostnames: ['*.example'], rules: [to('b', { matches })] })
  for (const hostnames of [
    ['*.example', 'a.example'],
    ['a.example', '*.example'],
  ]) {
    const both = route('shop/z', { hostnames, rules: [to('a', { matches })] })
    assert.equal(answer(ask([listener, other, both], { host: 'a.example' })), 'a')
  }
})
