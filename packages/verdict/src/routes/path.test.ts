import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { answer, ask, gateway, route, to } from '../testing/routes.js'
import { normalizePath, splitPath } from './path.js'

test('as BASE has it: dot segments, backslashes, and escapes of unreserved characters, once', () => {
  const table: [written: string, path: string | undefined][] = [
    ['/', '/'],
    ['', '/'],
    ['/a/b', '/a/b'],
    ['/a.b/.c', '/a.b/.c'],
    ['/a/../b', '/b'],
    ['/a/./b', '/a/b'],
    ['/a/b/..', '/a/'],
    ['/a/b/.', '/a/b/'],
    ['/..', '/'],
    ['/../../a', '/a'],
    ['/.../a', '/.../a'],
    ['/public/./data/abc/../xyz', '/public/data/xyz'],
    ['\\da', '/da'],
    ['/some\\data', '/some/data'],
    ['/a\\..\\b', '/b'],
    // Escapes.
    ['/%61%62%63', '/abc'],
    ['/%2e%2e/a', '/a'],
    ['/a/%2E./b', '/b'],
    ['/%7Ea%5F%2d%2D9', '/~a_--9'],
    ['/%41%39', '/A9'],
    ['/some%2fdata', '/some%2fdata'],
    ['/some%2Fdata/%61%62%63', '/some%2Fdata/abc'],
    ['/a%5cb', '/a%5cb'],
    ['/%20%3f%C3%A9', '/%20%3f%C3%A9'],
    // Once only: what an escape hides is not looked into again.
    ['/%2561', '/%2561'],
    ['/%252e%252e/a', '/%252e%252e/a'],
    ['/%%361', '/%2561'],
    ['/%6%31', '/%2561'],
    ['/100%', '/100%'],
    ['/%zz', '/%zz'],
    // Slashes in a row stay, and an empty segment is one.
    ['/a//b', '/a//b'],
    ['//a', '//a'],
    ['/a//../b', '/a/b'],
    // Rejected by Istio with 400.
    ['/%00', undefined],
    ['/a%00b/../c', undefined],
    // No path at all: one is put in front, as for OPTIONS *.
    ['*', '/*'],
  ]
  for (const [written, path] of table) assert.equal(normalizePath(written), path, written)
})

test('the query is kept as it is, and is no part of the path', () => {
  assert.deepEqual(splitPath('/a/../b?c=%61/../d?e#f'), { path: '/b', query: '?c=%61/../d?e' })
  assert.deepEqual(splitPath('/a'), { path: '/a', query: '' })
  assert.deepEqual(splitPath('/a?'), { path: '/a', query: '?' })
})

test('a path that is normal stays so', () => {
  const part = fc.constantFrom('/', 'a', '.', '..', '%2e', '%2F', '%61', '%', '%%', '6', '1', '\\', '%25', '~', '%00')
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const once = normalizePath(`/${parts.join('')}`)
      if (once === undefined) return
      assert.ok(once.startsWith('/'))
      assert.equal(normalizePath(once), once)
      assert.ok(!once.split('/').some((segment) => segment === '.' || segment === '..'))
    }),
    { numRuns: 2000 },
  )
})

test('a request is matched by its normal path, and sent on with it', () => {
  const resources = [
    gateway('shop/front'),
    route('shop/r', { rules: [to('a', { matches: [{ path: { type: 'Exact', value: '/admin' } }] }), to('b')] }),
  ]
  for (const path of ['/admin', '/x/../admin', '/%61dmin', '/.\\admin?q=/../x']) {
    const decision = ask(resources, { path })
    assert.equal(answer(decision), 'a', path)
    assert.equal(decision.kind === 'forward' && decision.request.path, `/admin${path.slice(path.indexOf('?') >>> 0)}`)
  }
  // Another path to every proxy here, whatever the application makes of it.
  for (const path of ['//admin', '/admin%2F', '/Admin', '/admin/'])
    assert.equal(answer(ask(resources, { path })), 'b', path)
  assert.equal(answer(ask(resources, { path: '/%00' })), '404')
})
