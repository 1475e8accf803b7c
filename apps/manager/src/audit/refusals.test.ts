import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Refusals } from './refusals.js'

test('so many of a kind, then one in a while, which says how many were left out; each kind for itself', () => {
  let now = 0
  const refusals = new Refusals({ burst: 3, everyMs: 1_000, now: () => now })
  const take = (kind: string, times: number) => Array.from({ length: times }, () => refusals.take(kind))
  assert.deepEqual(take('a', 5), [0, 0, 0, undefined, undefined])
  assert.deepEqual(take('b', 1), [0])
  now = 999
  assert.deepEqual(take('a', 1), [undefined])
  now = 1_000
  assert.deepEqual(take('a', 2), [3, undefined])
  now = 100_000
  assert.deepEqual(take('a', 4), [1, 0, 0, undefined], 'no more than the first so many are ever saved up')
})

test('whoever makes up kinds fills no memory: the oldest is forgotten', () => {
  const refusals = new Refusals({ burst: 1, now: () => 0 })
  refusals.take('first')
  refusals.take('second')
  assert.equal(refusals.take('first'), undefined)
  for (let n = 0; n < 9_999; n++) refusals.take(`other ${n}`)
  assert.equal(refusals.take('second'), 0, 'forgotten, as it was longer ago')
})
