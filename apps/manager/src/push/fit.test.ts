import assert from 'node:assert/strict'
import { test } from 'node:test'
import { intentSchema, MAX_EXPRESSIONS, MAX_INTENTS, MAX_SET_BYTES, readIntentSet } from '@bulkhead/intents'
import { Int32 } from 'mongodb'
import { intentsOf, strategyDoc } from '../reconcile/testing/documents.js'
import { pod } from '../testing/scheduling.js'
import { fitting } from './fit.js'

const many = (prefix: string, count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`${prefix}-${n}`, 'x'.repeat(60)]))

test('what a scheduler would refuse a whole set for is left out, with why, and the rest is sent', () => {
  const strategy = strategyDoc()
  const good = intentsOf(strategy, pod('good', 'web', 'node-1'))
  const bad = [
    ...intentsOf(strategy, pod('labels', 'web', 'node-1', 'shop', { labels: many('l', 200) })),
    // As the original let them in, which checked nothing.
    ...intentsOf(strategyDoc({ priority: new Int32(99) }), pod('priority', 'web', 'node-1')),
    ...intentsOf(strategyDoc({ commandRegex: '(?=x)' }), pod('regex', 'web', 'node-1')),
  ]
  const { intents, left, leftOut, unsent } = fitting([...bad, ...good])
  assert.deepEqual(
    intents.map(({ podName }) => podName),
    ['good'],
  )
  assert.deepEqual(unsent, [good[0]?._id])
  assert.equal(leftOut, 3)
  assert.match(
    left.join('\n'),
    /shop\/labels: podLabels .*\nshop\/priority: priority .*\nshop\/regex: commandRegex is no RE2/,
  )
})

test('of more than a set may hold, the oldest are in it, always the same, and a scheduler takes them', () => {
  const strategies = Array.from({ length: MAX_EXPRESSIONS + 5 }, (_, n) => strategyDoc({ commandRegex: `^p${n}$` }))
  const expressions = strategies.flatMap((each) => intentsOf(each, pod('a', 'web', 'node-1')))
  const some = fitting([...expressions].reverse())
  assert.deepEqual([some.intents.length, some.leftOut], [MAX_EXPRESSIONS, 5])
  assert.deepEqual(some.intents[0]?.commandRegex, '^p0$')

  const strategy = strategyDoc()
  const pods = Array.from({ length: MAX_INTENTS + 3 }, (_, n) => pod(`p-${n}`, 'web', 'n', 'shop', { labels: {} }))
  assert.deepEqual([fitting(intentsOf(strategy, ...pods)).leftOut], [3])

  const wide = many('label', 120)
  const heavy = Array.from({ length: 1_200 }, (_, n) => pod(`p-${n}`, 'web', 'n', 'shop', { labels: wide }))
  const { intents, leftOut } = fitting(intentsOf(strategy, ...heavy))
  const bytes = Buffer.byteLength(JSON.stringify({ version: Number.MAX_SAFE_INTEGER, intents }))
  assert.ok(leftOut > 0 && bytes <= MAX_SET_BYTES && bytes > MAX_SET_BYTES * 0.98, `${leftOut} ${bytes}`)
  assert.ok(intents.every((intent) => intentSchema.safeParse(intent).success))
  assert.ok('version' in readIntentSet({ version: 1, intents }))
})
