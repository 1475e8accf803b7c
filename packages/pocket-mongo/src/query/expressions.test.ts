import assert from 'node:assert/strict'
import { test } from 'node:test'
import { results } from '../contract/testing/expressions.js'
import { MongoError } from '../errors.js'
import { Budget } from './budget.js'
import { refused, refusedAccumulators } from './expressions/refused.js'
import { compileExpression, knownExpressions } from './expressions.js'
import { group } from './pipeline/group.js'
import { stageNamed } from './pipeline/stages.js'
import { compileRegex } from './regex.js'
import { readSort } from './sort.js'

const failure = (work: () => unknown): MongoError | undefined => {
  try {
    work()
  } catch (error) {
    if (error instanceof MongoError) return error
    throw error
  }
  return undefined
}

test('every expression that is answered is in the contract suite', () => {
  const held = Object.keys(results).filter((name) => name.startsWith('$'))
  assert.deepEqual(held.toSorted(), [...knownExpressions].toSorted())
})

test('what MongoDB has and this server has not is 238, what nobody has 168', () => {
  for (const name of refused) assert.equal(failure(() => compileExpression({ [name]: ['$a'] }))?.code, 238, name)
  assert.deepEqual(
    knownExpressions.filter((name) => refused.has(name)),
    [],
  )
  assert.equal(failure(() => compileExpression({ $frobnicate: 1 }))?.code, 168)
  assert.equal(
    failure(() => compileExpression({ $abs: '$a' })),
    undefined,
  )
})

test('what would be computed wrong is refused: time zones, Decimal128, doubles as strings', () => {
  const code = (expression: unknown) => failure(() => compileExpression(expression)({ d: 0.5, at: new Date(0) }))?.code
  assert.equal(code({ $toString: '$d' }), 238)
  assert.equal(code({ $toUpper: '$d' }), 238)
  assert.equal(code({ $year: { date: '$at', timezone: 'Asia/Taipei' } }), 238)
  assert.equal(code({ $dateToString: { date: '$at', timezone: 'Asia/Taipei' } }), 238)
  assert.equal(code({ $dateToString: { date: '$at', format: '%j' } }), 238)
  assert.equal(code({ $filter: { input: [1], cond: true, limit: 1 } }), 238)
  assert.equal(code({ $dateToString: { date: '$at' } }), undefined)
})

test('likewise accumulators, stages, options of regular expressions and the order of the disk', () => {
  for (const name of refusedAccumulators)
    assert.equal(failure(() => group({ _id: null, a: { [name]: '$a' } }, [], {}, new Budget()))?.code, 238, name)
  for (const name of ['$bucket', '$bucketAuto', '$redact', '$out', '$setWindowFields'])
    assert.equal(failure(() => stageNamed(name))?.code, 238, name)
  assert.equal(failure(() => stageNamed('$frobnicate'))?.code, 40324)
  assert.equal(failure(() => compileRegex('a', 'x'))?.code, 51091)
  assert.equal(
    failure(() => compileRegex('a', 'i')),
    undefined,
  )
  assert.equal(failure(() => readSort({ $natural: 1 }))?.code, 238)
  assert.equal(failure(() => readSort({ $a: 1 }))?.code, 2)
})
