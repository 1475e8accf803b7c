import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import type { LabelSelectorRequirement } from './kinds.js'
import { labelsMatch, selectorMatches } from './selectors.js'

test('matchLabels and matchExpressions must all hold; an empty selector selects everything', () => {
  const labels = { app: 'web-api', version: 'v1' }
  assert.equal(selectorMatches({}, labels), true)
  assert.equal(selectorMatches({}, {}), true)
  assert.equal(selectorMatches({ matchLabels: { app: 'web-api' } }, labels), true)
  assert.equal(selectorMatches({ matchLabels: { app: 'web-api', tier: 'front' } }, labels), false)
  assert.equal(
    selectorMatches(
      { matchLabels: { app: 'web-api' }, matchExpressions: [{ key: 'version', operator: 'In', values: ['v2'] }] },
      labels,
    ),
    false,
  )
})

test('NotIn and DoesNotExist also select where the label is missing', () => {
  const table: [LabelSelectorRequirement, Record<string, string>, boolean][] = [
    [{ key: 'a', operator: 'In', values: ['1', '2'] }, { a: '2' }, true],
    [{ key: 'a', operator: 'In', values: ['1', '2'] }, {}, false],
    [{ key: 'a', operator: 'NotIn', values: ['1'] }, { a: '1' }, false],
    [{ key: 'a', operator: 'NotIn', values: ['1'] }, { a: '2' }, true],
    [{ key: 'a', operator: 'NotIn', values: ['1'] }, {}, true],
    [{ key: 'a', operator: 'Exists' }, { a: '' }, true],
    [{ key: 'a', operator: 'Exists' }, {}, false],
    [{ key: 'a', operator: 'DoesNotExist' }, {}, true],
    [{ key: 'a', operator: 'DoesNotExist' }, { a: '' }, false],
  ]
  for (const [requirement, labels, expected] of table) {
    assert.equal(
      selectorMatches({ matchExpressions: [requirement] }, labels),
      expected,
      JSON.stringify([requirement, labels]),
    )
  }
})

test('names that every object has are no labels', () => {
  assert.equal(selectorMatches({ matchExpressions: [{ key: 'toString', operator: 'Exists' }] }, {}), false)
  assert.equal(labelsMatch({ constructor: 'x' }, {}), false)
})

test('the module imports nothing, so that a browser can load it', async () => {
  const code = await readFile(new URL('./selectors.js', import.meta.url), 'utf8')
  assert.doesNotMatch(code, /\bimport\b|\brequire\(/)
})
