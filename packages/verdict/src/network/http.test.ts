import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CiliumHttpRule } from '@bulkhead/resources'
import { httpMatcher } from './http.js'

const request = {
  kind: 'http',
  method: 'GET',
  path: '/public?x=1',
  host: 'api.example.com',
  headers: { 'x-token': 'abc', 'x-empty': '' },
} as const

function matches(rule: CiliumHttpRule): boolean | 'unknown' {
  return httpMatcher(rule).matches(request)
}

test('expressions are for the whole of what they read, the path with its query', () => {
  assert.equal(matches({ path: '/public' }), false)
  assert.equal(matches({ path: '/public.*' }), true)
  assert.equal(matches({ path: '/public\\?x=\\d' }), true)
  assert.equal(matches({ method: 'GE' }), false)
  assert.equal(matches({ method: 'GET|POST', host: 'api.example.com' }), true)
  // A dot that is not escaped stands for anything.
  assert.equal(matches({ host: 'api.exampleXcom' }), false)
  assert.equal(matches({ host: 'apiXexample.com' }), false)
  assert.equal(matches({ host: 'api.example..om' }), true)
})

test('an item without anything is every request, and an empty text is not written', () => {
  assert.equal(matches({}), true)
  assert.equal(matches({ method: '', path: '' }), true)
})

test('headers: a name and its value, or that it is there; all of an item', () => {
  assert.equal(matches({ headers: ['X-Token: abc'] }), true)
  assert.equal(matches({ headers: ['X-Token: abcd'] }), false)
  assert.equal(matches({ headers: ['x-token'] }), true)
  assert.equal(matches({ headers: ['x-token', 'x-other'] }), false)
  assert.equal(matches({ headers: ['X-Token abc'] }), true)
  assert.equal(matches({ headers: ['constructor'] }), false)
  assert.equal(matches({ headers: ['host: api.example.com'] }), true)
})

test('headerMatches: a mismatch that has an action lets the request on, and a Secret keeps its value to itself', () => {
  assert.equal(matches({ headerMatches: [{ name: 'X-Token', value: 'no' }] }), false)
  assert.equal(matches({ headerMatches: [{ name: 'X-Token', value: 'abc' }] }), true)
  assert.equal(matches({ headerMatches: [{ name: 'X-Token' }] }), true)
  assert.equal(matches({ headerMatches: [{ name: 'X-None' }] }), false)
  assert.equal(matches({ headerMatches: [{ name: 'X-Token', value: 'no', mismatch: 'LOG' }] }), true)
  const secret = { name: 's', namespace: 'n' }
  assert.equal(matches({ headerMatches: [{ name: 'X-Token', secret }] }), 'unknown')
  assert.equal(matches({ path: '/other', headerMatches: [{ name: 'X-Token', secret }] }), false)
  assert.equal(matches({ headerMatches: [{ name: 'X-None', secret }] }), false)
})

test('how an item is written out, and one that is no expression', () => {
  assert.equal(httpMatcher({ method: 'GET', path: '/a', headers: ['X-Y'] }).text, 'GET /a with X-Y')
  assert.equal(httpMatcher({}).text, 'any request')
  assert.throws(() => httpMatcher({ path: '(' }))
})
