import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Decimal128, type Document, Long } from 'bson'
import fc from 'fast-check'
import type { MongoError } from '../errors.js'
import { compileFilter } from '../query/filter.js'
import { sorted as inOrder } from '../query/sort.js'
import { openStore } from '../store/open.js'
import type { IndexSpec, ReadUnit } from '../store/types.js'

/*
 * An index must not lose a document: with it and without it, a filter finds the same. BULKHEAD_LONG=1 has more of them;
 * BULKHEAD_SEED repeats a run.
 */

const numRuns = process.env.BULKHEAD_LONG === '1' ? 20_000 : 800
const seed = process.env.BULKHEAD_SEED === undefined ? {} : { seed: Number(process.env.BULKHEAD_SEED) }

const ns = 'shop.items'

const scalar = fc.constantFrom<unknown>(
  ...[0, 1, 2, -1, 1.5, Number.NaN, Long.fromNumber(1), Decimal128.fromString('1.5'), Decimal128.fromString('2')],
  ...['', 'a', 'b', null, true, false, new Date(0), new Date(1)],
)
const inner = fc.oneof({ weight: 4, arbitrary: scalar }, { weight: 1, arbitrary: fc.array(scalar, { maxLength: 3 }) })
const object = fc.dictionary(fc.constantFrom('b', 'c', '0'), inner, { maxKeys: 2, noNullPrototype: true })
const value = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 2, arbitrary: object },
  { weight: 2, arbitrary: fc.array(fc.oneof(scalar, object), { maxLength: 3 }) },
)
const document = fc.dictionary(fc.constantFrom('a', 'd'), value, { maxKeys: 2, noNullPrototype: true })

const path = fc.constantFrom('a', 'd', 'a.b', 'a.c', 'a.0', 'a.0.b')
const condition = fc.oneof(
  value,
  fc
    .uniqueArray(fc.tuple(fc.constantFrom('$eq', '$gt', '$gte', '$lt', '$lte', '$ne'), scalar), {
      selector: ([operator]) => operator,
      minLength: 1,
      maxLength: 2,
    })
    .map((pairs) => Object.fromEntries(pairs)),
  fc.array(scalar, { maxLength: 3 }).map((values) => ({ $in: values })),
  fc.boolean().map((exists) => ({ $exists: exists })),
)
const plain = fc.dictionary(path, condition, { minKeys: 1, maxKeys: 3, noNullPrototype: true })
const filter = fc.oneof(
  { weight: 4, arbitrary: plain },
  { weight: 1, arbitrary: fc.array(plain, { minLength: 1, maxLength: 2 }).map((parts) => ({ $and: parts })) },
  { weight: 1, arbitrary: fc.tuple(plain, plain).map(([first, second]) => ({ ...first, $or: [second] })) },
)

const direction = fc.constantFrom<1 | -1>(1, -1)
const keys = fc
  .uniqueArray(fc.tuple(path, direction), { selector: ([name]) => name, minLength: 1, maxLength: 3 })
  .map((pairs) => Object.fromEntries(pairs))
const spec = fc
  .tuple(
    keys,
    fc.constantFrom<Partial<IndexSpec>>(
      {},
      {},
      { sparse: true },
      { partialFilterExpression: { a: 1 } },
      { partialFilterExpression: { a: { $exists: true } } },
    ),
  )
  .map(([key, more]): IndexSpec => ({ name: JSON.stringify([key, more]), key, ...more }))

const matching = (unit: ReadUnit, asked: Document): readonly unknown[] => {
  const matches = compileFilter(asked)
  return [...unit.candidates(ns, asked).documents]
    .map(({ doc }) => doc)
    .filter(matches)
    .map(({ _id }) => _id)
    .sort()
}

test('with an index and without it, a filter finds the same documents; what comes sorted is', async () => {
  let used = 0
  let sorted = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(document, { maxLength: 8 }),
      fc.array(spec, { minLength: 1, maxLength: 2 }),
      filter,
      fc.option(keys),
      async (documents, specs, asked, sort) => {
        const store = await openStore()
        await store.write((unit) => {
          for (const [_id, doc] of documents.entries()) unit.insert(ns, { _id, ...doc })
        })
        const expected = store.read((unit) => matching(unit, asked))
        for (const one of specs) {
          await store
            .write((unit) => {
              unit.createIndexes(ns, [one])
            })
            .catch((error: MongoError) => assert.ok([171, 85, 16746].includes(error.code), error.message))
        }
        store.read((unit) => {
          const found = unit.candidates(ns, asked, sort ?? undefined)
          if (found.index !== undefined && found.index !== '_id_') used += 1
          assert.deepEqual(matching(unit, asked), expected, `with ${found.index}`)
          if (!found.sorted || sort === null || documents.length === 0) return
          sorted += 1
          // What does not match is nobody's business.
          const order = [...found.documents].map(({ doc }) => doc).filter(compileFilter(asked))
          // Sorting keeps equals as they are: what is sorted already stays as it is.
          assert.deepEqual(
            inOrder(order, (doc) => doc, sort),
            order,
            `not sorted, with ${found.index}`,
          )
        })
        await store.close()
      },
    ),
    { numRuns, ...seed },
  )
  assert.ok(used > numRuns / 10, `an index was used ${used} times`)
  assert.ok(sorted > numRuns / 200, `what came was sorted ${sorted} times`)
})

const indexOf = async (specs: readonly IndexSpec[], asked: Document, sort?: Record<string, 1 | -1>) => {
  const store = await openStore()
  await store.write((unit) => {
    unit.createIndexes(ns, specs)
    for (let n = 0; n < 20; n++) unit.insert(ns, { creator: n % 3, n, tags: n === 7 ? ['x', 'y'] : 'x' })
  })
  const { index, sorted, documents } = store.read((unit) => unit.candidates(ns, asked, sort))
  await store.close()
  return { index, sorted, count: [...documents].length }
}

const compound: IndexSpec = { name: 'creator_n', key: { creator: 1, n: -1 } }

test('an index narrows down as far as it goes, and sorts where it can', async () => {
  assert.deepEqual(await indexOf([compound], { creator: 1 }), { index: 'creator_n', sorted: false, count: 7 })
  assert.deepEqual(await indexOf([compound], { creator: 1, n: { $gt: 10 } }), {
    index: 'creator_n',
    sorted: false,
    count: 3,
  })
  assert.deepEqual(await indexOf([compound], { creator: 1 }, { n: 1 }), { index: 'creator_n', sorted: true, count: 7 })
  assert.deepEqual(await indexOf([compound], { creator: { $in: [1, 2] } }, { n: 1 }), {
    index: 'creator_n',
    sorted: false,
    count: 13,
  })
  assert.deepEqual(await indexOf([compound], { n: 3 }), { index: undefined, sorted: false, count: 20 })
  assert.deepEqual(await indexOf([compound], {}, { creator: -1, n: 1 }), {
    index: 'creator_n',
    sorted: true,
    count: 20,
  })
  assert.deepEqual(await indexOf([{ name: 'tags_1', key: { tags: 1 } }], { tags: 'y' }), {
    index: 'tags_1',
    sorted: false,
    count: 1,
  })
  // In an array that holds what is asked for something else may stand first, and sorting goes by that.
  assert.deepEqual(await indexOf([{ name: 'n_1', key: { n: 1 } }], { tags: 'x' }, { tags: 1, n: 1 }), {
    index: undefined,
    sorted: false,
    count: 20,
  })
})
