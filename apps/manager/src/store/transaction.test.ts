import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { kitErrors } from '@bulkhead/service-kit'
import { cleanUp } from '@bulkhead/testing'
import { MongoClient } from 'mongodb'
import { testMongo } from '../testing/mongo.js'
import { faultyWire } from '../testing/wire.js'
import { inTransaction } from './transaction.js'

async function scene(t: TestContext) {
  const mongo = await testMongo(t)
  const wire = await faultyWire(t, mongo.port)
  const client = new MongoClient(mongo.rootUri.replace(`:${mongo.port}/`, `:${wire.port}/`), {
    minHeartbeatFrequencyMS: 10,
  } as object)
  cleanUp(t, () => client.close())
  const counters = client.db('a').collection<{ _id: string; n: number }>('counters')
  await counters.insertOne({ _id: 'c', n: 0 })
  return { wire, client, counters }
}

test('of many that meet, each is done once', async (t) => {
  const { client, counters } = await scene(t)
  let runs = 0
  await Promise.all(
    Array.from({ length: 8 }, () =>
      inTransaction(
        client,
        async (session) => {
          runs++
          const found = await counters.findOne({ _id: 'c' }, { session })
          await counters.updateOne({ _id: 'c' }, { $set: { n: (found?.n ?? 0) + 1 } }, { session })
        },
        // However busy the machine is: how long it is tried is another test's.
        60_000,
      ),
    ),
  )
  assert.equal((await counters.findOne({ _id: 'c' }))?.n, 8)
  assert.ok(runs > 8, `they met: ${runs} runs`)
})

test('what the work throws is thrown, and nothing of it stands', async (t) => {
  const { client, counters } = await scene(t)
  const refused = kitErrors.error('CONFLICT')
  await assert.rejects(
    inTransaction(client, async (session) => {
      await counters.updateOne({ _id: 'c' }, { $set: { n: 5 } }, { session })
      throw refused
    }),
    (error) => error === refused,
  )
  assert.equal((await counters.findOne({ _id: 'c' }))?.n, 0)
})

test('a commit whose answer is lost is asked for again, and is one commit', async (t) => {
  const { client, counters, wire } = await scene(t)
  wire.cut(1, 'after', 'once')
  await inTransaction(client, (session) => counters.updateOne({ _id: 'c' }, { $inc: { n: 1 } }, { session }))
  assert.deepEqual(wire.commands.slice(0, 2), ['update', 'commitTransaction'])
  assert.ok(wire.commands.filter((name) => name === 'commitTransaction').length >= 2)
  assert.equal((await counters.findOne({ _id: 'c' }))?.n, 1)
})

test('a conflict that does not end is given up after the time that there is, with its label', async (t) => {
  const { client, counters } = await scene(t)
  const other = client.startSession()
  other.startTransaction()
  await counters.updateOne({ _id: 'c' }, { $inc: { n: 1 } }, { session: other })
  const started = performance.now()
  await assert.rejects(
    inTransaction(client, (session) => counters.updateOne({ _id: 'c' }, { $inc: { n: 1 } }, { session }), 200),
    { code: 112 },
  )
  assert.ok(performance.now() - started < 2_000)
  await other.abortTransaction()
  await other.endSession()
})
