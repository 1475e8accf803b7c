import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MongoError } from '../errors.js'
import { all, idsOf, insert, ns } from '../log/testing/items.js'
import { openStore } from './open.js'
import type { WriteUnit } from './types.js'

const again = (error: MongoError): boolean => {
  assert.equal(error.codeName, 'WriteConflict')
  assert.deepEqual(error.labels, ['TransientTransactionError'])
  return true
}

const touch =
  (_id: number, n: number) =>
  (unit: WriteUnit): void => {
    for (const old of unit.candidates(ns, { _id }).documents) unit.replace(ns, old, { n })
  }

test('a transaction that is open for too long is over, and who waited for it goes on', async () => {
  const store = await openStore({}, { transactionLifetimeMs: 30 })
  await insert(store, 1)
  const transaction = store.begin()
  transaction.run(touch(1, 1))
  const waiting = store.write(touch(1, 2))
  // The store's own timer keeps no process alive; this one does, for as long as the test may take.
  const alive = setTimeout(() => undefined, 5000)
  await waiting
  clearTimeout(alive)
  assert.equal(transaction.state, 'aborted')
  assert.deepEqual(store.read(all), [{ _id: 1, n: 2 }])
  await assert.rejects(transaction.commit(), (error: MongoError) => {
    assert.equal(error.codeName, 'NoSuchTransaction')
    assert.match(error.message, /open for longer than 0\.03 s/)
    return error.labels.includes('TransientTransactionError')
  })
  await store.close()
})

test('who waits for a transaction is told when the store is closed', async () => {
  const store = await openStore()
  await insert(store, 1)
  const transaction = store.begin()
  transaction.run(touch(1, 1))
  const waiting = assert.rejects(store.write(touch(1, 2)), { codeName: 'InterruptedAtShutdown' })
  await store.close()
  await waiting
  assert.throws(() => transaction.run(touch(1, 3)), { codeName: 'NoSuchTransaction' })
})

test('a command that fails in a transaction leaves what was before it', async () => {
  const store = await openStore()
  const transaction = store.begin()
  transaction.run((unit) => unit.insert(ns, { _id: 1 }))
  assert.throws(
    () =>
      transaction.run((unit) => {
        unit.insert(ns, { _id: 2 })
        unit.insert(ns, { _id: 1 })
      }),
    { code: 11000 },
  )
  await transaction.commit()
  assert.deepEqual(idsOf(store), [1])
  await store.close()
})

test('what was written to since a transaction began cannot be written by it, and what was only read can', async () => {
  const store = await openStore()
  for (const _id of [1, 2]) await insert(store, _id, { n: 0 })
  const [first, second] = [store.begin(), store.begin()]
  await store.write(touch(1, 1))
  assert.throws(() => first.run(touch(1, 2)), again)
  // Write skew: a snapshot does not see what it read change, here as in MongoDB.
  assert.deepEqual(second.run(all)[0], { _id: 1, n: 0 })
  second.run(touch(2, 2))
  await second.commit()
  assert.deepEqual(store.read(all), [
    { _id: 1, n: 1 },
    { _id: 2, n: 2 },
  ])
  await store.close()
})

test('a key that another took since the beginning is a conflict, one that was there before is a duplicate', async () => {
  const store = await openStore()
  await insert(store, 1)
  const transaction = store.begin()
  assert.throws(() => transaction.run((unit) => unit.insert(ns, { _id: 1 })), { code: 11000 })
  assert.equal(transaction.state, 'active')
  await insert(store, 2)
  assert.throws(() => transaction.run((unit) => unit.insert(ns, { _id: 2 })), again)
  await store.close()
})

test('a collection is made in a transaction, and seen after it; nobody else makes it meanwhile', async () => {
  const store = await openStore()
  const [first, second] = [store.begin(), store.begin()]
  first.run((unit) => {
    unit.createCollection(ns, {})
    unit.createIndexes(ns, [{ name: 'n_1', key: { n: 1 }, unique: true }])
    unit.insert(ns, { _id: 1, n: 1 })
  })
  assert.equal(
    store.read((unit) => unit.collection(ns)),
    undefined,
  )
  assert.throws(() => second.run((unit) => unit.insert(ns, { _id: 2 })), again)
  const outside = insert(store, 3, { n: 1 })
  await first.commit()
  await assert.rejects(outside, { code: 11000 })
  assert.deepEqual(store.read(all), [{ _id: 1, n: 1 }])
  await store.close()
})

test('a collection is not changed below a transaction that has written to it, nor by one', async () => {
  const store = await openStore()
  await insert(store, 1, { n: 1 })
  const [writer, later] = [store.begin(), store.begin()]
  writer.run((unit) => unit.insert(ns, { _id: 2, n: 1 }))
  let made = false
  const making = store
    .write((unit) => unit.createIndexes(ns, [{ name: 'n_1', key: { n: 1 }, unique: true }]))
    .finally(() => {
      made = true
    })
  await store.write((unit) => unit.insert('shop.others', { _id: 1 }))
  assert.equal(made, false)
  await writer.commit()
  // Only now can be said that it cannot be made.
  await assert.rejects(making, { code: 11000 })
  await store.write((unit) => unit.createIndexes(ns, [{ name: 'n_1', key: { n: 1 } }]))
  assert.throws(() => later.run((unit) => unit.insert(ns, { _id: 3 })), again)
  const last = store.begin()
  for (const change of [
    (unit: WriteUnit) => unit.drop(ns),
    (unit: WriteUnit) => unit.dropIndex(ns, 'n_1'),
    (unit: WriteUnit) => unit.collMod(ns, { validationLevel: 'off' }),
  ]) {
    assert.throws(() => last.run(change), { codeName: 'OperationNotSupportedInTransaction' })
  }
  await store.close()
})

test('many who add to one number, in transactions and without: nothing is lost', async () => {
  const store = await openStore()
  await insert(store, 1, { n: 0 })
  const add = (unit: WriteUnit): void => {
    for (const old of unit.candidates(ns, { _id: 1 }).documents) unit.replace(ns, old, { n: Number(old.doc.n) + 1 })
  }
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  const inTransaction = async (): Promise<void> => {
    for (;;) {
      const transaction = store.begin()
      try {
        await turn()
        transaction.run(add)
        await turn()
        await transaction.commit()
        return
      } catch (error) {
        assert.ok(again(error as MongoError))
      }
    }
  }
  await Promise.all(Array.from({ length: 40 }, (_, n) => (n % 2 === 0 ? inTransaction() : store.write(add))))
  assert.deepEqual(store.read(all), [{ _id: 1, n: 40 }])
  await store.close()
})
