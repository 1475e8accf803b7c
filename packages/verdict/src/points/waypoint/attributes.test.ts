import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Asked, assertMatches, operation, type Rule, source, stepOf, when } from '../../testing/at-waypoint.js'
import { onService } from '../../testing/waypoint-scene.js'

/* Every attribute as a waypoint's Envoy reads it (semantics C.6, right column). */

const outsider = 'spiffe://other.example/ns/app/sa/src'
const rows: readonly (readonly [Rule, Asked, boolean])[] = [
  // The client's own identity, which its certificate shows.
  [source({ principals: ['cluster.local/ns/app/sa/src'] }), {}, true],
  [source({ principals: ['cluster.local/ns/app/sa/*'] }), {}, true],
  [source({ principals: ['*/sa/src'] }), {}, true],
  [source({ principals: ['*'] }), {}, true],
  [source({ principals: ['cluster.local/ns/app/sa/wp'] }), {}, false],
  [source({ notPrincipals: ['cluster.local/ns/app/sa/src'] }), {}, false],
  [source({ namespaces: ['app'] }), {}, true],
  [source({ namespaces: ['a*'] }), {}, true],
  [source({ namespaces: ['other'] }), {}, false],
  [source({ notNamespaces: ['other'] }), {}, true],
  [source({ serviceAccounts: ['src'] }), {}, true],
  [source({ serviceAccounts: ['app/src'] }), { identity: outsider }, true],
  [source({ serviceAccounts: ['other/src'] }), {}, false],
  [source({ trustDomains: ['cluster.local'] }), {}, true],
  [source({ trustDomains: ['cluster.local'] }), { identity: outsider }, false],
  // `cluster.local` stands for the mesh's own trust domain, whatever its name.
  [source({ principals: ['cluster.local/ns/app/sa/src'] }), { trustDomain: 'other.example', identity: outsider }, true],
  [source({ principals: ['cluster.local/ns/app/sa/*'] }), { trustDomain: 'other.example', identity: outsider }, true],
  // Only in a whole identity, though.
  [source({ principals: ['cluster.local/ns/app/*'] }), { trustDomain: 'other.example', identity: outsider }, false],
  [source({ principals: ['cluster.local/*'] }), { trustDomain: 'other.example', identity: outsider }, false],
  [source({ principals: ['cluster.local/*'] }), {}, true],
  [source({ principals: ['cluster.local/ns/app/sa/src'] }), { identity: outsider }, false],
  [
    source({ principals: ['third.example/ns/app/sa/src'] }),
    { trustDomain: 'other.example', identity: outsider },
    false,
  ],
  // The address is the client pod's own.
  [source({ ipBlocks: ['10.244.1.0/24'] }), {}, true],
  [source({ ipBlocks: ['10.244.2.0/24'] }), {}, false],
  [source({ notIpBlocks: ['10.244.1.9'] }), {}, false],
  // Who forwarded it is the caller's own word: Envoy takes the last address of the header, and checks nothing.
  [source({ remoteIpBlocks: ['10.244.1.9'] }), {}, true],
  [
    source({ remoteIpBlocks: ['198.51.100.0/24'] }),
    { request: { headers: { 'x-forwarded-for': '10.0.0.1, 198.51.100.7' } } },
    true,
  ],
  [source({ remoteIpBlocks: ['10.244.1.9'] }), { request: { headers: { 'x-forwarded-for': '198.51.100.7' } } }, false],
  [source({ remoteIpBlocks: ['10.244.1.9'] }), { request: { headers: { 'x-forwarded-for': 'nonsense' } } }, true],
  [source({ ipBlocks: ['10.244.1.9'] }), { request: { headers: { 'x-forwarded-for': '198.51.100.7' } } }, true],
  // The Service's port, not the pod's (which is 8080).
  [operation({ ports: ['80'] }), {}, true],
  [operation({ ports: ['8080'] }), {}, false],
  [operation({ notPorts: ['8080'] }), {}, true],
  // The request.
  [operation({ methods: ['GET'] }), {}, true],
  [operation({ methods: ['get'] }), {}, false],
  [operation({ notMethods: ['GET'] }), {}, false],
  [operation({ hosts: ['DST.app'] }), {}, true],
  [operation({ hosts: ['dst.app'] }), { request: { host: 'dst.app:80' } }, false],
  [operation({ hosts: ['dst.app*'] }), { request: { host: 'dst.app:80' } }, true],
  [operation({ paths: ['/a'] }), { request: { path: '/a?b=/c' } }, true],
  [operation({ paths: ['/a'] }), { request: { path: '/A' } }, false],
  [operation({ paths: ['/api/{*}/x'] }), { request: { path: '/api/v1/x' } }, true],
  [operation({ paths: ['/api/{*}/x'] }), { request: { path: '/api/v1/v2/x' } }, false],
  [operation({ paths: ['/api/{**}'] }), { request: { path: '/api/v1/v2/x' } }, true],
  [operation({ paths: ['/api/{**}'] }), { request: { path: '/apis' } }, false],
  [operation({ notPaths: ['/a*'] }), { request: { path: '/b' } }, true],
  // Conditions.
  [when('source.ip', ['10.244.0.0/16']), {}, true],
  [when('source.namespace', ['app']), {}, true],
  [when('source.principal', ['cluster.local/ns/app/sa/src']), {}, true],
  [when('source.serviceAccount', ['app/src']), {}, true],
  [when('destination.port', ['80']), {}, true],
  [when('destination.port', undefined, ['80']), {}, false],
  [when('remote.ip', ['10.244.1.9']), {}, true],
  [when('connection.sni', ['dst.app']), {}, false],
  // The first line is among the headers to Envoy, and its path is normalised there too.
  [when('request.headers[:path]', ['/admin']), { request: { path: '/x/../%61dmin' } }, true],
  [when('request.headers[:path]', ['/x*']), { request: { path: '/x/../admin' } }, false],
  [when('request.headers[:path]', ['/admin']), { request: { path: '/admin?x=1' } }, false],
  [when('request.headers[:path]', ['/admin?x=/..*']), { request: { path: '/./admin?x=/../1#y' } }, true],
  [when('request.headers[:method]', ['GET']), {}, true],
  [when('request.headers[Host]', ['dst.app']), {}, true],
  [when('request.headers[X-Foo]', ['b*']), { request: { headers: { 'x-foo': 'bar' } } }, true],
  [when('request.headers[x-foo]', ['*']), {}, false],
  [when('request.headers[x-foo]', undefined, ['bar']), {}, true],
  [when('request.headers[constructor]', ['*']), {}, false],
  [when('request.auth.principal', ['*']), {}, false],
  [when('request.auth.claims[group]', ['admin']), { request: { headers: { authorization: 'Bearer x' } } }, false],
]

test('each attribute, as an ALLOW and as a DENY', () => {
  for (const [rule, asked, matches] of rows) assertMatches(rule, asked, matches)
})

test('the destination’s address is the Service’s', () => {
  const address = (step: ReturnType<typeof stepOf>) => step.closest?.lacks[0]?.has
  const has = address(stepOf([onService({ rules: [when('destination.ip', ['192.0.2.1'])] })]))
  assert.match(has ?? '', /^10\.96\./)
  assertMatches(when('destination.ip', ['10.96.0.0/16']), {}, true)
})

/* Semantics C.6, last row: without HTTP an ALLOW rule that asks about a request is gone, and a DENY rule is wider. */
test('on a connection that carries no HTTP, what asks about a request is out of an ALLOW rule with it, and out of a DENY alone', () => {
  const asked: Asked = { request: 'tcp' }
  const rule: Rule = { ...source({ namespaces: ['app'] }), ...operation({ methods: ['DELETE'], ports: ['80'] }) }
  const allow = stepOf([onService({ rules: [rule] })], asked)
  assert.equal(allow.code, 'authz.no-rule-allows')
  assert.deepEqual(allow.closest?.lacks, [{ attribute: 'methods', wants: [], has: 'the connection carries no HTTP' }])
  assert.equal(stepOf([onService({ action: 'DENY', rules: [rule] })], asked).code, 'authz.rule-denies')
  const elsewhere: Rule = { ...source({ namespaces: ['other'] }), ...operation({ methods: ['DELETE'] }) }
  assert.equal(stepOf([onService({ action: 'DENY', rules: [elsewhere] })], asked).code, 'authz.no-allow-policy')
  assert.equal(
    stepOf([onService({ action: 'DENY', rules: [operation({ paths: ['/x'] })] })], asked).code,
    'authz.rule-denies',
  )
  assert.equal(
    stepOf([onService({ rules: [elsewhere, source({ namespaces: ['app'] })] })], asked).code,
    'authz.rule-allows',
  )
  for (const http of ['request.headers[x]', 'request.auth.principal', 'request.auth.claims[a]']) {
    assert.equal(stepOf([onService({ rules: [when(http, ['*'])] })], asked).code, 'authz.no-rule-allows', http)
    assert.equal(
      stepOf([onService({ action: 'DENY', rules: [when(http, ['*'])] })], asked).code,
      'authz.rule-denies',
      http,
    )
  }
  // Who forwarded it is known of a connection, too: its own caller.
  assertMatches(source({ remoteIpBlocks: ['10.244.1.9'] }), asked, true)
})
