import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HttpPathModifier, HttpRequestRedirect, HttpRouteFilter } from '@bulkhead/resources'
import { answer, ask, gateway, index, type Rule, request, route, to } from '../testing/routes.js'
import { changeHeaders, headerChange } from './headers.js'
import { routeRequest } from './route.js'
import type { HttpRequest } from './types.js'

const front = gateway('shop/front', [{}, { name: 'alt', port: 8080 }])
const through = (rule: Rule, rest: Partial<HttpRequest> = {}, port = 80) =>
  ask([front, route('shop/r', { rules: [rule] })], rest, port)

const at = (value: string) => ({ matches: [{ path: { value } }] })
const redirect = (requestRedirect: HttpRequestRedirect, prefix = '/'): Rule => ({
  ...at(prefix),
  filters: [{ type: 'RequestRedirect', requestRedirect }],
})
const replacePrefix = (replacePrefixMatch: string): HttpPathModifier => ({
  type: 'ReplacePrefixMatch',
  replacePrefixMatch,
})
const replaceFull = (replaceFullPath: string): HttpPathModifier => ({ type: 'ReplaceFullPath', replaceFullPath })

/* As conformance/tests/httproute-redirect-port-and-scheme, -redirect-port, -redirect-scheme, -redirect-host-and-status. */
test("a redirect: what it leaves out is the request's own, and a port that the scheme implies is not written", () => {
  const host = 'shop.example'
  const table: [filter: HttpRequestRedirect, port: number, status: number, location: string][] = [
    [{ hostname: 'example.org' }, 80, 302, 'http://example.org/'],
    [{ hostname: 'example.org', port: 80 }, 80, 302, 'http://example.org/'],
    [{ hostname: 'example.org', port: 8080 }, 80, 302, 'http://example.org:8080/'],
    [{ hostname: 'example.org', scheme: 'https' }, 80, 302, 'https://example.org/'],
    [{ hostname: 'example.org', scheme: 'https', port: 443 }, 80, 302, 'https://example.org/'],
    [{ hostname: 'example.org', scheme: 'https', port: 8443 }, 80, 302, 'https://example.org:8443/'],
    [{ hostname: 'example.org' }, 8080, 302, 'http://example.org:8080/'],
    [{ hostname: 'example.org', port: 80 }, 8080, 302, 'http://example.org/'],
    [{ hostname: 'example.org', scheme: 'https' }, 8080, 302, 'https://example.org/'],
    [{ scheme: 'http' }, 8080, 302, 'http://shop.example/'],
    [{ scheme: 'http', port: 443 }, 80, 302, 'http://shop.example:443/'],
    [{}, 80, 302, 'http://shop.example/'],
    [{ port: 8083, statusCode: 301 }, 80, 301, 'http://shop.example:8083/'],
    [{ statusCode: 303 }, 80, 303, 'http://shop.example/'],
    [{ statusCode: 307 }, 80, 307, 'http://shop.example/'],
    [{ statusCode: 308 }, 80, 308, 'http://shop.example/'],
  ]
  for (const [filter, port, status, location] of table)
    assert.equal(answer(through(redirect(filter), { host }, port)), `${status} ${location}`, JSON.stringify(filter))
  // The Host's own port is a client's way here, and none of the redirect's.
  assert.equal(answer(through(redirect({}), { host: 'Shop.example:30080' })), '302 http://shop.example/')
})

/* As conformance/tests/httproute-redirect-path, and the table of HTTPPathModifier.replacePrefixMatch. */
test('a path is replaced as a whole, or by its prefix; the query stays', () => {
  const prefixes: [path: string, prefix: string, replacement: string, changed: string][] = [
    ['/foo/bar', '/foo', '/xyz', '/xyz/bar'],
    ['/foo/bar', '/foo', '/xyz/', '/xyz/bar'],
    ['/foo/bar', '/foo/', '/xyz', '/xyz/bar'],
    ['/foo/bar', '/foo/', '/xyz/', '/xyz/bar'],
    ['/foo', '/foo', '/xyz', '/xyz'],
    ['/foo/', '/foo', '/xyz', '/xyz/'],
    ['/foo/bar', '/foo', '', '/bar'],
    ['/foo/', '/foo', '', '/'],
    ['/foo', '/foo', '', '/'],
    ['/foo/', '/foo', '/', '/'],
    ['/foo', '/foo', '/', '/'],
    ['/foo', '/', '/xyz', '/xyz/foo'],
    ['/', '/', '/xyz', '/xyz/'],
    ['/foo/bar', '/foo', 'xyz', '/xyz/bar'],
    ['/original-prefix/lemon', '/original-prefix', '/replacement-prefix', '/replacement-prefix/lemon'],
  ]
  for (const [path, prefix, replacement, changed] of prefixes) {
    const text = `${path} ${prefix} ${replacement}`
    const moved = through(redirect({ path: replacePrefix(replacement) }, prefix), { path: `${path}?a=b` })
    assert.equal(answer(moved), `302 http://shop.example${changed}?a=b`, text)
    const rewrite: Rule = to('a', {
      ...at(prefix),
      filters: [{ type: 'URLRewrite', urlRewrite: { path: replacePrefix(replacement) } }],
    })
    const sent = through(rewrite, { path: `${path}?a=b` })
    assert.equal(sent.kind === 'forward' && sent.request.path, `${changed}?a=b`, text)
  }
  const full = { path: replaceFull('/full') }
  assert.equal(answer(through(redirect(full, '/a'), { path: '/a/b?c' })), '302 http://shop.example/full?c')
  assert.equal(answer(through(redirect({ path: replaceFull('') }), { path: '/a' })), '302 http://shop.example/')
  assert.equal(
    answer(through(redirect({ path: replaceFull('/x?own=1') }), { path: '/a?b' })),
    '302 http://shop.example/x?own=1',
  )
  const sent = through(to('a', { filters: [{ type: 'URLRewrite', urlRewrite: full }] }), { path: '/a/b?c' })
  assert.equal(sent.kind === 'forward' && sent.request.path, '/full?c')
  // Nothing of the path is said: it stays.
  assert.equal(
    answer(through(redirect({ scheme: 'https' }), { path: '/a/../b?c=d' })),
    '302 https://shop.example/b?c=d',
  )
})

/* As conformance/tests/httproute-rewrite-host; a Host that a modifier sets: Istio's applyHTTPRouteDestination. */
test('the Host stays as the client sent it, unless a rewrite says otherwise', () => {
  const host = (filters: HttpRouteFilter[]) => {
    const sent = through(to('a', { filters }), { host: 'Shop.example:8080' })
    return sent.kind === 'forward' && sent.request.host
  }
  const rewrite: HttpRouteFilter = { type: 'URLRewrite', urlRewrite: { hostname: 'one.example.org' } }
  const set: HttpRouteFilter = {
    type: 'RequestHeaderModifier',
    requestHeaderModifier: { set: [{ name: 'Host', value: 'two.example.org' }], remove: ['host'] },
  }
  assert.equal(host([]), 'Shop.example:8080')
  assert.equal(host([rewrite]), 'one.example.org')
  assert.equal(host([set]), 'two.example.org')
  assert.equal(host([set, rewrite]), 'one.example.org')
})

/* As conformance/tests/httproute-request-header-modifier. */
test('headers are removed, set and added to, names in any case', () => {
  const change = headerChange({
    set: [
      { name: 'X-Set', value: 'new' },
      { name: 'x-set', value: 'ignored' },
    ],
    add: [{ name: 'X-Add', value: 'more' }],
    remove: ['X-Remove', 'x-remove'],
  })
  const table: [before: Record<string, string>, after: Record<string, string>][] = [
    [{}, { 'x-set': 'new', 'x-add': 'more' }],
    [{ 'x-set': 'old' }, { 'x-set': 'new', 'x-add': 'more' }],
    [{ 'x-add': 'some' }, { 'x-set': 'new', 'x-add': 'some,more' }],
    [
      { 'x-remove': 'a', other: 'b' },
      { 'x-set': 'new', 'x-add': 'more', other: 'b' },
    ],
  ]
  for (const [before, after] of table) assert.deepEqual({ ...changeHeaders(before, [change]) }, after)
  // Envoy removes first: what is both removed and set is there in the end.
  const both = headerChange({ set: [{ name: 'a', value: 'new' }], remove: ['a'] })
  assert.deepEqual({ ...changeHeaders({ a: 'old' }, [both]) }, { a: 'new' })
  // One change after the other.
  const again = headerChange({ add: [{ name: 'a', value: 'c' }] })
  assert.deepEqual({ ...changeHeaders({ a: 'old' }, [both, again]) }, { a: 'new,c' })
  const before = { a: 'b' }
  assert.equal(changeHeaders(before, []), before)
  const strange = changeHeaders({}, [headerChange({ set: [{ name: '__proto__', value: 'x' }] })])
  assert.equal(Object.getOwnPropertyDescriptor(strange, '__proto__')?.value, 'x')
})

test("a rule's changes are in the request, a backend's own stand at the backend", () => {
  const modify = (name: string, value: string): HttpRouteFilter['requestHeaderModifier'] => ({ set: [{ name, value }] })
  const rule: Rule = {
    filters: [
      { type: 'RequestHeaderModifier', requestHeaderModifier: modify('X-Rule', 'r') ?? {} },
      { type: 'ResponseHeaderModifier', responseHeaderModifier: { remove: ['Server'] } },
    ],
    backendRefs: [
      {
        name: 'a',
        port: 80,
        filters: [
          { type: 'RequestHeaderModifier', requestHeaderModifier: modify('X-Backend', 'b') ?? {} },
          { type: 'ResponseHeaderModifier', responseHeaderModifier: modify('X-From', 'a') ?? {} },
        ],
      },
      { name: 'b', port: 80 },
    ],
  }
  const sent = through(rule, { headers: { accept: '*/*' } })
  assert.ok(sent.kind === 'forward')
  assert.deepEqual({ ...sent.request.headers }, { accept: '*/*', 'x-rule': 'r' })
  assert.deepEqual(sent.responseHeaders, [{ set: [], add: [], remove: ['server'] }])
  assert.deepEqual(
    sent.backends.map(({ requestHeaders, responseHeaders }) => [requestHeaders, responseHeaders]),
    [
      [[{ set: [['x-backend', 'b']], add: [], remove: [] }], [{ set: [['x-from', 'a']], add: [], remove: [] }]],
      [[], []],
    ],
  )
  const redirected = through({ filters: [...(rule.filters ?? []), { type: 'RequestRedirect', requestRedirect: {} }] })
  assert.ok(redirected.kind === 'redirect')
  assert.deepEqual(redirected.responseHeaders, [{ set: [], add: [], remove: ['server'] }])
  assert.equal(redirected.step.code, 'route.redirects')
  assert.equal(redirected.step.outcome, 'allow')
})

test('timeouts in milliseconds; 0s is none', () => {
  const of = (timeouts: Rule['timeouts']) => {
    const sent = through(to('a', timeouts === undefined ? {} : { timeouts }))
    return sent.kind === 'forward' && [sent.requestTimeoutMs, sent.backendTimeoutMs]
  }
  assert.deepEqual(of(undefined), [undefined, undefined])
  assert.deepEqual(of({ request: '10s', backendRequest: '500ms' }), [10_000, 500])
  assert.deepEqual(of({ request: '0s', backendRequest: '1m30s' }), [undefined, 90_000])
  assert.deepEqual(of({ backendRequest: '0h0m' }), [undefined, undefined])
})

test("what is not modelled is unknown, with its name and place: the rule's own, or the whole route's", () => {
  const other = to('b', at('/other'))
  const beside = (rule: Rule) => [
    front,
    route('shop/r', { rules: [rule, other] }, { file: 'r.yaml', layer: '70-ingress' }),
  ]
  const filter = (type: string): Rule => to('a', { filters: [{ type }] })
  const atBackend = (type: string): Rule => ({ backendRefs: [{ name: 'a', port: 80, filters: [{ type }] }] })
  const table: [rule: Rule, what: RegExp, other: string][] = [
    [filter('CORS'), /^the filter CORS in rule 0 of HTTPRoute\/shop\/r$/, 'b'],
    [filter('RequestMirror'), /^the filter RequestMirror in rule 0/, 'b'],
    [to('a', { retry: { attempts: 2 } } as Rule), /^retry in rule 0/, 'b'],
    [to('a', { sessionPersistence: {} } as Rule), /^sessionPersistence in rule 0/, 'b'],
    // Istio drops a route with one of these.
    [filter('ExtensionRef'), /^the filter ExtensionRef in rule 0/, 'unknown'],
    [filter('ExternalAuth'), /^the filter ExternalAuth in rule 0/, 'unknown'],
    [filter('Anything'), /^the filter Anything in rule 0/, 'unknown'],
    [atBackend('URLRewrite'), /^the filter URLRewrite at a backend in rule 0/, 'unknown'],
    [atBackend('RequestRedirect'), /^the filter RequestRedirect at a backend in rule 0/, 'unknown'],
    [atBackend('CORS'), /^the filter CORS at a backend in rule 0/, 'unknown'],
  ]
  for (const [rule, what, elsewhere] of table) {
    const resources = beside(rule)
    const decision = ask(resources)
    assert.equal(decision.kind, 'unknown', String(what))
    const { outcome, code, policy, layer, rule: number, facts } = decision.step
    assert.deepEqual(
      [outcome, code, policy, layer, number],
      ['unknown', 'not-modelled', 'HTTPRoute/shop/r', '70-ingress', 0],
    )
    assert.match(String(facts?.what), what)
    assert.equal(answer(ask(resources, { path: '/other' })), elsewhere, String(what))
    const [found] = index(resources).notModelled
    assert.equal(found?.id, 'HTTPRoute/shop/r')
    assert.match(found?.at ?? '', /^r\.yaml:\d+$/)
  }
  assert.equal(answer(ask(beside(atBackend('RequestHeaderModifier')))), 'a')
  assert.deepEqual(index(beside(to('a'))).notModelled, [])
})

/* Envoy refuses a port's routes as a whole when one expression is not RE2. */
test('an expression that is not RE2 leaves its port unknown, and no other', () => {
  const wrong = route('shop/wrong', {
    parentRefs: [{ name: 'front', sectionName: 'http' }],
    hostnames: ['wrong.example'],
    rules: [to('a', { matches: [{ path: { type: 'RegularExpression', value: '(?=x)' } }] })],
  })
  const resources = [front, wrong, route('shop/r', { rules: [to('b')] })]
  const decision = ask(resources)
  assert.equal(decision.kind, 'unknown')
  assert.match(String(decision.step.facts?.what), /an expression of HTTPRoute\/shop\/wrong, which is not RE2/)
  assert.equal(answer(ask(resources, {}, 8080)), 'b')
  assert.deepEqual(
    index(resources).notModelled.map(({ id }) => id),
    ['HTTPRoute/shop/wrong'],
  )
  assert.equal(answer(routeRequest(index(resources), 'shop/front', 80, request({ host: 'x' }))), 'unknown')
})

test("CONNECT is nobody's", () => {
  assert.equal(answer(through(to('a'), { method: 'CONNECT', path: 'x:443' })), '404')
})
