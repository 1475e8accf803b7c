import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MongoClient } from 'mongodb'

test('the suite runs against MongoDB itself where MONGODB_URI names one', async (t) => {
  const uri = process.env.MONGODB_URI
  if (uri === undefined) {
    t.diagnostic('MONGODB_URI is not set: NOT RUN against MongoDB; only pocket-mongo was asked')
    return
  }
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 5_000 })
  try {
    const { gitVersion } = await client.db('admin').command({ buildInfo: 1 })
    assert.notEqual(gitVersion, 'pocket-mongo', 'MONGODB_URI names a pocket-mongo: nothing is held against MongoDB')
  } finally {
    await client.close()
  }
})
