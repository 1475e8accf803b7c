import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Budget } from '../limits.js'
import { operatorHolds } from './operators.js'

/* The operators of conditions, by what Kyverno's own tests ask of them and what is at their edges. */

type Row = readonly [key: unknown, operator: string, value: unknown, holds: boolean]

const groups: Readonly<Record<string, readonly Row[]>> = {
  'Equals: of one kind, or by what they measure': [
    ['a', 'Equals', 'a', true],
    ['abc', 'Equals', 'a*', true],
    ['a*', 'Equals', 'abc', false],
    ['1Gi', 'Equals', '1024Mi', true],
    ['1h', 'Equals', '60m', true],
    ['1h', 'Equals', 3600, true],
    [3600, 'Equals', '1h', false],
    [1, 'Equals', '1', true],
    [1.5, 'Equals', '1.5', true],
    ['1', 'Equals', 1, false],
    [true, 'Equals', true, true],
    [true, 'Equals', 'true', false],
    [['a', 'b'], 'Equals', ['a', 'b'], true],
    [['a', 'b'], 'Equals', ['b', 'a'], false],
    [{ a: { b: 1 } }, 'Equal', { a: { b: 1 } }, true],
    [{ a: 1 }, 'Equals', { a: 1, b: 2 }, false],
    [null, 'Equals', null, false],
  ],
  'NotEquals is the other way round, but of nothing': [
    ['a', 'NotEquals', 'b', true],
    ['a', 'NotEqual', 'a', false],
    ['1Gi', 'NotEquals', 'x', true],
    [[1], 'NotEquals', 'x', true],
    [null, 'NotEquals', 'x', false],
  ],
  'In and its kin of one value': [
    ['a', 'AnyIn', ['b', 'a'], true],
    ['a', 'In', ['b', 'a*'], true],
    ['a*', 'AnyIn', ['abc'], true],
    ['a', 'AllIn', 'a', true],
    ['a', 'AnyIn', '["a", "b"]', true],
    ['c', 'AnyNotIn', '["a", "b"]', true],
    [5, 'AnyIn', '1-10', true],
    [50, 'AnyNotIn', '1-10', true],
    [5, 'AllNotIn', ['5'], false],
    [5, 'NotIn', ['6'], true],
    ['a', 'AnyIn', { a: 1 }, false],
    ['a', 'AnyNotIn', { a: 1 }, false],
    [null, 'AnyIn', ['x'], false],
    [null, 'AllNotIn', ['x'], false],
    ['x', 'In', 'no json', false],
    ['x', 'NotIn', 'no json', false],
    ['x', 'AnyNotIn', 'no json', true],
  ],
  'and of several': [
    [['a', 'b'], 'AnyIn', ['b', 'c'], true],
    [['a', 'b'], 'AllIn', ['b', 'c'], false],
    [['a', 'b'], 'AllIn', ['*'], true],
    [['a', 'b'], 'AnyNotIn', ['b', 'c'], true],
    [['a', 'b'], 'AllNotIn', ['b', 'c'], false],
    [['a', 'b'], 'AllNotIn', ['c'], true],
    [['a'], 'AllIn', 'a', true],
    [['a'], 'AnyIn', 'a', true],
    [['a'], 'AnyNotIn', 'a', false],
    [['a'], 'AllNotIn', 'a', false],
    [[1, 5], 'AnyIn', '4-9', true],
    [[1, 5], 'AllIn', '4-9', false],
    [[1, 5], 'AnyNotIn', '4-9', true],
    [[1, 2], 'AllNotIn', '4-9', true],
    [['a', 'b'], 'In', ['a', 'b', 'c'], true],
    [['a', 'b'], 'In', ['a', '*'], false],
    [['a', 'b'], 'NotIn', ['a'], true],
    [['a', 'b'], 'NotIn', ['a', 'b'], false],
    // Kyverno has it so for both.
    [['a'], 'In', 'a', true],
    [['a'], 'NotIn', 'a', true],
    [[1], 'AnyIn', 1, true],
    [[1], 'AllIn', 1, false],
    [[], 'AllIn', ['x'], true],
    [[], 'AnyIn', ['x'], false],
  ],
  'greater and less: numbers, quantities, durations, versions': [
    [10, 'GreaterThan', 9, true],
    [10, 'GreaterThan', 10, false],
    [10, 'GreaterThanOrEquals', '10', true],
    [10, 'LessThanOrEquals', 10, true],
    [10, 'LessThan', 10, false],
    [9, 'GreaterThan', 10, false],
    ['10', 'LessThan', 10.5, true],
    ['1Gi', 'GreaterThan', '1000Mi', true],
    ['1h', 'LessThanOrEquals', '60m', true],
    ['1h', 'GreaterThan', 3599, true],
    ['1.10.0', 'GreaterThan', '1.9.0', true],
    ['1.0.0-rc', 'LessThan', '1.0.0', true],
    ['abc', 'LessThan', 'abd', false],
    [null, 'LessThan', 1, false],
    [1, 'LessThan', 'x', false],
  ],
  'the older operators for durations': [
    ['1h', 'DurationGreaterThan', '59m', true],
    ['1h', 'DurationLessThanOrEquals', 3600, true],
    [60, 'DurationLessThan', '2m', true],
    [60, 'DurationGreaterThanOrEquals', '1m', true],
    ['x', 'DurationGreaterThan', '1m', false],
  ],
}

for (const [what, rows] of Object.entries(groups))
  test(what, () => {
    for (const [key, operator, value, holds] of rows)
      assert.equal(
        operatorHolds(operator, key, value, new Budget()),
        holds,
        `${JSON.stringify(key)} ${operator} ${JSON.stringify(value)}`,
      )
  })

test('an operator that is none, also one named like a property of every object', () => {
  assert.equal(operatorHolds('Like', 1, 1, new Budget()), undefined)
  assert.equal(operatorHolds('constructor', 1, 1, new Budget()), undefined)
})
