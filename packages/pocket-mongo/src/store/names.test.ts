import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MongoError } from '../errors.js'
import { openStore } from './open.js'
import { maxDocumentBytes } from './stored.js'

test('names that MongoDB takes are taken, and others refused with the reason', async () => {
  const store = await openStore()
  const make = (ns: string) => store.write((unit) => unit.createCollection(ns, {}))
  for (const good of [
    'shop.items',
    'shop.items.old',
    'a-b.c d',
    `${'d'.repeat(63)}.c`,
    `d.${'c'.repeat(253)}`,
    'é.é',
  ]) {
    await make(good)
  }
  const bad: readonly (readonly [string, RegExp])[] = [
    ['shop', /collection's name is not empty/],
    ['.items', /database's name/],
    ['a b.items', /database's name/],
    ['a/b.items', /database's name/],
    ['a$.items', /database's name/],
    [`${'d'.repeat(64)}.c`, /1 to 63 bytes/],
    ['shop.', /not empty/],
    ['shop.it$ems', /no \$/],
    ['shop..items', /begin or end with a dot/],
    ['shop.items.', /begin or end with a dot/],
    ['shop.it\0ems', /Invalid namespace/],
    [`d.${'c'.repeat(254)}`, /256 bytes, and 255 is the most/],
  ]
  for (const [ns, words] of bad) {
    await assert.rejects(make(ns), (error: MongoError) => {
      assert.equal(error.code, 73)
      assert.match(error.message, words)
      return true
    })
  }
  await store.close()
})

test('a document has 16 MiB at most, and an _id that can be one', async () => {
  const store = await openStore()
  const insert = (doc: Record<string, unknown>) => store.write((unit) => unit.insert('shop.items', doc))
  // Length, `_id` as an int, `text` with its own length and end, the document's end.
  const around = 4 + 9 + 6 + 4 + 1 + 1
  await insert({ _id: 1, text: 'x'.repeat(maxDocumentBytes - around) })
  await assert.rejects(insert({ _id: 2, text: 'x'.repeat(maxDocumentBytes - around + 1) }), { code: 10334 })
  await assert.rejects(insert({ _id: [1] }), { code: 53 })
  await assert.rejects(insert({ _id: /x/ }), { code: 53 })
  await assert.rejects(insert({ _id: 3, field: { _bsontype: 'ObjectId' } }), { code: 2 })
  await insert({ text: 'no _id' })
  store.read((unit) => {
    const [, last] = unit.candidates('shop.items', {}).documents
    assert.deepEqual(Object.keys(last?.doc ?? {}), ['_id', 'text'])
  })
  await store.close()
})

test('databases, collections and their sizes are told, and dropped', async () => {
  const store = await openStore()
  await store.write((unit) => {
    for (const ns of ['b.two', 'a.x', 'b.one', 'bb.x']) unit.insert(ns, { _id: 1 })
  })
  store.read((unit) => {
    assert.deepEqual(
      unit.databases().map(({ name }) => name),
      ['a', 'b', 'bb'],
    )
    assert.equal(unit.databases()[1]?.sizeOnDisk, 2 * 14)
    assert.deepEqual(
      unit.collections('b').map(({ ns }) => ns),
      ['b.one', 'b.two'],
    )
  })
  await store.write((unit) => unit.dropDatabase('b'))
  assert.deepEqual(
    store.read((unit) => unit.databases().map(({ name }) => name)),
    ['a', 'bb'],
  )
  await store.close()
})

test('a collection that is there with other options, and one that is not there, are told', async () => {
  const store = await openStore()
  const options = { validator: { a: 1 } }
  await store.write((unit) => unit.createCollection('shop.items', options))
  await store.write((unit) => unit.createCollection('shop.items', { validator: { a: 1 } }))
  await assert.rejects(
    store.write((unit) => unit.createCollection('shop.items', {})),
    { code: 48 },
  )
  await assert.rejects(
    store.write((unit) => unit.collMod('shop.others', {})),
    { code: 26 },
  )
  assert.equal(await store.write((unit) => unit.drop('shop.others')), false)
  await store.close()
  await assert.rejects(
    store.write((unit) => unit.drop('shop.items')),
    { code: 11600 },
  )
  assert.throws(() => store.read((unit) => unit.databases()), { code: 11600 })
})
