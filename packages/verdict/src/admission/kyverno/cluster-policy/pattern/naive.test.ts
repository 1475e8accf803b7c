import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { naiveAsks, naivePattern } from '../../../../testing/naive-pattern.js'
import { Budget } from '../limits.js'
import { matchPattern } from './match-pattern.js'

/*
 * The engine against patterns read from their description alone.
 */

const name = fc.constantFrom('a', 'b', 'c')
const plain = fc.constantFrom('x', 'xy', 'y', 1, 2, true, false, '')
const wanted = fc.constantFrom('x', 'x*', '?y', '*', '?*', 1, true, null)
const sign = fc.constantFrom('', '', '', '()', '=()', '^()', 'X()', '<()')

const { object } = fc.letrec<{ object: object; value: unknown }>((tie) => ({
  object: fc.dictionary(name, tie('value'), { maxKeys: 3 }),
  value: fc.oneof({ maxDepth: 3, depthSize: 'small' }, plain, tie('object'), fc.array(tie('object'), { maxLength: 3 })),
}))

const { pattern } = fc.letrec<{ pattern: object; value: unknown }>((tie) => ({
  pattern: fc
    .array(fc.tuple(sign, name, tie('value')), { minLength: 1, maxLength: 3 })
    .map((keys) => Object.fromEntries(keys.map(([of, key, value]) => keyed(of, key, value)))),
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    wanted,
    tie('pattern'),
    fc.array(tie('pattern'), { minLength: 1, maxLength: 2 }),
  ),
}))

/** An existence anchor is about lists of objects; Kyverno refuses a policy where it is not. */
function keyed(of: string, key: string, value: unknown): readonly [string, unknown] {
  if (of === '') return [key, value]
  const anchored = `${of.slice(0, -2)}(${key})`
  return [anchored, of === '^()' ? (Array.isArray(value) ? value : [{ a: 'x' }]) : value]
}

test('the engine answers as its description does', () => {
  const seen = { pass: 0, fail: 0, skip: 0, error: 0 }
  fc.assert(
    fc.property(object, pattern, (value, of) => {
      const { outcome } = matchPattern(value, of, new Budget())
      seen[outcome]++
      // Of a failure Kyverno says that it is an error when no object has had the key of some anchor until then.
      if (outcome === 'error') assert.ok(naiveAsks(of), 'an anchor that asks for a key')
      assert.equal(outcome === 'error' ? 'fail' : outcome, naivePattern(value, of))
    }),
    { numRuns: 4_000 },
  )
  for (const [outcome, count] of Object.entries(seen)) assert.ok(count > 20, `${outcome}: ${count} times`)
})
