import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile } from '../../model/compile.js'
import { CompileError } from '../../model/compile-error.js'
import {
  type Asked,
  assertMatches,
  gatewayPod,
  operation,
  rules,
  scene,
  source,
  stepOf,
  when,
} from '../../testing/gateway-scene.js'

/*
 * What a gateway's AuthorizationPolicies can read, attribute by attribute (semantics C.6, Envoy's column).
 */

test('callers have no identity: nothing positive matches, and every not does', () => {
  const values: Readonly<Record<string, string>> = {
    principals: '*',
    namespaces: '*',
    serviceAccounts: 'app/src',
    trustDomains: '*',
    requestPrincipals: '*',
  }
  for (const [name, value] of Object.entries(values)) {
    const not = `not${name[0]?.toUpperCase()}${name.slice(1)}`
    assertMatches(source({ [name]: [value] }), {}, false)
    assertMatches(source({ [not]: [value] }), {}, true)
  }
  for (const key of [
    'source.principal',
    'source.namespace',
    'source.serviceAccount',
    'request.auth.principal',
    'request.auth.audiences',
    'request.auth.presenter',
    'request.auth.claims[iss]',
    'request.auth.claims[a][b]',
    'connection.sni',
  ]) {
    assertMatches(when(key, ['*']), {}, false)
    assertMatches(when(key, undefined, ['*']), {}, true)
  }
})

test('should one have an identity, it counts', () => {
  const asked = { identity: 'spiffe://cluster.local/ns/app/sa/src' }
  assertMatches(source({ principals: ['cluster.local/ns/app/sa/src'] }), asked, true)
  assertMatches(source({ principals: ['*/sa/src'] }), asked, true)
  assertMatches(source({ principals: ['cluster.local/ns/app/sa/other'] }), asked, false)
  assertMatches(source({ namespaces: ['a*p'] }), asked, true)
  assertMatches(source({ namespaces: ['other', 'b*'] }), asked, false)
  assertMatches(source({ serviceAccounts: ['src'] }), asked, true)
  assertMatches(source({ serviceAccounts: ['other/src'] }), asked, false)
  assertMatches(source({ trustDomains: ['cluster.local'] }), asked, true)
  assertMatches(source({ notTrustDomains: ['cluster.local'] }), asked, false)
})

test('addresses: ipBlocks is the TCP peer, and without trusted proxies so is the client', () => {
  const forwarded = { 'x-forwarded-for': '198.51.100.9' }
  for (const name of ['ipBlocks', 'remoteIpBlocks']) {
    assertMatches(source({ [name]: ['203.0.113.0/24'] }), {}, true)
    assertMatches(source({ [name]: ['203.0.113.8', '10.0.0.0/8'] }), {}, false)
    assertMatches(source({ [name]: ['2001:db8::/32'] }), { ip: '2001:db8::9' }, true)
    assertMatches(source({ [name]: ['198.51.100.9'] }), { request: { headers: forwarded } }, false)
    assertMatches(source({ [`not${name[0]?.toUpperCase()}${name.slice(1)}`]: ['203.0.113.7'] }), {}, false)
  }
  for (const key of ['source.ip', 'remote.ip']) {
    assertMatches(when(key, ['203.0.113.7']), {}, true)
    assertMatches(when(key, ['198.51.100.9']), { request: { headers: forwarded } }, false)
    assertMatches(when(key, undefined, ['203.0.113.0/24']), {}, false)
  }
  const { ip } = gatewayPod(compile(scene))
  assertMatches(when('destination.ip', [ip]), {}, true)
  assertMatches(when('destination.ip', ['10.0.0.1']), {}, false)
})

test('ports are the listener’s', () => {
  assertMatches(operation({ ports: ['80'] }), {}, true)
  assertMatches(operation({ ports: ['8080'] }), {}, false)
  assertMatches(operation({ ports: ['8080'] }), { port: 8080 }, true)
  assertMatches(operation({ notPorts: ['80'] }), {}, false)
  assertMatches(when('destination.port', ['80', '81']), {}, true)
  assertMatches(when('destination.port', undefined, ['80']), {}, false)
})

test('a port that is no number takes an ALLOW rule along, and only itself out of a DENY', () => {
  assert.equal(stepOf([rules(operation({ ports: ['80', 'http'] }))]).code, 'authz.no-rule-allows')
  assert.equal(stepOf([rules(operation({ ports: ['80', 'http'] }), 'DENY')]).code, 'authz.rule-denies')
  assert.equal(
    stepOf([rules(operation({ ports: ['http'] }), 'DENY')]).code,
    'authz.rule-denies',
    'nothing is left of it',
  )
  const { closest } = stepOf([rules(operation({ ports: ['http'] }))])
  assert.match(closest?.lacks[0]?.has ?? '', /"http" is no port number/)
})

test('hosts: any case, with the port if the client sent it', () => {
  const host = (value: string): Asked => ({ request: { host: value } })
  assertMatches(operation({ hosts: ['Shop.Example.org'] }), host('sHOP.example.ORG'), true)
  assertMatches(operation({ hosts: ['shop.example.org'] }), host('shop.example.org:8080'), false)
  assertMatches(operation({ hosts: ['shop.example.org:*'] }), host('shop.example.org:8080'), true)
  assertMatches(operation({ hosts: ['*.example.org'] }), host('shop.example.org'), true)
  assertMatches(operation({ hosts: ['*.example.org'] }), host('example.org'), false)
  assertMatches(operation({ hosts: ['shop.*'] }), host('SHOP.anything'), true)
  assertMatches(operation({ hosts: ['s*p.example.org'] }), host('shop.example.org'), false)
  assertMatches(operation({ hosts: ['*'] }), host('x'), true)
  assertMatches(operation({ hosts: ['*'] }), host(''), false)
  assertMatches(operation({ notHosts: ['shop.example.org'] }), host('shop.example.org'), false)
  assertMatches(operation({ notHosts: ['*'] }), host(''), true)
})

test('methods have a case', () => {
  assertMatches(operation({ methods: ['GET', 'HEAD'] }), {}, true)
  assertMatches(operation({ methods: ['get'] }), {}, false)
  assertMatches(operation({ methods: ['P*'] }), { request: { method: 'PATCH' } }, true)
  assertMatches(operation({ methods: ['*'] }), { request: { method: 'BREW' } }, true)
  assertMatches(operation({ notMethods: ['GET'] }), {}, false)
})

test('paths: exact, prefix, suffix, presence, templates; with a case, without the query, normalised', () => {
  const path = (value: string): Asked => ({ request: { path: value } })
  assertMatches(operation({ paths: ['/admin'] }), path('/admin'), true)
  assertMatches(operation({ paths: ['/admin'] }), path('/admin?x=/public'), true)
  assertMatches(operation({ paths: ['/admin'] }), path('/Admin'), false)
  assertMatches(operation({ paths: ['/admin'] }), path('/admin/'), false)
  assertMatches(operation({ paths: ['/admin*'] }), path('/administration'), true)
  assertMatches(operation({ paths: ['*.html'] }), path('/a/b.html?c'), true)
  assertMatches(operation({ paths: ['*.html'] }), path('/a?b.html'), false)
  assertMatches(operation({ paths: ['*'] }), path('/'), true)
  assertMatches(operation({ paths: ['/a*b'] }), path('/axb'), false)
  assertMatches(operation({ paths: ['/admin'] }), path('/x/../admin'), true)
  assertMatches(operation({ paths: ['/admin'] }), path('/%61dmin'), true)
  assertMatches(operation({ paths: ['/admin'] }), path('\\admin'), true)
  assertMatches(operation({ paths: ['/admin'] }), path('//admin'), false)
  assertMatches(operation({ paths: ['/a/{*}/c'] }), path('/a/b/c?d'), true)
  assertMatches(operation({ paths: ['/a/{*}/c'] }), path('/a/b/b/c'), false)
  assertMatches(operation({ paths: ['/a/{**}'] }), path('/a/b/c'), true)
  assertMatches(operation({ notPaths: ['/healthz', '/a/{*}'] }), path('/a/b'), false)
  assertMatches(operation({ notPaths: ['/healthz', '/a/{*}'] }), path('/a'), true)
  assert.throws(
    () => stepOf([rules(operation({ paths: ['/{**}/x/{*}'] }))]),
    (error) => error instanceof CompileError && error.message.endsWith('"/{**}/x/{*}" is not a path template'),
  )
})

test('headers: names of any case, values with theirs', () => {
  const headers = (value: Readonly<Record<string, string>>): Asked => ({ request: { headers: value } })
  const agent = 'request.headers[User-Agent]'
  assertMatches(when(agent, ['curl/8']), headers({ 'user-agent': 'curl/8' }), true)
  assertMatches(when(agent, ['curl/*']), headers({ 'user-agent': 'curl/8' }), true)
  assertMatches(when(agent, ['Curl/*']), headers({ 'user-agent': 'curl/8' }), false)
  assertMatches(when(agent, ['*/8']), headers({ 'user-agent': 'curl/8' }), true)
  assertMatches(when(agent, ['*']), headers({ 'user-agent': '' }), true)
  assertMatches(when(agent, ['*']), {}, false)
  assertMatches(when(agent, undefined, ['*']), {}, true)
  assertMatches(when(agent, undefined, ['curl/*']), headers({ 'user-agent': 'curl/8' }), false)
  assertMatches(when('request.headers[x-a]', ['1,2']), headers({ 'x-a': '1,2' }), true)
  assertMatches(when('request.headers[host]', ['shop.example.org']), {}, true)
  assertMatches(when('request.headers[:method]', ['GET']), {}, true)
  assertMatches(when('request.headers[constructor]', ['*']), {}, false)
})
