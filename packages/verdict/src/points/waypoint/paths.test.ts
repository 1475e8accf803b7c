import assert from 'node:assert/strict'
import { test } from 'node:test'
import { operation, stepOf } from '../../testing/at-waypoint.js'
import { decided, onService, through } from '../../testing/waypoint-scene.js'

/*
 * Paths that are written so that a policy should not know them again, before a Service whose policy denies /admin and what
 * is below it, and allows everything else; and what is known of them. Sources: `norm` is Istio's reference "Authorization
 * Policy Normalization" with its default BASE, `canon` the canonicaliser that Envoy's normalize_path uses (url_canon_path.cc),
 * `match` Istio's reference of AuthorizationPolicy (`operation.paths`), `9112` RFC 9112, 3.2, as Envoy's HTTP/1 codec has it,
 * `boot` istiod's bootstrap for Envoy (http_reject_path_with_fragment: false).
 */

const closed = onService({ action: 'DENY', rules: [operation({ paths: ['/admin', '/admin/*'] })] })

const rows: readonly (readonly [path: string, seen: 'denied' | 'passes' | 'refused', source: string])[] = [
  ['/admin', 'denied', 'match: as it is written'],
  ['/admin/users', 'denied', 'match: a prefix'],
  ['/admin?x=1', 'denied', 'norm 5: the query is no part of it'],
  ['/admin?', 'denied', 'norm 5'],
  ['/x?/admin', 'passes', 'norm 5: what is in the query is no path'],
  ['/admin#x', 'denied', 'boot: a fragment is cut off'],
  ['/x#/admin', 'passes', 'boot'],
  ['/./admin', 'denied', 'norm 4: a single dot'],
  ['/x/../admin', 'denied', 'norm 4: a double dot'],
  ['/x/%2e%2e/admin', 'denied', 'norm 1 and 4: an escaped dot is a dot'],
  ['/x/.%2E/admin', 'denied', 'norm 1 and 4'],
  ['/../../admin', 'denied', 'canon: there is nothing above the root'],
  ['/admin/..', 'passes', 'norm 4: that is /'],
  ['/x\\..\\admin', 'denied', 'norm 2: a backslash is a slash'],
  ['/%61dmin', 'denied', 'norm 1: an escaped letter is a letter'],
  ['/%41dmin', 'passes', 'norm 1: it is /Admin'],
  ['/Admin', 'passes', 'match: case counts'],
  ['/ADMIN', 'passes', 'match'],
  ['//admin', 'passes', 'norm 3: several slashes stay several'],
  ['/x//../admin', 'passes', 'canon: an empty segment is one, so it is /x/admin'],
  ['/admin//', 'denied', 'match: a prefix, with what follows'],
  ['/admin/', 'denied', 'match: a prefix'],
  ['/%2Fadmin', 'passes', 'norm 1: an escaped slash stays escaped'],
  ['/x/%2f../admin', 'passes', 'norm 1: `%2f..` is a segment of its own'],
  ['/admin%2Fusers', 'passes', 'norm 1: it is neither /admin nor below it'],
  ['/admin%5cusers', 'passes', 'norm 1: nor is an escaped backslash a slash'],
  ['/admin;x=1', 'passes', 'canon: a parameter is a part of the segment'],
  ['/;/admin', 'passes', 'canon'],
  ['/x/..;/admin', 'passes', 'canon: `..;` is no double dot'],
  ['/%2561dmin', 'passes', 'norm 1: decoded once, so it is /%61dmin'],
  ['/admin%20', 'passes', 'canon: an escaped blank stays escaped'],
  ['/adm|n', 'passes', 'canon: `|` is escaped'],
  ['/admin%00', 'refused', 'norm 1: %00 is answered with 400'],
  ['/admin\0', 'refused', '9112: no control character'],
  ['/ad min', 'refused', '9112: no blank'],
  ['admin', 'refused', '9112: a path begins with a slash'],
  ['\\admin', 'refused', '9112'],
  ['', 'refused', '9112'],
]

for (const [path, seen, why] of rows) {
  test(`${JSON.stringify(path)} ${seen} (${why})`, () => {
    const step = stepOf([closed], { request: { path } })
    const codes = { denied: 'authz.rule-denies', passes: 'authz.no-allow-policy', refused: 'request.refused' }
    assert.equal(step.code, codes[seen])
    if (seen !== 'refused') return
    const of = through([closed], { http: { method: 'GET', path: path === '' ? '*' : path } })
    assert.deepEqual(decided(of), ['deny', 'gateway-400', 0, 'waypoint', 'request.refused'])
  })
}

/* The other way about is what is safe: an ALLOW lists what is known, and a path that is written otherwise is none of it. */
test('none of those that passes is let in by an ALLOW that lists the others', () => {
  const open = onService({ rules: [operation({ paths: ['/', '/x', '/public/*'] })] })
  for (const [path, seen] of rows) {
    if (seen !== 'passes' || ['/x?/admin', '/x#/admin', '/admin/..'].includes(path)) continue
    assert.equal(stepOf([open], { request: { path } }).code, 'authz.no-rule-allows', path)
  }
  assert.equal(stepOf([open], { request: { path: '/public/a' } }).code, 'authz.rule-allows')
})

test('a whole URL as the target is its host and its path (RFC 9112, 3.2.2); a method in lower case is none', () => {
  const host = onService({ rules: [operation({ hosts: ['dst.app'], paths: ['/a'] })] })
  const ask = (path: string, method = 'GET') => through([host], { http: { method, path, host: 'other' } })
  assert.equal(ask('http://dst.app/a').outcome, 'allow')
  assert.equal(ask('http://other/a').symptom, 'rbac-403')
  assert.equal(ask('/a').symptom, 'rbac-403')
  const lower = through([], { http: { method: 'get', path: '/' } })
  assert.deepEqual(decided(lower), ['deny', 'gateway-400', 0, 'waypoint', 'request.refused'])
})

test('what goes on is what was judged: the path is normalised', () => {
  const of = through([onService({ rules: [operation({ paths: ['/b'] })] })], {
    http: { method: 'GET', path: '/a/../b?c' },
  })
  assert.equal(of.outcome, 'allow')
})
