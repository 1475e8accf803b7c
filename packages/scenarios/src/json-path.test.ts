import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compareThrough } from './compare.js'
import { parsePath, valueAt } from './json-path.js'
import { served } from './testing/samples.js'

describe('a JSON path', () => {
  it('is names and indexes', () => {
    assert.deepEqual(parsePath('a.b_c[0].d[12]'), ['a', 'b_c', 0, 'd', 12])
    assert.deepEqual(parsePath('[0]'), [0])
    for (const bad of ['', '.', 'a.', 'a..b', 'a[x]', 'a[', 'a b', '.a']) assert.equal(parsePath(bad), undefined, bad)
  })

  it('tells null from nothing, and does not climb into prototypes', () => {
    assert.deepEqual(valueAt({ a: [{ b: null }] }, 'a[0].b'), { found: true, value: null })
    for (const path of ['a[1]', 'a[0].c', 'a[0].b.c', 'constructor', 'a.length.x']) {
      assert.equal(valueAt({ a: [{ b: null }] }, path).found, false, path)
    }
  })
})

describe('what must arrive', () => {
  const body = JSON.stringify({ name: 'web-api', upstream_calls: [{ code: 200 }], error: 'x' })
  it('is compared by path', () => {
    const through = { json: { name: 'web-api', 'upstream_calls[0].code': 200 }, absent: ['upstream_calls[1]'] }
    assert.deepEqual(compareThrough(through, served(body)), [])
  })

  it('says each value that is another, or missing, and what should not be there', () => {
    const through = { json: { name: 'x', 'upstream_calls[0].code': '200', body: null }, absent: ['error'] }
    assert.deepEqual(compareThrough(through, served(body)), [
      'expected name to be "x", observed "web-api"',
      'expected upstream_calls[0].code to be "200", observed 200',
      'expected body to be null, observed nothing there',
      'expected no error, observed "x"',
    ])
  })

  it('says that it is no JSON', () => {
    assert.deepEqual(compareThrough({ json: { a: 1 } }, served('<html>')), ['expected JSON, observed <html>'])
  })
})
