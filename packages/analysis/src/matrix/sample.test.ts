import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sampleOf } from './sample.js'

for (const [pattern, sample] of [
  ['/orders', '/orders'],
  ['/orders/[0-9]+', '/orders/0'],
  ['^/v[12]/(?:users|groups)/\\d{3}$', '/v1/users/111'],
  ['/a(b|c)*/d?', '/a/'],
  ['/[^/]+/x.y', '/a/xay'],
  ['/(?P<id>\\w{2,5})\\.json', '/aa.json'],
  ['/(?<id>a+?)', '/a'],
  ['.*', ''],
  ['a{0}b', 'b'],
  ['[\\]x]y', 'xy'],
] as const) {
  test(`${pattern} is matched by ${JSON.stringify(sample)}`, () => {
    assert.equal(sampleOf(pattern), sample)
    assert.match(sample, new RegExp(`^(?:${pattern.replace('?P<', '?<')})$`))
  })
}

test('an expression that cannot be read, or has no such text, has no sample', () => {
  for (const pattern of ['(', ')', 'a)', '[a', '\\', 'a(?=b)', '(?!a)', '(a)\\1', 'a{', '\\bx', '*', '[^\\s\\S]']) {
    assert.equal(sampleOf(pattern), undefined, pattern)
  }
})

test('whatever it finds is matched, and nothing makes it throw or hang', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[\\^$.|?*+()[\]{}a-c0-2/,:-]{0,24}$/), (pattern) => {
      const sample = sampleOf(pattern)
      if (sample !== undefined) assert.match(sample, new RegExp(`^(?:${pattern})$`))
    }),
    { numRuns: 2000 },
  )
})
