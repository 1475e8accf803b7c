import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Document } from 'bson'
import fc from 'fast-check'
import { Aggregator, Query, updateOne } from 'mingo'
import { Budget } from './budget.js'
import { compileFilter } from './filter.js'
import { group } from './pipeline/group.js'
import { compileUpdate } from './update/update.js'

/*
 * Held against mingo, which evaluates MongoDB's language over JavaScript's values and was written without a look at this:
 * where both know what is asked (no Long, no Decimal128, no order between types), both say the same. BULKHEAD_LONG=1 asks
 * more often; BULKHEAD_SEED repeats a run.
 */

const numRuns = process.env.BULKHEAD_LONG === '1' ? 100_000 : 1_500
const seed = process.env.BULKHEAD_SEED === undefined ? {} : { seed: Number(process.env.BULKHEAD_SEED) }

const int = fc.integer({ min: -3, max: 3 })
const word = fc.constantFrom('', 'x', 'y', 'xy', 'X')
const plain = fc.oneof(int, word, fc.boolean(), fc.constant(null))
const ints = fc.array(int, { maxLength: 3 })
const value = fc.oneof(
  { weight: 4, arbitrary: plain },
  ints,
  fc.record({ d: int }, { requiredKeys: [], noNullPrototype: true }),
)
const document = fc.record({ a: value, b: value, n: int, l: ints }, { requiredKeys: ['n', 'l'], noNullPrototype: true })
const path = fc.constantFrom('a', 'b', 'n', 'l', 'a.d', 'b.d')

const condition: fc.Arbitrary<unknown> = fc.oneof(
  plain,
  fc.record({ $eq: plain }),
  fc.record({ $ne: plain }),
  fc.record({ $in: fc.array(plain, { maxLength: 3 }) }),
  fc.record({ $nin: fc.array(plain, { maxLength: 3 }) }),
  fc.record({ $gt: int }),
  fc.record({ $gte: int }),
  fc.record({ $lt: fc.constantFrom('x', 'xy') }),
  fc.record({ $lte: int, $gt: int }),
  fc.record({ $exists: fc.boolean() }),
  fc.record({ $not: fc.record({ $gt: int }) }),
)
/** Of an array alone: of one value, and of paths through an empty array, mingo does not say what MongoDB does. */
const ofArrays: fc.Arbitrary<unknown> = fc.oneof(
  fc.record({ $size: fc.integer({ min: 0, max: 3 }) }),
  fc.record({ $all: fc.array(int, { minLength: 1, maxLength: 2 }) }),
  fc.record({ $elemMatch: fc.record({ $gte: int, $lt: int }) }),
)
const clause = fc
  .oneof({ weight: 3, arbitrary: fc.tuple(path, condition) }, fc.tuple(fc.constant('l'), ofArrays))
  .map(([key, wanted]): Document => ({ [key]: wanted }))
const filter: fc.Arbitrary<Document> = fc.oneof(
  { weight: 3, arbitrary: clause },
  fc.record({ $and: fc.array(clause, { minLength: 1, maxLength: 3 }) }),
  fc.record({ $or: fc.array(clause, { minLength: 1, maxLength: 3 }) }),
  fc.record({ $nor: fc.array(clause, { minLength: 1, maxLength: 3 }) }),
)

test('filters: the same documents match', () => {
  let [matched, asked] = [0, 0]
  fc.assert(
    fc.property(filter, fc.array(document, { minLength: 1, maxLength: 6 }), (wanted, documents) => {
      const ours = documents.map(compileFilter(wanted))
      const theirs = new Query(wanted)
      assert.deepEqual(
        ours,
        documents.map((one) => theirs.test(one)),
      )
      matched += ours.filter(Boolean).length
      asked += ours.length
    }),
    { numRuns, ...seed },
  )
  assert.ok(matched > asked / 10 && matched < (asked * 9) / 10, `${matched} of ${asked} matched`)
})

const change: fc.Arbitrary<Document> = fc.oneof(
  fc.record({ $set: fc.record({ a: value, 'b.d': int }, { requiredKeys: ['a'] }) }),
  fc.record({ $unset: fc.constantFrom({ a: '' }, { b: '' }, { 'b.d': '' }) }),
  fc.record({ $inc: fc.record({ n: int }) }),
  fc.record({ $mul: fc.record({ n: int }) }),
  fc.record({ $min: fc.record({ n: int }) }),
  fc.record({ $max: fc.record({ n: int }) }),
  fc.record({ $push: fc.record({ l: fc.oneof(int, fc.record({ $each: ints })) }) }),
  fc.record({ $addToSet: fc.record({ l: fc.oneof(int, fc.record({ $each: ints })) }) }),
  fc.record({ $pull: fc.record({ l: fc.oneof(int, fc.record({ $gte: int })) }) }),
  fc.record({ $pop: fc.record({ l: fc.constantFrom(1, -1) }) }),
  fc.record({ $rename: fc.constantFrom({ n: 'm' }) }),
)
/** `b.d` leads into a document, or into nothing; of a list that has a value twice mingo's $addToSet would drop one. */
const changeable = fc.record(
  { a: value, b: fc.record({ d: int }), n: int, l: fc.uniqueArray(int, { maxLength: 3 }) },
  { requiredKeys: ['n', 'l'] },
)

test('updates: the same document comes of it', () => {
  let changed = 0
  fc.assert(
    fc.property(change, changeable, (how, before) => {
      const refused = () => {
        throw new RangeError('no pipeline was given')
      }
      const ours = compileUpdate(how, { pipeline: refused })(before)
      const theirs = [structuredClone(before)]
      updateOne(theirs, {}, how)
      // Both may write -0 for an int; BSON's int has none.
      assert.deepEqual(JSON.parse(JSON.stringify(ours)), JSON.parse(JSON.stringify(theirs[0])))
      if (JSON.stringify(ours) !== JSON.stringify(before)) changed += 1
    }),
    { numRuns, ...seed },
  )
  assert.ok(changed > numRuns / 4, `${changed} of ${numRuns} changed something`)
})

test('groups: the same sums, counts and extremes', () => {
  const spec = {
    _id: '$n',
    sum: { $sum: '$m' },
    most: { $max: '$m' },
    least: { $min: '$m' },
    mean: { $avg: '$m' },
    all: { $push: '$m' },
  }
  const row = fc.record({ n: fc.integer({ min: 0, max: 2 }), m: int })
  const sorted = (rows: readonly unknown[]): readonly string[] => rows.map((one) => JSON.stringify(one)).sort()
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 8 }), (rows) => {
      const ours = group(spec, rows, {}, new Budget())
      assert.deepEqual(sorted([...ours]), sorted(new Aggregator([{ $group: spec }]).run(rows)))
    }),
    { numRuns: numRuns / 5, ...seed },
  )
})
