import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parse } from 'yaml'
import { goYaml } from './go-yaml.js'

test('keys sorted, quotes only where they are needed, as Go writes them', () => {
  const rows: [text: string, written: string][] = [
    ['plain text', 'plain text'],
    ['validation error: no', "'validation error: no'"],
    ["it's: so", "'it''s: so'"],
    ["it's so", "it's so"],
    ['', '""'],
    ['true', '"true"'],
    ['no', '"no"'],
    ['12', '"12"'],
    ['1.5', '"1.5"'],
    ['1:20', '"1:20"'],
    ['1.5.0', '1.5.0'],
    ['2026-01-02', '"2026-01-02"'],
    ['- a', "'- a'"],
    ['a #b', "'a #b'"],
    ['a:', "'a:'"],
    ['*', "'*'"],
    [' a', "' a'"],
    ['two\nlines', '|-\n    two\n    lines'],
    ['two\nlines\n', '|\n    two\n    lines'],
  ]
  for (const [text, written] of rows) assert.equal(goYaml({ p: { r: text } }), `p:\n  r: ${written}\n`, text)
  assert.equal(goYaml({ b: { z: '1x', a: '2x' }, a: {} }), 'a:\nb:\n  a: 2x\n  z: 1x\n')
})

test('whatever the words are, they are read back as they were', () => {
  const text = fc.string({ unit: fc.constantFrom(...'ab:#-\'"\n {}[]&*!|>%@`,?~0.'), maxLength: 12 })
  fc.assert(
    fc.property(text, (message) => {
      const read: unknown = parse(goYaml({ policy: { rule: message } }))
      assert.deepEqual(read, { policy: { rule: message } })
    }),
  )
})
