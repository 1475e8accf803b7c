import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sourcePorts } from './source-ports.js'

test('one port after another of those that Linux takes, and then from the first again', () => {
  const next = sourcePorts()
  const all = Array.from({ length: 60_999 - 32_768 + 1 }, next)
  assert.deepEqual([all[0], all[1], all.at(-1)], [32_768, 32_769, 60_999])
  assert.equal(new Set(all).size, all.length)
  assert.equal(next(), 32_768)
  assert.equal(sourcePorts()(), 32_768, 'each mesh has its own')
})
