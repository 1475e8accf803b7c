import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Binary, Decimal128, type Document, Double, Long, ObjectId, Timestamp, UUID } from 'bson'
import type { MongoError } from '../errors.js'
import { openStore } from '../store/open.js'
import type { IndexSpec, Store } from '../store/types.js'
import { shell } from './describe.js'

const ns = 'shop.items'

const insert = (store: Store, doc: Document): Promise<void> => store.write((unit) => unit.insert(ns, doc))

async function storeWith(...specs: readonly IndexSpec[]): Promise<Store> {
  const store = await openStore()
  await store.write((unit) => {
    unit.createIndexes(ns, specs)
  })
  return store
}

const unique = (key: IndexSpec['key'], more: Partial<IndexSpec> = {}): IndexSpec => ({
  name: 'i',
  key,
  unique: true,
  ...more,
})

/** What stands in the index of one, and is refused, and is not. */
const cases: readonly (readonly [string, IndexSpec, Document, Document, Document, string])[] = [
  ['a number of another kind', unique({ a: 1 }), { a: 1 }, { a: Long.fromNumber(1) }, { a: 1.5 }, '{ a: 1 }'],
  ['text', unique({ a: 1 }), { a: 'x' }, { a: 'x' }, { a: 'X' }, '{ a: "x" }'],
  ['text within text', unique({ a: 1 }), { a: 'x\0y' }, { a: 'x\0y' }, { a: 'x' }, '{ a: "x\0y" }'],
  ['what is not there', unique({ a: 1 }), {}, { a: null }, { a: [] }, '{ a: null }'],
  ['several fields', unique({ a: 1, b: -1 }), { a: 1, b: 1 }, { a: 1, b: 1 }, { a: 1, b: 2 }, '{ a: 1, b: 1 }'],
  ['a field within', unique({ 'a.b': 1 }), { a: { b: 1 } }, { a: { b: 1, c: 2 } }, { a: { b: 2 } }, '{ a.b: 1 }'],
  ['an element', unique({ a: 1 }), { a: [1, 2] }, { a: 2 }, { a: [3, 3] }, '{ a: 2 }'],
  ['sparse', unique({ a: 1 }, { sparse: true }), { a: null }, { a: null }, {}, '{ a: null }'],
  ['sparse, several', unique({ a: 1, b: 1 }, { sparse: true }), { a: 1 }, { a: 1 }, { b: 1 }, '{ a: 1, b: null }'],
  [
    'in part',
    unique({ a: 1 }, { partialFilterExpression: { live: true } }),
    { a: 1, live: true },
    { a: 1, live: true },
    { a: 1, live: false },
    '{ a: 1 }',
  ],
  [
    'a document',
    unique({ a: 1 }),
    { a: { x: 1, y: 2 } },
    { a: { x: 1, y: 2 } },
    { a: { y: 2, x: 1 } },
    '{ a: { x: 1, y: 2 } }',
  ],
]

for (const [what, spec, there, refused, taken, shown] of cases) {
  test(`a unique index: ${what}`, async () => {
    const store = await storeWith(spec)
    await insert(store, { _id: 1, ...there })
    await assert.rejects(insert(store, { _id: 2, ...refused }), (error: MongoError) => {
      assert.equal(error.code, 11000)
      assert.equal(error.message, `E11000 duplicate key error collection: shop.items index: i dup key: ${shown}`)
      assert.deepEqual(error.extra.keyPattern, spec.key)
      return true
    })
    await insert(store, { _id: 3, ...taken })
    // A document may keep its own key, and leave it to others when it is gone.
    await store.write((unit) => {
      const [old] = unit.candidates(ns, { _id: 1 }).documents
      assert.ok(old)
      unit.replace(ns, old, { ...old.doc, touched: true })
    })
    await store.write((unit) => {
      for (const old of unit.candidates(ns, { _id: 1 }).documents) unit.remove(ns, old)
    })
    await insert(store, { _id: 2, ...refused })
    await store.close()
  })
}

test('a hundred who write the same key at once: one has it, in a transaction or out of it', async () => {
  const store = await storeWith(unique({ a: 1 }))
  const outcomes = await Promise.allSettled(
    Array.from({ length: 100 }, async (_, _id) => {
      await new Promise((resolve) => setImmediate(resolve))
      if (_id % 2 === 0) return insert(store, { _id, a: 'x' })
      const transaction = store.begin()
      try {
        transaction.run((unit) => unit.insert(ns, { _id, a: 'x' }))
      } catch (error) {
        // Until it ends, others wait for what becomes of its keys.
        transaction.abort()
        throw error
      }
      await new Promise((resolve) => setImmediate(resolve))
      return transaction.commit()
    }),
  )
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
  assert.equal(
    store.read((unit) => unit.count(ns)),
    1,
  )
  await store.close()
})

test('an index over what is there is made whole or not at all', async () => {
  const store = await openStore()
  for (const a of [1, 2, 2]) await insert(store, { a })
  const make = (spec: IndexSpec) => store.write((unit) => unit.createIndexes(ns, [spec]))
  await assert.rejects(make(unique({ a: 1 })), { code: 11000 })
  assert.deepEqual(await make({ name: 'a_1', key: { a: 1 } }), { before: 1, after: 2 })
  assert.deepEqual(await make({ name: 'a_1', key: { a: 1 } }), { before: 2, after: 2 })
  await assert.rejects(make({ name: 'a_1', key: { a: 1 }, unique: true }), { code: 85 })
  await assert.rejects(make({ name: 'a_1', key: { b: 1 } }), { code: 86 })
  await assert.rejects(make({ name: 'other', key: { a: 1 } }), { code: 85 })
  await store.write((unit) => unit.dropIndex(ns, 'a_1'))
  assert.equal(
    store.read((unit) => unit.candidates(ns, { a: 2 }).index),
    undefined,
  )
  await assert.rejects(
    store.write((unit) => unit.dropIndex(ns, 'a_1')),
    { code: 27 },
  )
  await assert.rejects(
    store.write((unit) => unit.dropIndex(ns, '_id_')),
    { code: 72 },
  )
  await store.close()
})

test('what cannot be an index is refused with the reason', async () => {
  const bad: readonly (readonly [Document, RegExp])[] = [
    [{ key: {} }, /no fields/],
    [{ key: { a: 2 } }, /is 2; only 1 and -1/],
    [{ key: { a: 'text' } }, /is "text"; only 1 and -1/],
    [{ key: { 'a..b': 1 } }, /empty part/],
    [{ key: { $a: 1 } }, /begins with \$/],
    [{ name: '', key: { a: 1 } }, /name is empty/],
    [{ key: { a: 1 }, expireAfterSeconds: -1 }, /expireAfterSeconds is -1/],
    [{ key: { a: 1, b: 1 }, expireAfterSeconds: 1 }, /one field/],
    [{ key: { a: 1 }, sparse: true, partialFilterExpression: { a: 1 } }, /cannot be had together/],
    [{ key: Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`f${n}`, 1])) }, /33 fields, and 32 is the most/],
  ]
  for (const [spec, words] of bad) {
    await assert.rejects(storeWith({ name: 'i', ...spec } as IndexSpec), (error: MongoError) => {
      assert.equal(error.code, 67, error.message)
      assert.match(error.message, words)
      return true
    })
  }
})

test('two arrays in one compound index are refused, and a number that is a name and a place', async () => {
  const store = await storeWith({ name: 'i', key: { a: 1, b: 1 } }, { name: 'j', key: { 'c.0': 1 } })
  await assert.rejects(insert(store, { a: [1], b: [1] }), {
    code: 171,
    message: 'cannot index parallel arrays ["a", "b"]',
  })
  await assert.rejects(insert(store, { c: [{ 0: 1 }] }), { code: 16746 })
  await insert(store, { a: [1], b: 1, c: [1] })
  await store.close()
})

test('values in an error are written as the shell writes them', () => {
  const id = new ObjectId('0123456789abcdef01234567')
  const uuid = new UUID('01234567-89ab-4def-8123-456789abcdef')
  const shown: readonly (readonly [unknown, string])[] = [
    [5, '5'],
    [new Double(5), '5.0'],
    [1.5, '1.5'],
    [Long.fromNumber(5), '5'],
    [Decimal128.fromString('5.10'), '5.10'],
    ['a "b"', '"a "b""'],
    [id, "ObjectId('0123456789abcdef01234567')"],
    [new Date(5), 'new Date(5)'],
    [new Timestamp({ t: 1, i: 2 }), 'Timestamp(1, 2)'],
    [uuid, 'UUID("01234567-89ab-4def-8123-456789abcdef")'],
    [new Binary(Buffer.from([1, 255]), 0), 'BinData(0, 01FF)'],
    [null, 'null'],
    [true, 'true'],
    [{}, '{}'],
    [{ a: [1, { b: 'x' }], c: [] }, '{ a: [ 1, { b: "x" } ], c: [] }'],
  ]
  for (const [value, text] of shown) assert.equal(shell(value), text)
})
