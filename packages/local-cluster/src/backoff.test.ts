import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Backoff } from './backoff.js'

test('the first restart is at once, the next ones wait ever longer up to a cap, and a stable run forgets', () => {
  const backoff = new Backoff()
  const waits = Array.from({ length: 9 }, () => backoff.after(0))
  assert.deepEqual(waits, [0, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
  assert.equal(backoff.after(9_999), 30_000)
  assert.equal(backoff.after(10_000), 0)
  assert.equal(backoff.after(0), 1000)
})
