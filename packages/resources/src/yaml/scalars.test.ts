import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolvePlain, resolveTagged } from './scalars.js'

test('plain scalars mean what they mean to Kubernetes', () => {
  const table: [string, unknown][] = [
    ['on', true],
    ['Yes', true],
    ['y', true],
    ['off', false],
    ['NO', false],
    ['oN', 'oN'],
    ['', null],
    ['~', null],
    ['null', null],
    ['nil', 'nil'],
    ['8080', 8080],
    ['-1', -1],
    ['+1', 1],
    ['0', 0],
    ['-0', 0],
    ['0400', 256],
    ['0o400', 256],
    ['0888', 888], // no octal digit: a float to go-yaml, of the same value
    ['0x1F', 31],
    ['0b101', 5],
    ['1_000', 1000],
    ['1.5', 1.5],
    ['1e3', 1000],
    ['.5', 0.5],
    ['.5.', '.5.'],
    ['.inf', Number.POSITIVE_INFINITY],
    ['1.2.3', '1.2.3'],
    ['10.0.0.1', '10.0.0.1'],
    ['22:22', '22:22'], // no base 60
    ['2026-11-21', '2026-11-21'],
    ['100m', '100m'],
    ['-', '-'],
    ['1e', '1e'],
    ['0x', '0x'],
    ['true ', 'true '],
  ]
  for (const [source, value] of table) assert.deepEqual(resolvePlain(source), value, source)
})

test('a tag decides, and one that does not fit is refused', () => {
  const tag = (name: string) => `tag:yaml.org,2002:${name}`
  assert.equal(resolveTagged(tag('str'), '8080'), '8080')
  assert.equal(resolveTagged('!', 'on'), 'on')
  assert.equal(resolveTagged(tag('int'), '8080'), 8080)
  assert.equal(resolveTagged(tag('int'), 'x'), undefined)
  assert.equal(resolveTagged(tag('bool'), 'yes'), true)
  assert.equal(resolveTagged(tag('binary'), 'eA=='), undefined)
  assert.equal(resolveTagged('!custom', 'x'), undefined)
})

test('a long run of digits is bounded work', () => {
  assert.equal(resolvePlain('9'.repeat(100_000)), '9'.repeat(100_000))
})
