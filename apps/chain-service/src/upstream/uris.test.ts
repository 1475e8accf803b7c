import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readUpstreams, target } from './uris.js'

const called = (uri: string, requestUrl: string, append = true) =>
  readUpstreams(uri).map((upstream) => target(upstream, requestUrl, append).path)[0]

test('the path and the query of the caller go behind those of the upstream', () => {
  const rows: readonly (readonly [string, string, string])[] = [
    ['http://a', '/', '/'],
    ['http://a', '/x?y=1', '/x?y=1'],
    ['http://a/', '/x', '/x'],
    ['http://a/base', '/x', '/base/x'],
    ['http://a/base/?k=1', '/x?y=1', '/base/x?k=1&y=1'],
    ['http://a/base', '/x?', '/base/x'],
    ['http://a', '//x//y', '//x//y'],
    ['http://a/base', '*', '/base'],
    ['http://a', 'http://elsewhere/x?y=1', '/x?y=1'],
  ]
  for (const [uri, requestUrl, path] of rows) assert.equal(called(uri, requestUrl), path, `${uri} ${requestUrl}`)
})

test('without appending, the upstream is called as it is written', () => {
  assert.equal(called('http://a/base/?k=1', '/x?y=1', false), '/base/?k=1')
  assert.equal(called('http://a', '/x', false), '/')
})
