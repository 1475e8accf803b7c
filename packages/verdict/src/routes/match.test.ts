import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HttpRouteMatch } from '@bulkhead/resources'
import { RequestMatch } from './match.js'
import { queryValue } from './query.js'
import type { HttpRequest } from './types.js'

function matches(match: HttpRouteMatch, { path = '/', ...request }: Partial<HttpRequest> = {}): boolean {
  const mark = path.indexOf('?')
  return new RequestMatch(match).matches(
    { method: 'GET', host: 'shop.example', path, headers: {}, ...request },
    mark === -1 ? path : path.slice(0, mark),
    mark === -1 ? '' : path.slice(mark),
  )
}

/* The rows of conformance/tests/httproute-exact-path-matching and httproute-matching are among these. */
test('paths', () => {
  const table: [type: 'Exact' | 'PathPrefix' | 'RegularExpression', value: string, path: string, matches: boolean][] = [
    ['Exact', '/one', '/one', true],
    ['Exact', '/one', '/one/', false],
    ['Exact', '/one', '/One', false],
    ['Exact', '/one', '/one/example', false],
    ['Exact', '/one', '/one?a=b', true],
    ['Exact', '/', '/', true],
    ['Exact', '/', '/a', false],
    ['PathPrefix', '/', '/', true],
    ['PathPrefix', '/', '/any', true],
    ['PathPrefix', '/foo', '/foo', true],
    ['PathPrefix', '/foo', '/foo/', true],
    ['PathPrefix', '/foo', '/foo/bar', true],
    ['PathPrefix', '/foo', '/foobar', false],
    ['PathPrefix', '/foo', '/Foo', false],
    ['PathPrefix', '/foo', '/a/foo', false],
    ['PathPrefix', '/foo', '/foo?bar', true],
    ['PathPrefix', '/foo/', '/foo', true],
    ['PathPrefix', '/foo/', '/foo/bar', true],
    ['PathPrefix', '/foo/', '/foobar', false],
    ['PathPrefix', '/foo/bar', '/foo/barn', false],
    // The whole path, and no query.
    ['RegularExpression', '/items/[0-9]+', '/items/12', true],
    ['RegularExpression', '/items/[0-9]+', '/items/12/x', false],
    ['RegularExpression', '/items/[0-9]+', '/a/items/12', false],
    ['RegularExpression', '/items/[0-9]+', '/items/12?x', true],
    ['RegularExpression', 'items', '/items', false],
    ['RegularExpression', '.*', '/items', true],
    ['RegularExpression', '/a|/ab', '/ab', true],
    ['RegularExpression', '(?i)/ITEMS', '/items', true],
    ['RegularExpression', '/[[:alpha:]]+', '/abc', true],
  ]
  for (const [type, value, path, expected] of table)
    assert.equal(matches({ path: { type, value } }, { path }), expected, `${type} ${value} ${path}`)
})

test('a match without a path, or without anything, has every path', () => {
  assert.equal(matches({}, { path: '/any' }), true)
  assert.equal(matches({ path: {} }, { path: '/any' }), true)
  assert.equal(matches({ path: { value: '/any' } }, { path: '/any/thing' }), true)
})

/* As conformance/tests/httproute-header-matching. */
test('headers: every one must match; names in any case, values exactly', () => {
  const version = { name: 'Version', value: 'two' }
  const table: [headers: HttpRouteMatch['headers'], has: Record<string, string>, matches: boolean][] = [
    [[version], { version: 'two' }, true],
    [[version], { version: 'Two' }, false],
    [[version], { version: 'two, one' }, false],
    [[version], {}, false],
    [[version, { name: 'color', value: 'orange' }], { version: 'two', color: 'orange' }, true],
    [[version, { name: 'color', value: 'orange' }], { version: 'two' }, false],
    // Of several for one name the first counts.
    [[version, { name: 'VERSION', value: 'one' }], { version: 'two' }, true],
    [[version, { name: 'VERSION', value: 'one' }], { version: 'one' }, false],
    [[{ type: 'RegularExpression', name: 'version', value: 't.o' }], { version: 'two' }, true],
    [[{ type: 'RegularExpression', name: 'version', value: 'tw' }], { version: 'two' }, false],
    // Not RE2, and to Istio "is there".
    [[{ type: 'RegularExpression', name: 'version', value: '*' }], { version: '' }, true],
    [[{ type: 'RegularExpression', name: 'version', value: '*' }], {}, false],
    [[{ name: 'constructor', value: 'x' }], {}, false],
    [[{ name: '__proto__', value: 'x' }], {}, false],
    [[{ name: 'Host', value: 'shop.example' }], {}, true],
    [[{ name: 'host', value: 'other.example' }], {}, false],
  ]
  for (const [headers, has, expected] of table)
    assert.equal(matches({ ...(headers && { headers }) }, { headers: has }), expected, JSON.stringify([headers, has]))
})

/* As conformance/tests/httproute-query-param-matching. */
test('query parameters: every one must match, by its first value; names and values exactly', () => {
  const animal = { name: 'animal', value: 'whale' }
  const table: [params: HttpRouteMatch['queryParams'], path: string, matches: boolean][] = [
    [[animal], '/?animal=whale', true],
    [[animal], '/?animal=dolphin', false],
    [[animal], '/?animal=Whale', false],
    [[animal], '/?Animal=whale', false],
    [[animal], '/?animal=whale&otherparam=irrelevant', true],
    [[animal], '/?x=y&animal=whale', true],
    [[animal], '/?animals=whale', false],
    [[animal], '/?xanimal=whale', false],
    [[animal], '/?animal=whale&animal=dolphin', true],
    [[animal], '/?animal=dolphin&animal=whale', false],
    [[animal], '/?animal=', false],
    [[animal], '/?animal', false],
    [[animal], '/', false],
    [[animal, { name: 'color', value: 'blue' }], '/?animal=whale&color=blue', true],
    [[animal, { name: 'color', value: 'blue' }], '/?animal=whale', false],
    [[animal, { name: 'animal', value: 'dolphin' }], '/?animal=whale', true],
    // As they are written: Envoy decodes neither.
    [[{ name: 'q', value: 'a%20b' }], '/?q=a%20b', true],
    [[{ name: 'q', value: 'ab' }], '/?q=%61b', false],
    [[{ name: 'q', value: 'a=b' }], '/?q=a=b', true],
    [[{ type: 'RegularExpression', name: 'q', value: '[0-9]+' }], '/?q=12', true],
    [[{ type: 'RegularExpression', name: 'q', value: '[0-9]+' }], '/?q=12a', false],
    [[{ type: 'RegularExpression', name: 'q', value: '*' }], '/?q', true],
  ]
  for (const [queryParams, path, expected] of table)
    assert.equal(
      matches({ ...(queryParams && { queryParams }) }, { path }),
      expected,
      JSON.stringify([queryParams, path]),
    )
})

test('queryValue finds the first', () => {
  assert.equal(queryValue('?a=1&b=2&a=3', 'a'), '1')
  assert.equal(queryValue('?aa=1&a=2', 'a'), '2')
  assert.equal(queryValue('?&&a=', 'a'), '')
  assert.equal(queryValue('?b', 'b'), '')
  assert.equal(queryValue('?', ''), undefined)
  assert.equal(queryValue('', 'a'), undefined)
})

/* As conformance/tests/httproute-method-matching. */
test('a method is compared exactly', () => {
  assert.equal(matches({ method: 'POST' }, { method: 'POST' }), true)
  assert.equal(matches({ method: 'POST' }, { method: 'post' }), false)
  assert.equal(matches({ method: 'POST' }, { method: 'GET' }), false)
  assert.equal(matches({ method: 'PATCH', path: { value: '/a' } }, { method: 'PATCH', path: '/b' }), false)
})

test('an expression that is not RE2 throws', () => {
  for (const value of ['(?=a)', '(a)\\1', 'a(', '*'])
    assert.throws(() => new RequestMatch({ path: { type: 'RegularExpression', value } }), value)
})
