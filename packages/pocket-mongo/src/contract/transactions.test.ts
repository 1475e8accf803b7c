import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Document, Long, MongoClient } from 'mongodb'
import { contract, refusal } from './testing/servers.js'

contract('transactions', (scene) => {
  const fresh = async (name: string, ...documents: Document[]) => {
    const collection = await scene().db.createCollection<Document>(name)
    if (documents.length > 0) await collection.insertMany(documents)
    return collection
  }

  test('what it writes is seen in it alone, and by all after the commit', async () => {
    const collection = await fresh('seen', { k: 1 })
    const session = scene().client.startSession()
    session.startTransaction()
    await collection.insertOne({ k: 2 }, { session })
    await collection.updateOne({ k: 1 }, { $set: { x: 1 } }, { session })
    assert.equal(await collection.countDocuments({}, { session }), 2)
    assert.equal(await collection.countDocuments(), 1)
    assert.equal(await collection.findOne({ x: 1 }), null)
    await session.commitTransaction()
    // Asked again, it is done.
    await session.commitTransaction()
    assert.equal(await collection.countDocuments(), 2)
    await session.endSession()
  })

  test('aborted, nothing of it was', async () => {
    const collection = await fresh('aborted')
    const session = scene().client.startSession()
    session.startTransaction()
    await collection.insertOne({ k: 1 }, { session })
    await session.abortTransaction()
    assert.equal(await collection.countDocuments(), 0)
    await session.endSession()
  })

  test('it reads one state of the data', async () => {
    const collection = await fresh('snapshot', { k: 1, v: 'old' })
    const session = scene().client.startSession()
    session.startTransaction({ readConcern: { level: 'snapshot' } })
    assert.equal((await collection.findOne({ k: 1 }, { session }))?.v, 'old')
    await collection.updateOne({ k: 1 }, { $set: { v: 'new' } })
    await collection.insertOne({ k: 2 })
    assert.equal((await collection.findOne({ k: 1 }, { session }))?.v, 'old')
    assert.equal(await collection.findOne({ k: 2 }, { session }), null)
    await session.commitTransaction()
    assert.equal((await collection.findOne({ k: 1 }))?.v, 'new')
    await session.endSession()
  })

  test('of two that write the same document, the second is to be tried again', async () => {
    const collection = await fresh('conflict', { k: 1 })
    const [one, two] = [scene().client.startSession(), scene().client.startSession()]
    one.startTransaction()
    two.startTransaction()
    await collection.updateOne({ k: 1 }, { $set: { by: 'one' } }, { session: one })
    const error = await refusal(collection.updateOne({ k: 1 }, { $set: { by: 'two' } }, { session: two }))
    assert.equal(error.code, 112)
    assert.ok(error.hasErrorLabel('TransientTransactionError'))
    await one.commitTransaction()
    const over = await refusal(two.commitTransaction())
    assert.equal(over.code, 251)
    assert.equal((await collection.findOne({ k: 1 }))?.by, 'one')
    await one.endSession()
    await two.endSession()
  })

  test('withTransaction loses no update', async () => {
    const collection = await fresh('counter', { k: 'n', n: 0 })
    const add = () =>
      scene().client.withSession((session) =>
        session.withTransaction(async () => {
          const found = await collection.findOne({ k: 'n' }, { session })
          await collection.updateOne({ k: 'n' }, { $set: { n: Number(found?.n) + 1 } }, { session })
        }),
      )
    await Promise.all(Array.from({ length: 8 }, add))
    assert.equal((await collection.findOne({ k: 'n' }))?.n, 8)
  })

  test('a statement that fails ends it', async () => {
    const collection = await fresh('failed', { k: 1 })
    await collection.createIndex({ k: 1 }, { unique: true })
    const session = scene().client.startSession()
    session.startTransaction()
    await collection.insertOne({ k: 2 }, { session })
    assert.equal((await refusal(collection.insertOne({ k: 1 }, { session }))).code, 11000)
    assert.equal((await refusal(session.commitTransaction())).code, 251)
    assert.equal(await collection.countDocuments(), 1)
    await session.endSession()
  })

  test('a write outside waits for it, and is done then', async () => {
    const collection = await fresh('waits', { k: 1, n: 0 })
    const session = scene().client.startSession()
    session.startTransaction()
    await collection.updateOne({ k: 1 }, { $inc: { n: 1 } }, { session })
    const outside = collection.updateOne({ k: 1 }, { $inc: { n: 10 } })
    await session.commitTransaction()
    await outside
    assert.equal((await collection.findOne({ k: 1 }))?.n, 11)
    await session.endSession()
  })

  test('a write outside that may not wait so long gives up', async () => {
    const collection = await fresh('gives-up', { k: 1 })
    const session = scene().client.startSession()
    session.startTransaction()
    await collection.updateOne({ k: 1 }, { $set: { x: 1 } }, { session })
    const error = await refusal(
      scene().db.command({ update: 'gives-up', updates: [{ q: { k: 1 }, u: { $set: { y: 1 } } }], maxTimeMS: 100 }),
    )
    assert.equal(error.code, 50)
    await session.abortTransaction()
    assert.deepEqual(await collection.findOne({}, { projection: { _id: 0 } }), { k: 1 })
    await session.endSession()
  })

  test('the number of a transaction is held against what was before', async () => {
    const { db, client } = scene()
    await fresh('numbers')
    const session = client.startSession()
    const id = session.id
    const find = (fields: Document) => db.command({ find: 'numbers', ...fields }, { session })
    void id
    await session.withTransaction(async () => {
      await find({})
    })
    await session.endSession()
    const own = client.startSession()
    own.startTransaction()
    assert.equal((await refusal(db.command({ count: 'numbers' }, { session: own }))).code, 263)
    await own.abortTransaction()
    await own.endSession()
  })

  test('a write that was asked for twice with one number is done once', async () => {
    const { db, client } = scene()
    const collection = await fresh('once', { k: 1, n: 0 })
    const session = client.startSession()
    const lsid = session.id ?? assert.fail('the session has no id')
    const update = (txnNumber: number) => ({
      update: 'once',
      updates: [{ q: { k: 1 }, u: { $inc: { n: 1 } } }],
      lsid,
      txnNumber: Long.fromNumber(txnNumber),
    })
    // A client with no session of its own to add.
    const plain = new MongoClient(scene().uri, { retryWrites: false })
    try {
      const same = plain.db(db.databaseName)
      assert.equal((await same.command(update(5))).nModified, 1)
      assert.equal((await same.command(update(5))).nModified, 1)
      assert.equal((await collection.findOne({ k: 1 }))?.n, 1)
      await same.command(update(6))
      assert.equal((await collection.findOne({ k: 1 }))?.n, 2)
      assert.equal((await refusal(same.command(update(5)))).code, 225)
    } finally {
      await plain.close()
      await session.endSession()
    }
  })
})
