import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answer, ask, gateway, route, to } from '../testing/routes.js'
import { hostMatches, hostName } from './hosts.js'

test('a Host is compared without its port and in lower case; a dot at its end makes it another', () => {
  const table: [string, string][] = [
    ['shop.example', 'shop.example'],
    ['Shop.EXAMPLE:8080', 'shop.example'],
    ['shop.example.', 'shop.example.'],
    ['shop.example.:80', 'shop.example.'],
    ['10.0.0.1:80', '10.0.0.1'],
    ['[fd00::1]:80', '[fd00::1]'],
    ['[fd00::1]', '[fd00::1]'],
    ['', ''],
    [':80', ''],
  ]
  for (const [host, name] of table) assert.equal(hostName(host), name, host)
})

test('a wildcard has one or more labels before its name, never none', () => {
  const table: [pattern: string, host: string, matches: boolean][] = [
    ['*', 'anything', true],
    ['*', '', true],
    ['a.example', 'a.example', true],
    ['a.example', 'b.a.example', false],
    ['*.example', 'a.example', true],
    ['*.example', 'b.a.example', true],
    ['*.example', 'example', false],
    ['*.example', '.example', false],
    ['*.example', 'anexample', false],
  ]
  for (const [pattern, host, matches] of table) assert.equal(hostMatches(pattern, host), matches, `${pattern} ${host}`)
})

/*
 * As kubernetes-sigs/gateway-api conformance/tests/httproute-listener-hostname-matching has it: of four listeners on one
 * port each request has one, the most specific.
 */
test('of several listeners on a port the most specific has the request, and no other is asked', () => {
  const listeners = ['bar.com', 'foo.bar.com', '*.bar.com', '*.foo.com'].map((hostname, index) => ({
    name: `listener-${index + 1}`,
    hostname,
  }))
  const at = (...sections: string[]) => ({
    parentRefs: sections.map((sectionName) => ({ name: 'front', sectionName })),
  })
  const resources = [
    gateway('shop/front', listeners),
    route('shop/v1', { ...at('listener-1'), rules: [to('a')] }),
    route('shop/v2', { ...at('listener-2'), rules: [to('b')] }),
    route('shop/v3', { ...at('listener-3', 'listener-4'), rules: [to('c')] }),
  ]
  const table: [string, string][] = [
    ['bar.com', 'a'],
    ['foo.bar.com', 'b'],
    ['baz.bar.com', 'c'],
    ['boo.bar.com', 'c'],
    ['multiple.prefixes.bar.com', 'c'],
    ['multiple.prefixes.foo.com', 'c'],
    ['foo.com', '404'],
    ['no.matching.host', '404'],
  ]
  for (const [host, expected] of table) assert.equal(answer(ask(resources, { host })), expected, host)
})

/* As conformance/tests/httproute-hostname-intersection. */
test('a route answers only for hosts that its listener and itself have', () => {
  const listeners = ['very.specific.com', '*.wildcard.io', '*.anotherwildcard.io'].map((hostname, index) => ({
    name: `listener-${index + 1}`,
    hostname,
  }))
  const resources = [
    gateway('shop/front', listeners),
    ...[
      ['non.matching.com', '*.nonmatchingwildcard.io', 'very.specific.com'],
      ['non.matching.com', 'wildcard.io', 'foo.wildcard.io', 'bar.wildcard.io', 'foo.bar.wildcard.io'],
      ['non.matching.com', '*.specific.com'],
      ['*.anotherwildcard.io'],
      ['specific.but.wrong.com', 'wildcard.io'],
    ].map((hostnames, i) =>
      route(`shop/r${i + 1}`, {
        hostnames,
        rules: [to('abcde'.charAt(i), { matches: [{ path: { type: 'PathPrefix', value: `/s${i + 1}` } }] })],
      }),
    ),
  ]
  const table: [host: string, path: string, expected: string][] = [
    ['very.specific.com', '/s1', 'a'],
    ['very.specific.com:1234', '/s1', 'a'],
    ['very.specific.com.', '/s1', '404'],
    ['foo.wildcard.io.', '/s2', '404'],
    ['non.matching.com', '/s1', '404'],
    ['foo.nonmatchingwildcard.io', '/s1', '404'],
    ['foo.wildcard.io', '/s1', '404'],
    ['very.specific.com', '/non-matching-prefix', '404'],
    ['foo.wildcard.io', '/s2', 'b'],
    ['bar.wildcard.io', '/s2', 'b'],
    ['foo.bar.wildcard.io', '/s2', 'b'],
    ['wildcard.io', '/s2', '404'],
    ['very.specific.com', '/s2', '404'],
    ['very.specific.com', '/s3', 'c'],
    ['foo.specific.com', '/s3', '404'],
    ['foo.wildcard.io', '/s3', '404'],
    ['foo.anotherwildcard.io', '/s4', 'd'],
    ['foo.bar.anotherwildcard.io', '/s4', 'd'],
    ['anotherwildcard.io', '/s4', '404'],
    ['foo.wildcard.io', '/s4', '404'],
    ['specific.but.wrong.com', '/s5', '404'],
    ['wildcard.io', '/s5', '404'],
  ]
  for (const [host, path, expected] of table)
    assert.equal(answer(ask(resources, { host, path })), expected, host + path)
})

test('a listener without a hostname has what no other has, and is not asked for what another has', () => {
  const resources = [
    gateway('shop/front', [{ name: 'any' }, { name: 'named', hostname: 'a.example' }]),
    route('shop/any', { parentRefs: [{ name: 'front', sectionName: 'any' }], rules: [to('a')] }),
    route('shop/named', {
      parentRefs: [{ name: 'front', sectionName: 'named' }],
      rules: [to('b', { matches: [{ path: { value: '/b' } }] })],
    }),
  ]
  assert.equal(answer(ask(resources, { host: 'else.example' })), 'a')
  assert.equal(answer(ask(resources, { host: '' })), 'a')
  assert.equal(answer(ask(resources, { host: 'a.example', path: '/b' })), 'b')
  assert.equal(answer(ask(resources, { host: 'a.example' })), '404')
})

test('of several host patterns at a listener the most specific has the request, and no other is asked', () => {
  const resources = [
    gateway('shop/front'),
    route('shop/exact', { hostnames: ['a.b.example'], rules: [to('a', { matches: [{ path: { value: '/a' } }] })] }),
    route('shop/long', { hostnames: ['*.b.example'], rules: [to('b')] }),
    route('shop/short', { hostnames: ['*.example'], rules: [to('c')] }),
    route('shop/any', { rules: [to('d')] }),
  ]
  const table: [host: string, path: string, expected: string][] = [
    ['a.b.example', '/a', 'a'],
    ['a.b.example', '/', '404'],
    ['x.b.example', '/a', 'b'],
    ['b.example', '/a', 'c'],
    ['example', '/a', 'd'],
    // No label before the dot.
    ['.b.example', '/a', 'c'],
    ['.example', '/a', 'd'],
  ]
  for (const [host, path, expected] of table)
    assert.equal(answer(ask(resources, { host, path })), expected, host + path)
})
