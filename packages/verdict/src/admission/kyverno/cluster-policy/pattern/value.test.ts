import assert from 'node:assert/strict'
import { test } from 'node:test'
import { valueMatches } from './value.js'

/*
 * One value against one of a pattern; what Kyverno's own tests of patterns ask, and what is at their edges.
 */

type Row = readonly [value: unknown, pattern: unknown, fits: boolean]

const groups: Readonly<Record<string, readonly Row[]>> = {
  'wildcards stand for the whole text': [
    ['10.100.11.54', '192.168.88.1 | 10.100.11.*', true],
    ['10.100.12.54', '192.168.88.1 | 10.100.11.*', false],
    ['nginx:latest', '*:latest', true],
    ['nginx:latest-1', '*:latest', false],
    ['', '*', true],
    ['', '?*', false],
    ['a', '?*', true],
    ['🙂', '?', true],
    ['*', '\\*', false],
  ],
  'terms: one of those between |, and of such a one each between &': [
    ['10', '>1 & <20', true],
    ['21', '>1 & <20 | >31 & <33', false],
    ['32', '>1 & <20 | >31 & <33', true],
    ['a|b', 'a|b', true],
    ['a & b', 'a & b', true],
    [true, 'true', true],
    [false, '!true', true],
  ],
  'ranges hold their ends': [
    [0, '0-2', true],
    [2, '0-2', true],
    [3, '0-2', false],
    [15, '10!-20', false],
    [10, '10!-20', false],
    [25, '10!-20', true],
    [-9, '-10-8', true],
    [9, '-10--8', false],
    ['256Mi', '128Mi-512Mi', true],
    ['1Gi', '128Mi-512Mi', false],
    ['90s', '1m-2m', true],
    ['10-20', '10-20', true],
  ],
  'quantities and durations by their size': [
    ['1024Mi', '1Gi', true],
    ['0.2', '200m', true],
    ['1G', '<1Gi', true],
    ['500m', '>= 0.5', true],
    ['1Gi', '>1000Mi', true],
    ['60s', '1m', true],
    ['12s', '<15s', true],
    ['abc', '>1', false],
    ['abc', '<1', false],
    [1.5, '1500m', true],
  ],
  'a missing value is 0 where it is measured, and nothing elsewhere': [
    [undefined, '<10', true],
    [null, '>10', false],
    [undefined, '0', true],
    [undefined, '!x', false],
    [undefined, '*', false],
  ],
  'the null pattern is nothing at all': [
    [null, null, true],
    [0, null, true],
    ['', null, true],
    [false, null, true],
    ['x', null, false],
    [1, null, false],
    [{}, null, false],
  ],
  'numbers and truth values of a pattern': [
    [8, 8, true],
    ['8', 8, true],
    ['8.1', 8, false],
    ['8.1', 8.1, true],
    [8.1, 8, false],
    [false, 8, false],
    [true, true, true],
    ['true', true, false],
    [null, false, false],
    ['9007199254740993', 9007199254740992, false],
  ],
}

for (const [what, rows] of Object.entries(groups))
  test(what, () => {
    for (const [value, pattern, fits] of rows)
      assert.equal(valueMatches(value, pattern), fits, `${JSON.stringify(value)} against ${JSON.stringify(pattern)}`)
  })
