import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyText } from './text.js'

test('any text is what fast-check makes of all characters, and gets as short when something is wrong with it', () => {
  const plain = fc.string({ unit: 'binary' })
  const sampled = (texts: fc.Arbitrary<string>) => fc.sample(texts, { numRuns: 2_000, seed: 41 })
  const made = sampled(anyText())
  assert.deepEqual(made, sampled(plain))
  assert.ok(made.some((text) => /prot|toStr|toLoc|__/.test(text)) && made.some((text) => /\p{Script=Han}/u.test(text)))
  assert.deepEqual(sampled(anyText({ maxLength: 3 })), sampled(fc.string({ unit: 'binary', maxLength: 3 })))

  const shortest = (texts: fc.Arbitrary<string>) =>
    fc.check(
      fc.property(texts, (text) => !/[^\0-\uffff]/u.test(text)),
      { seed: 41 },
    ).counterexample
  assert.deepEqual(shortest(anyText()), ['\u{10000}'])
  assert.deepEqual(shortest(plain), ['\u{10000}'])
})

test('of a text from elsewhere, what is shorter is found, too; half a character is none', () => {
  const texts = anyText()
  for (const text of ['', 'a', '\ud7ff\ue000', '\u{10ffff}é']) {
    assert.ok(texts.canShrinkWithoutContext(text), JSON.stringify(text))
  }
  assert.ok(!texts.canShrinkWithoutContext('\ud800'))
  assert.ok([...texts.shrink('ab', undefined)].length > 0)
})
