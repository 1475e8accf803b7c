import assert from 'node:assert/strict'
import { test } from 'node:test'
import { service } from '../testing/objects.js'
import { compile } from './compile.js'

const snapshot = compile([service('shop/web-api'), service('demo/postgres'), service('shop/example')])

function answer(name: string, namespace = 'shop'): string {
  const found = snapshot.resolveName(name, namespace)
  return found.kind === 'service' ? `${found.service.key} as ${found.name}` : `${found.kind} ${found.name}`
}

const full = 'shop/web-api as web-api.shop.svc.cluster.local'

test('every form of a Service name leads to it', () => {
  for (const name of [
    'web-api',
    'web-api.shop',
    'web-api.shop.svc',
    'web-api.shop.svc.cluster.local',
    'web-api.shop.svc.cluster.local.',
    'Web-API.Shop',
  ]) {
    assert.equal(answer(name), full, name)
  }
})

test('a short name belongs to the namespace of the caller', () => {
  assert.equal(answer('postgres'), 'none postgres')
  assert.equal(answer('postgres', 'demo'), 'demo/postgres as postgres.demo.svc.cluster.local')
  assert.equal(answer('postgres.demo'), 'demo/postgres as postgres.demo.svc.cluster.local')
})

test('a trailing dot makes a name absolute: no search domain is tried', () => {
  assert.equal(answer('web-api.'), 'none web-api')
  assert.equal(answer('web-api.shop.'), 'external web-api.shop')
})

test('with five dots a name is tried as it is first, with fewer under the search domains', () => {
  assert.equal(answer('api.github.com'), 'external api.github.com')
  assert.equal(answer('a.b.c.d.e.example'), 'external a.b.c.d.e.example')
  // Two labels: `example.shop` is asked as example.shop.svc.cluster.local before the Internet is.
  assert.equal(answer('example.shop'), 'shop/example as example.shop.svc.cluster.local')
})

test("a name under the cluster's domain that nobody has does not exist", () => {
  for (const name of [
    'nobody',
    'nobody.shop.svc',
    'nobody.shop.svc.cluster.local',
    'web-api.nowhere.svc.cluster.local',
  ]) {
    assert.match(answer(name), /^none /, name)
  }
})
