import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Long, ObjectId } from 'bson'
import type { MongoError } from '../errors.js'
import { openStore } from './open.js'
import type { ReadUnit } from './types.js'

const ns = 'shop.items'

const all = (unit: ReadUnit, filter = {}): readonly unknown[] =>
  [...unit.candidates(ns, filter).documents].map(({ doc }) => doc)

test('what is written is read, types and all, and a failed command leaves nothing', async () => {
  const store = await openStore()
  const id = new ObjectId()
  await store.write((unit) => unit.insert(ns, { _id: id, n: Long.fromNumber(5), when: new Date(0) }))
  assert.deepEqual(store.read(all), [{ _id: id, n: Long.fromNumber(5), when: new Date(0) }])
  await assert.rejects(
    store.write((unit) => {
      unit.insert(ns, { _id: 1 })
      unit.insert(ns, { _id: id })
    }),
    (error: MongoError) => {
      assert.equal(error.code, 11000)
      assert.equal(
        error.message,
        `E11000 duplicate key error collection: shop.items index: _id_ dup key: { _id: ObjectId('${id.toHexString()}') }`,
      )
      assert.deepEqual(error.extra, { keyPattern: { _id: 1 }, keyValue: { _id: id } })
      return true
    },
  )
  assert.equal(
    store.read((unit) => unit.count(ns)),
    1,
  )
  await store.close()
})

test('a transaction sees its beginning and its own writes, and others see them after the commit', async () => {
  const store = await openStore()
  await store.write((unit) => unit.insert(ns, { _id: 1, n: 0 }))
  const transaction = store.begin()
  await store.write((unit) => unit.insert(ns, { _id: 2, n: 0 }))
  assert.deepEqual(transaction.run(all), [{ _id: 1, n: 0 }])
  transaction.run((unit) => {
    const [old] = unit.candidates(ns, { _id: 1 }).documents
    assert.ok(old)
    unit.replace(ns, old, { _id: 1, n: 1 })
  })
  assert.deepEqual(transaction.run(all), [{ _id: 1, n: 1 }])
  assert.deepEqual(store.read(all), [
    { _id: 1, n: 0 },
    { _id: 2, n: 0 },
  ])
  await transaction.commit()
  assert.deepEqual(store.read(all), [
    { _id: 1, n: 1 },
    { _id: 2, n: 0 },
  ])
  await store.close()
})

test('a writer waits for the transaction that has written there, and then writes upon what it left', async () => {
  const store = await openStore()
  await store.write((unit) => unit.insert(ns, { _id: 1, n: 0 }))
  const transaction = store.begin()
  const add = (amount: number) => (unit: Parameters<Parameters<typeof store.write>[0]>[0]) => {
    const [old] = unit.candidates(ns, { _id: 1 }).documents
    assert.ok(old)
    unit.replace(ns, old, { ...old.doc, n: old.doc.n + amount })
  }
  transaction.run(add(10))
  let done = false
  const waiting = store.write(add(1)).then(() => {
    done = true
  })
  await store.write((unit) => unit.insert(ns, { _id: 2 }))
  assert.equal(done, false)
  await transaction.commit()
  await waiting
  assert.deepEqual(store.read(all), [{ _id: 1, n: 11 }, { _id: 2 }])
  await store.close()
})

test('two transactions that write to one document: the second is told to run again', async () => {
  const store = await openStore()
  await store.write((unit) => unit.insert(ns, { _id: 1, n: 0 }))
  const [first, second] = [store.begin(), store.begin()]
  const remove = (unit: Parameters<Parameters<typeof store.write>[0]>[0]): void => {
    const [old] = unit.candidates(ns, { _id: 1 }).documents
    assert.ok(old)
    unit.remove(ns, old)
  }
  first.run(remove)
  assert.throws(
    () => second.run(remove),
    (error: MongoError) => error.code === 112 && error.labels.includes('TransientTransactionError'),
  )
  assert.equal(second.state, 'aborted')
  await first.commit()
  assert.equal(
    store.read((unit) => unit.count(ns)),
    0,
  )
  await store.close()
})

test('what is read within a command is read as it was, whatever the same command writes meanwhile', async () => {
  const store = await openStore()
  await store.write((unit) => {
    unit.createIndexes(ns, [{ name: 'n_1', key: { n: 1 } }])
    for (let _id = 0; _id < 200; _id++) unit.insert(ns, { _id, n: _id })
    const found = unit.candidates(ns, { n: { $gte: 0 } })
    assert.equal(found.index, 'n_1')
    let count = 0
    for (const old of found.documents) {
      // Into the part of the index that is still to be read, where a second look would meet it again.
      unit.replace(ns, old, { n: old.doc.n + 1000 })
      if (count % 2 === 0) unit.insert(ns, { n: 5000 + count })
      count += 1
    }
    assert.equal(count, 200)
    assert.equal(unit.count(ns), 300)
  })
  await store.close()
})
