import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MAX_INTENTS, MAX_LABELS } from './limits.js'
import { readIntentSet } from './read-set.js'
import { anyIntent, intent } from './testing.js'

const problems = (value: unknown) => {
  const read = readIntentSet(value)
  if ('version' in read) assert.fail('it was taken')
  return read
}

test('a set as the manager sends it goes through unchanged', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1 }), fc.array(anyIntent), (version, intents) => {
      assert.deepEqual(readIntentSet({ version, intents }), { version, intents })
    }),
  )
  const most = { version: 1, intents: Array.from({ length: MAX_INTENTS }, () => intent()) }
  assert.deepEqual(readIntentSet(most), most)
})

test('what is wrong is told by its place, and whether it is of another type', () => {
  for (const version of [0, -1, 2 ** 53]) {
    assert.deepEqual(
      problems({ version, intents: [] }).map(({ field, type }) => [field, type]),
      [['version', false]],
    )
  }
  for (const version of ['1', null, undefined, {}])
    assert.deepEqual(
      problems({ version, intents: [] }).map(({ field, type }) => [field, type]),
      [['version', true]],
    )
  for (const value of [null, 7, 'x', []])
    assert.deepEqual(problems(value), [{ field: 'body', message: 'is no object', type: true }])
  for (const intents of [null, {}, 'x', undefined]) assert.equal(problems({ version: 1, intents })[0]?.field, 'intents')
  assert.equal(problems({ version: 1, intents: [null] })[0]?.field, 'intents[0]')
  const wrong = [intent(), intent({ priority: 99 }), { ...intent(), podLabels: { a: 7 } }]
  assert.deepEqual(
    problems({ version: 1, intents: wrong }).map(({ field, type }) => [field, type]),
    [
      ['intents[1].priority', false],
      ['intents[2].podLabels.a', true],
    ],
  )
})

test('of what is wrong a million times a page is told, and no more is looked at', () => {
  const seen: number[] = []
  const intents = Array.from({ length: MAX_INTENTS }, (_, index) =>
    Object.defineProperty({}, 'podName', {
      get() {
        seen.push(index)
        return index
      },
    }),
  )
  assert.equal(problems({ version: 1, intents }).length, 20)
  assert.ok(seen.length < 20, `${seen.length} looked at`)
  assert.deepEqual(problems({ version: 1, intents: [...intents, {}] }), [
    { field: 'intents', message: `holds more than ${MAX_INTENTS} intents`, type: false },
  ])
  const labels = Object.fromEntries(Array.from({ length: MAX_LABELS + 1 }, (_, at) => [`l${at}`, at]))
  assert.deepEqual(problems({ version: 1, intents: [{ podLabels: labels }] }), [
    { field: 'intents[0].podLabels', message: `has more than ${MAX_LABELS} labels`, type: false },
  ])
})

test('whatever JSON there is, it is taken or told of', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (value, other) => {
      for (const one of [
        value,
        { version: 1, intents: value },
        { version: 1, intents: [value, { ...intent(), podLabels: other }] },
      ]) {
        const read = readIntentSet(one)
        assert.ok('version' in read || read.length > 0)
      }
    }),
  )
})
