import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Document, Long } from 'mongodb'
import { contract, refusal } from './testing/servers.js'

contract('indexes', (scene) => {
  test('a unique index: the error that drivers know', async () => {
    const collection = scene().db.collection<Document>('unique')
    assert.equal(await collection.createIndex({ email: 1 }, { unique: true, name: 'idx_email' }), 'idx_email')
    await collection.insertOne({ email: 'a@b' })
    const error = await refusal(collection.insertOne({ email: 'a@b' }))
    assert.equal(error.code, 11000)
    assert.equal(
      error.message,
      `E11000 duplicate key error collection: ${collection.namespace} index: idx_email dup key: { email: "a@b" }`,
    )
    assert.deepEqual(error.keyPattern, { email: 1 })
    assert.deepEqual(error.keyValue, { email: 'a@b' })
    await collection.insertOne({ email: 'c@d' })
    const moved = await refusal(collection.updateOne({ email: 'c@d' }, { $set: { email: 'a@b' } }))
    assert.equal(moved.code, 11000)
    assert.equal(await collection.countDocuments({ email: 'a@b' }), 1)
    // The same number in another type is the same key.
    await collection.insertOne({ email: 5 })
    assert.equal((await refusal(collection.insertOne({ email: Long.fromNumber(5) }))).code, 11000)
  })

  test('_id is unique', async () => {
    const collection = scene().db.collection<Document & { _id: number }>('ids')
    await collection.insertOne({ _id: 1 })
    const error = await refusal(collection.insertOne({ _id: 1 }))
    assert.equal(
      error.message,
      `E11000 duplicate key error collection: ${collection.namespace} index: _id_ dup key: { _id: 1 }`,
    )
    assert.equal(
      (
        await refusal(
          scene()
            .db.collection<Document>('ids')
            .insertOne({ _id: [1] as never }),
        )
      ).code,
      53,
    )
  })

  test('sparse and partial indexes are not of all documents', async () => {
    const collection = scene().db.collection<Document>('some')
    await collection.createIndex({ a: 1 }, { unique: true, sparse: true })
    await collection.insertMany([{}, {}, { a: 1 }])
    assert.equal((await refusal(collection.insertOne({ a: 1 }))).code, 11000)
    await collection.createIndex({ b: 1 }, { unique: true, partialFilterExpression: { live: true } })
    await collection.insertMany([{ b: 1 }, { b: 1 }, { b: 1, live: true }])
    assert.equal((await refusal(collection.insertOne({ b: 1, live: true }))).code, 11000)
  })

  test('a compound index, and one over an array', async () => {
    const collection = scene().db.collection<Document>('compound')
    await collection.createIndex({ a: 1, b: -1 }, { unique: true })
    await collection.insertMany([
      { a: 1, b: 1 },
      { a: 1, b: 2 },
    ])
    const error = await refusal(collection.insertOne({ a: 1, b: 2 }))
    assert.deepEqual(error.keyValue, { a: 1, b: 2 })
    await collection.createIndex({ tags: 1 }, { unique: true, sparse: true })
    await collection.insertOne({ a: 2, tags: ['x', 'y'] })
    assert.equal((await refusal(collection.insertOne({ a: 3, tags: ['z', 'y'] }))).code, 11000)
    assert.deepEqual(await collection.find({ tags: 'y' }, { projection: { _id: 0, a: 1 } }).toArray(), [{ a: 2 }])
    const inOrder = await collection
      .find({ a: 1 }, { projection: { _id: 0 } })
      .sort({ a: 1, b: -1 })
      .toArray()
    assert.deepEqual(inOrder, [
      { a: 1, b: 2 },
      { a: 1, b: 1 },
    ])
  })

  test('made, listed, made again, dropped', async () => {
    const collection = scene().db.collection<Document>('listed')
    await collection.insertOne({ a: 1 })
    await collection.createIndexes([
      { key: { a: 1 }, name: 'a_1' },
      { key: { at: 1 }, name: 'ttl', expireAfterSeconds: 3600 },
    ])
    await collection.createIndex({ a: 1 })
    assert.deepEqual(await collection.indexes(), [
      { v: 2, key: { _id: 1 }, name: '_id_' },
      { v: 2, key: { a: 1 }, name: 'a_1' },
      { v: 2, key: { at: 1 }, name: 'ttl', expireAfterSeconds: 3600 },
    ])
    assert.equal((await refusal(collection.createIndex({ a: 1 }, { name: 'other' }))).code, 85)
    assert.equal((await refusal(collection.createIndex({ b: 1 }, { name: 'a_1' }))).code, 86)
    await collection.dropIndex('a_1')
    assert.equal((await refusal(collection.dropIndex('a_1'))).code, 27)
    assert.equal((await refusal(collection.dropIndex('_id_'))).code, 72)
    await collection.dropIndexes()
    assert.equal((await collection.indexes()).length, 1)
    assert.equal((await refusal(scene().db.collection('nowhere').indexes())).code, 26)
  })

  test('no unique index over what is there twice', async () => {
    const collection = scene().db.collection<Document>('twice')
    await collection.insertMany([{ a: 1 }, { a: 1 }])
    assert.equal((await refusal(collection.createIndex({ a: 1 }, { unique: true }))).code, 11000)
    assert.equal((await collection.indexes()).length, 1)
  })

  test('keys that are none', async () => {
    const collection = scene().db.collection<Document>('none')
    assert.equal(
      (await refusal(scene().db.command({ createIndexes: 'none', indexes: [{ key: {}, name: 'x' }] }))).code,
      67,
    )
    assert.equal(
      (await refusal(scene().db.command({ createIndexes: 'none', indexes: [{ key: { a: 0 }, name: 'x' }] }))).code,
      67,
    )
    assert.equal(await collection.createIndex({ a: 1 }), 'a_1')
  })
})
