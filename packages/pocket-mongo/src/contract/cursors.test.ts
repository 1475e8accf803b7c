import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { type Document, Long, MongoClient } from 'mongodb'
import { contract, refusal } from './testing/servers.js'

const COUNT = 2_500

contract('cursors', (scene) => {
  const collection = () => scene().db.collection<Document>('many')
  before(async () => {
    await collection().insertMany(Array.from({ length: COUNT }, (_, n) => ({ n, text: 'x'.repeat(50) })))
  })

  test('batches of any size hold all documents once', async () => {
    for (const batchSize of [1000, 101, 7]) {
      const all = await collection().find({}, { batchSize }).sort({ n: 1 }).toArray()
      assert.deepEqual([all.length, all[0]?.n, all.at(-1)?.n], [COUNT, 0, COUNT - 1])
    }
    assert.equal((await collection().find().limit(5).batchSize(2).toArray()).length, 5)
    assert.equal((await collection().find().limit(-5).toArray()).length, 5)
    assert.equal(
      (
        await collection()
          .aggregate([{ $match: { n: { $lt: 300 } } }], { batchSize: 10 })
          .toArray()
      ).length,
      300,
    )
  })

  test('answers are cut before they get larger than a message may be', async () => {
    const large = scene().db.collection<Document>('large')
    await large.insertMany(Array.from({ length: 20 }, () => ({ text: 'x'.repeat(2 * 1024 * 1024) })))
    assert.equal((await large.find({}, { batchSize: 1000 }).toArray()).length, 20)
  })

  test('a cursor that was killed is not there', async () => {
    const { db } = scene()
    const { cursor } = await db.command({ find: 'many', batchSize: 2 })
    assert.equal(cursor.firstBatch.length, 2)
    const more = await db.command({ getMore: cursor.id, collection: 'many', batchSize: 3 })
    assert.equal(more.cursor.nextBatch.length, 3)
    const killed = await db.command({ killCursors: 'many', cursors: [cursor.id, Long.fromNumber(1)] })
    assert.deepEqual([killed.cursorsKilled.length, killed.cursorsNotFound.length], [1, 1])
    assert.equal((await refusal(db.command({ getMore: cursor.id, collection: 'many' }))).code, 43)
  })

  test("a cursor is its session's alone", async () => {
    const { db, client } = scene()
    const [one, other] = [client.startSession(), client.startSession()]
    const { cursor } = await db.command({ find: 'many', batchSize: 2 }, { session: one })
    const error = await refusal(db.command({ getMore: cursor.id, collection: 'many' }, { session: other }))
    assert.equal(error.code, 50738)
    const own = await db.command({ getMore: cursor.id, collection: 'many', batchSize: 1 }, { session: one })
    assert.equal(own.cursor.nextBatch.length, 1)
    await one.endSession()
    await other.endSession()
  })

  test("a cursor is its user's alone", async () => {
    const { db, uri } = scene()
    await db.command({ createUser: 'reader', pwd: 'secret', roles: ['read'] })
    const url = new URL(uri)
    url.username = 'reader'
    url.password = 'secret'
    url.searchParams.set('authSource', db.databaseName)
    const reader = new MongoClient(url.href)
    try {
      const { cursor } = await db.command({ find: 'many', batchSize: 2 })
      const error = await refusal(reader.db(db.databaseName).command({ getMore: cursor.id, collection: 'many' }))
      assert.equal(error.code, 13)
    } finally {
      await reader.close()
      await db.command({ dropUser: 'reader' })
    }
  })

  test('numbers that no answer can have', async () => {
    const { db } = scene()
    assert.equal((await refusal(db.command({ find: 'many', limit: -1 }))).code, 51024)
    assert.equal((await refusal(db.command({ find: 'many', skip: -1 }))).code, 51024)
    assert.equal((await refusal(db.command({ find: 'many', batchSize: -1 }))).code, 51024)
  })
})
