import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { cleanUp } from '@bulkhead/testing'
import { type Document, Long, ObjectId } from 'bson'
import { MongoClient } from 'mongodb'
import { messageOf, RawClient } from '../testing/raw.js'
import { rawClient, started } from '../testing/scene.js'
import { startTestMongo } from '../testing/start.js'

const MORE_TO_COME = 2
const EXHAUST_ALLOWED = 1 << 16
const LONG = 3_600_000

const awaiting = (topologyVersion: unknown, maxAwaitTimeMS: unknown = LONG): Document => ({
  hello: 1,
  topologyVersion,
  maxAwaitTimeMS,
})
const streamed = (hello: Document): Buffer => messageOf({ ...hello, $db: 'admin' }, EXHAUST_ALLOWED)

test('a hello that knows the topology waits until it has changed, and no longer than it wants to', async (t) => {
  const { port } = await started(t, { standalone: true, replicaSet: { name: 'rs0' } })
  const [monitor, admin] = [await rawClient(t, port), await rawClient(t, port)]
  const { topologyVersion } = await monitor.ask({ hello: 1 }, 'admin')
  const began = performance.now()
  const same = await monitor.ask(awaiting(topologyVersion, 120), 'admin')
  assert.ok(performance.now() - began >= 100, 'it was answered at once')
  assert.deepEqual(same.topologyVersion, topologyVersion)
  const waits = monitor.ask(awaiting(topologyVersion), 'admin')
  // Others are served meanwhile.
  assert.equal((await admin.ask({ ping: 1 })).ok.value, 1)
  await admin.ask({ replSetInitiate: { _id: 'rs0', members: [{ _id: 0, host: 'mongo-0:27017' }] } }, 'admin')
  const next = await waits
  assert.deepEqual([next.isWritablePrimary, next.me], [true, 'mongo-0:27017'])
  assert.deepEqual(next.topologyVersion.processId, topologyVersion.processId)
  assert.equal(next.topologyVersion.counter.toNumber(), topologyVersion.counter.toNumber() + 1)
  // What is known no longer, or of another server, is told at once.
  const other = { processId: new ObjectId(), counter: topologyVersion.counter }
  for (const old of [topologyVersion, other])
    assert.deepEqual((await monitor.ask(awaiting(old), 'admin')).topologyVersion, next.topologyVersion)
})

test('where the client allows it, answers follow one another unasked, each to the one before', async (t) => {
  const { port } = await started(t, { standalone: true, replicaSet: { name: 'rs0' } })
  const [monitor, admin] = [await rawClient(t, port), await rawClient(t, port)]
  const { topologyVersion } = await monitor.ask({ hello: 1 }, 'admin')
  monitor.send(streamed(awaiting(topologyVersion, 30)))
  const first = (await monitor.reply()) ?? assert.fail('no answer')
  const second = (await monitor.reply()) ?? assert.fail('no second answer')
  assert.deepEqual([first.flags, second.flags], [MORE_TO_COME, MORE_TO_COME])
  assert.deepEqual([first.responseTo, second.responseTo], [1, first.requestId])
  await admin.ask({ replSetInitiate: {} }, 'admin')
  let last = second
  while (last.body.isWritablePrimary !== true) last = (await monitor.reply()) ?? assert.fail('it ended')
  // The next one waits for what comes after this.
  const after = (await monitor.reply()) ?? assert.fail('it ended')
  assert.deepEqual(after.body.topologyVersion, last.body.topologyVersion)
  assert.equal(after.flags, MORE_TO_COME)
})

test('a hello that is no such, or not allowed to go on, is answered once', async (t) => {
  const { port } = await started(t)
  const client = await rawClient(t, port)
  const { topologyVersion } = await client.ask({ hello: 1 }, 'admin')
  client.send(streamed({ hello: 1 }))
  assert.equal((await client.reply())?.flags, 0)
  client.send(messageOf({ ...awaiting(topologyVersion, 1), $db: 'admin' }))
  assert.equal((await client.reply())?.flags, 0)
  client.send(messageOf({ ping: 1, $db: 'admin' }, EXHAUST_ALLOWED))
  assert.equal((await client.reply())?.flags, 0)
  const { processId, counter } = topologyVersion
  for (const [hello, code] of [
    [{ hello: 1, topologyVersion }, 31368],
    [{ hello: 1, maxAwaitTimeMS: 5 }, 31368],
    [awaiting({ processId, counter: Long.fromNumber(-1) }), 31372],
    [awaiting({ processId, counter: counter.add(1) }), 31382],
    [awaiting(topologyVersion, -1), 51024],
    [awaiting(topologyVersion, 'long'), 14],
    [awaiting('mine'), 14],
    [awaiting({ processId: 5, counter }), 14],
    [awaiting({ processId }), 14],
  ] as const) {
    client.send(streamed(hello))
    const reply = await client.reply()
    assert.deepEqual([reply?.flags, reply?.body.code?.value], [0, code], JSON.stringify(hello))
  }
})

test('close ends the hellos that wait, at once', async () => {
  const { mongo, port } = await startTestMongo()
  const clients = [await RawClient.to(port), await RawClient.to(port)]
  for (const [n, client] of clients.entries()) {
    const { topologyVersion } = await client.ask({ hello: 1 }, 'admin')
    client.send(
      n === 0 ? streamed(awaiting(topologyVersion)) : messageOf({ ...awaiting(topologyVersion), $db: 'admin' }),
    )
  }
  // Both have come.
  for (const client of clients) {
    const other = await RawClient.to(port)
    await other.ask({ ping: 1 })
    await other.end()
    assert.equal(client.closed, false)
  }
  const began = performance.now()
  await mongo.close()
  assert.ok(performance.now() - began < 2_000, `it took ${performance.now() - began} ms`)
  for (const client of clients) {
    const answer = await client.answer()
    if (answer !== undefined) assert.equal(answer.code.value, 11600)
    assert.equal(await client.answer(), undefined)
  }
})

test('the driver streams: it hears of a primary when there is one, and of the end when it comes', async (t) => {
  const running = await started(t, { standalone: true, replicaSet: { name: 'rs0' } })
  const client = new MongoClient(running.uri, { heartbeatFrequencyMS: 60_000 })
  cleanUp(t, () => client.close())
  const succeeded: boolean[] = []
  client.on('serverHeartbeatSucceeded', ({ awaited }) => succeeded.push(awaited))
  await client.db('admin').command({ ping: 1 })
  const waits = once(client, 'serverHeartbeatStarted')
  assert.equal((await waits)[0].awaited, true)
  const changed = once(client, 'serverDescriptionChanged')
  const admin = await rawClient(t, running.port)
  await admin.ask({ replSetInitiate: {} }, 'admin')
  const [{ newDescription }] = await changed
  assert.equal(newDescription.setName, 'rs0')
  assert.ok(succeeded.includes(true))
  const failed = once(client, 'serverHeartbeatFailed')
  await running.close()
  assert.equal((await failed)[0].awaited, true)
})
