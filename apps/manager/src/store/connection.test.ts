import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { cleanUp, eventually } from '@bulkhead/testing'
import { MongoClient } from 'mongodb'
import { ROOT, testMongo } from '../testing/mongo.js'
import { Connection } from './connection.js'

function connect(t: TestContext, port: number, heartbeatMs = 10_000, options: object = {}) {
  const notes: string[] = []
  const connection = new Connection({
    make: () =>
      new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, {
        auth: { username: ROOT.user, password: ROOT.password },
        serverSelectionTimeoutMS: 200,
        minHeartbeatFrequencyMS: 10,
        ...options,
      } as object),
    heartbeatMs,
    note: (why) => notes.push(why),
  })
  cleanUp(t, () => connection.close())
  return { connection, notes, ping: () => connection.client.db('admin').command({ ping: 1 }) }
}

/** Takes connections and says nothing. */
async function silent(t: TestContext): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUp(t, () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

test('a server that was not there at first is found when it is', async (t) => {
  const { port, close } = await testMongo(t)
  await close()
  const { ping } = connect(t, port)
  await assert.rejects(ping(), { name: 'MongoServerSelectionError' })
  await testMongo(t, { port })
  await ping()
})

test('a client whose heartbeat does not end is replaced; one that is served well is not', async (t) => {
  const port = await silent(t)
  // The driver would give it up by itself, but for its mistake.
  const { connection, notes, ping } = connect(t, port, 150, { connectTimeoutMS: 60_000 })
  const { client: first } = connection
  await assert.rejects(ping())
  await eventually('another client', () => connection.client !== first)
  assert.deepEqual(notes, ['no heartbeat has ended for 150 ms'])

  const mongo = await testMongo(t)
  const good = connect(t, mongo.port, 100, { heartbeatFrequencyMS: 500 })
  const { client } = good.connection
  const until = performance.now() + 700
  while (performance.now() < until) await good.ping()
  assert.equal(good.connection.client, client)
  assert.deepEqual(good.notes, [])
})

test('what waits for too long is told so, and what comes next has another client', async (t) => {
  const { port } = await testMongo(t)
  const { connection, notes } = connect(t, port)
  const { client } = connection
  assert.equal(await connection.within(1_000, async () => 1), 1)
  await assert.rejects(
    connection.within(20, () => new Promise(() => {})),
    { code: 'UNAVAILABLE', status: 503 },
  )
  assert.notEqual(connection.client, client)
  assert.deepEqual(notes, ['something has waited for 20 ms'])
  // Who waited on the first one does not have the second one replaced.
  const second = connection.client
  connection.renew(client, 'late')
  assert.equal(connection.client, second)
})
