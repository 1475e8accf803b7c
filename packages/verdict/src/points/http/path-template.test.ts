import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isTemplate, templateTest } from './path-template.js'

/* The examples of Istio's reference (AuthorizationPolicy, operation.paths), and semantics C.6. */

test('one segment, any number of them, and what a template does not match', () => {
  const rows: [string, readonly string[], readonly string[]][] = [
    [
      '/foo/{*}',
      ['/foo/bar', '/foo/%41', '/foo/a.b-c_d~e'],
      ['/foo/bar/baz', '/foo/', '/foo', '/foo/a"b', '/x/foo/bar'],
    ],
    ['/foo/{**}/', ['/foo/bar/', '/foo//', '/foo/a/b/'], ['/foo/bar', '/foo/']],
    [
      '/foo/{*}/bar/{**}',
      ['/foo/buzz/bar/', '/foo/buzz/bar/baz', '/foo/buzz/bar/a/b'],
      ['/foo/bar/baz', '/foo/buzz/bar'],
    ],
    ['/{**}', ['/', '/a', '/a/b/c'], ['']],
    ['/{*}/{*}', ['/a/b'], ['/a', '/a/b/c', '//b']],
    ['/a.b/{*}', ['/a.b/c'], ['/aXb/c']],
    ['/A/{*}', ['/A/b'], ['/a/b']],
  ]
  for (const [template, matching, other] of rows) {
    const matches = templateTest(template)
    assert.ok(matches, template)
    for (const path of matching) assert.equal(matches(path), true, `${template} ${path}`)
    for (const path of other) assert.equal(matches(path), false, `${template} ${path}`)
  }
})

test('what istiod refuses', () => {
  for (const template of [
    '/*/baz/{*}',
    '/**/baz/{*}',
    '/{**}/foo/{*}',
    '/foo/{*}.txt',
    '/{a}/{*}',
    '/{**}/{**}',
    '{*}',
  ]) {
    assert.equal(isTemplate(template), true, template)
    assert.equal(templateTest(template), undefined, template)
  }
  for (const plain of ['/foo/*', '/foo', '*', '/{foo}']) assert.equal(isTemplate(plain), false, plain)
})

test('a long path costs no more than its length', () => {
  const matches = templateTest('/a/{*}/{*}/b/{**}/c')
  const start = process.cpuUsage()
  assert.equal(matches?.(`/a/${'x/'.repeat(4000)}`), false)
  // Of the processor's time, whoever else wants it.
  assert.ok(process.cpuUsage(start).user < 5_000_000)
})
