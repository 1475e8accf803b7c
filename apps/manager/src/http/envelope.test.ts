import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { timestampOf, toJson } from './envelope.js'

test('1.2 law: what is written is the value, on one line, and holds nothing that HTML would read', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = toJson(value)
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)))
      assert.match(text, /^[^<>&\n\u2028\u2029]*\n$/)
    }),
  )
})

test('1.16 times are cut to whole seconds', () => {
  assert.equal(timestampOf(Date.UTC(2025, 11, 30, 13, 9, 10, 999)), '2025-12-30T13:09:10Z')
})
