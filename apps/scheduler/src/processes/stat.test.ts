import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anyText } from '@bulkhead/testing/text'
import fc from 'fast-check'
import { statLine } from '../testing/proc-tree.js'
import { readStat } from './stat.js'

test('D6: the command may hold blanks, parentheses and newlines, and look like the rest of the line', () => {
  for (const comm of ['nginx', 'Web Content', 'a) S 99 (b', '((', '))', ' ', '', 'a\nb', ') R 1 1', 'tmux: server'])
    assert.deepEqual(readStat(statLine(77, comm, 42, 123_456)), { ppid: 42, startTime: '123456' }, JSON.stringify(comm))
  fc.assert(
    fc.property(anyText({ maxLength: 15 }), fc.nat(), fc.nat(), (comm, ppid, start) => {
      assert.deepEqual(readStat(statLine(1, comm, ppid, start)), { ppid, startTime: String(start) })
    }),
  )
})

test('what is no such line is told from one', () => {
  for (const text of [
    '',
    'x',
    '1 (a',
    '1 a) S 2',
    '(a) S 2',
    '1 (a)',
    '1 (a) S',
    '1 (a) S x',
    '1 (a) S -2',
    '1 (a) S 1e99',
  ])
    assert.equal(readStat(text), undefined, text)
})
