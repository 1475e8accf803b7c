import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@bulkhead/testing'
import { type Document, MongoBulkWriteError, ObjectId } from 'mongodb'
import { contract } from './testing/servers.js'

contract('writes', (scene) => {
  const collection = () => scene().db.collection<Document>('writes')

  test('updateMany, and what it counts', async () => {
    await collection().insertMany([1, 2, 3].map((n) => ({ group: 'many', n })))
    const result = await collection().updateMany({ group: 'many', n: { $gte: 2 } }, { $set: { n: 2 } })
    assert.deepEqual([result.matchedCount, result.modifiedCount], [2, 1])
  })

  test('an upsert makes a document of the filter and the update', async () => {
    const made = await collection().updateOne(
      { key: 'up', size: { $gt: 5 }, 'in.side': 1 },
      { $set: { a: 1 }, $setOnInsert: { b: 2 } },
      { upsert: true },
    )
    assert.equal(made.upsertedCount, 1)
    assert.deepEqual(await collection().findOne({ _id: made.upsertedId ?? new ObjectId() }), {
      _id: made.upsertedId,
      key: 'up',
      in: { side: 1 },
      a: 1,
      b: 2,
    })
    const again = await collection().updateOne(
      { key: 'up' },
      { $set: { a: 2 }, $setOnInsert: { b: 9 } },
      { upsert: true },
    )
    assert.deepEqual([again.upsertedCount, again.modifiedCount], [0, 1])
    assert.equal((await collection().findOne({ key: 'up' }))?.b, 2)
  })

  test('findOneAnd...: before, after, sorted, upserted, deleted', async () => {
    await collection().insertMany([3, 1, 2].map((n) => ({ line: 'one', n })))
    const filter = { line: 'one' }
    const first = await collection().findOneAndUpdate(
      filter,
      { $set: { taken: true } },
      { sort: { n: 1 }, projection: { _id: 0 } },
    )
    assert.deepEqual(first, { line: 'one', n: 1 })
    const after = await collection().findOneAndUpdate(
      filter,
      { $inc: { n: 10 } },
      { sort: { n: -1 }, returnDocument: 'after' },
    )
    assert.equal(after?.n, 13)
    const replaced = await collection().findOneAndReplace(
      { line: 'two' },
      { line: 'two', n: 0 },
      { upsert: true, returnDocument: 'after' },
    )
    assert.equal(replaced?.n, 0)
    const gone = await collection().findOneAndDelete(filter, { sort: { n: -1 } })
    assert.equal(gone?.n, 13)
    assert.equal(await collection().findOneAndDelete({ line: 'three' }), null)
    const told = await collection().findOneAndUpdate(
      { line: 'two' },
      { $set: { n: 1 } },
      { includeResultMetadata: true },
    )
    assert.deepEqual(told.lastErrorObject, { n: 1, updatedExisting: true })
  })

  test('a bulk write stops at the first failure when it is ordered, and goes on when it is not', async () => {
    const writes = [
      { insertOne: { document: { _id: new ObjectId('650000000000000000000001') } } },
      { insertOne: { document: { _id: new ObjectId('650000000000000000000001') } } },
      { insertOne: { document: { _id: new ObjectId('650000000000000000000002') } } },
    ]
    const failed = async (ordered: boolean) => {
      await collection().deleteMany({})
      try {
        await collection().bulkWrite(writes, { ordered })
      } catch (error) {
        if (error instanceof MongoBulkWriteError) return error
      }
      throw new Error('it did not fail as a bulk write')
    }
    const ordered = await failed(true)
    assert.deepEqual([ordered.code, ordered.result.insertedCount, await collection().countDocuments()], [11000, 1, 1])
    const unordered = await failed(false)
    assert.deepEqual([unordered.result.insertedCount, await collection().countDocuments()], [2, 2])
    const [one] = Array.isArray(unordered.writeErrors) ? unordered.writeErrors : [unordered.writeErrors]
    assert.equal(one?.index, 1)
  })

  test('deleteOne and deleteMany', async () => {
    await collection().insertMany([1, 2, 3].map((n) => ({ gone: true, n })))
    assert.equal((await collection().deleteOne({ gone: true })).deletedCount, 1)
    assert.equal((await collection().deleteMany({ gone: true })).deletedCount, 2)
    assert.equal((await collection().deleteMany({ gone: true })).deletedCount, 0)
  })

  test('writes that nobody waits for are done all the same', async () => {
    const _id = new ObjectId()
    await collection().insertOne({ _id }, { writeConcern: { w: 0 } })
    await collection().insertOne({ after: _id }, { writeConcern: { w: 1 } })
    await eventually('the document comes', () => collection().findOne({ _id }))
  })
})
