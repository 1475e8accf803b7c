import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { startMongo } from '@bulkhead/pocket-mongo'
import { cleanUp } from '@bulkhead/testing'
import { MongoClient } from 'mongodb'
import { Connection } from '../store/connection.js'
import { ROOT, testMongo } from '../testing/mongo.js'
import { DatabaseSetupError, prepareReplicaSet, prepareUser } from './database.js'

const makeClient = (port: number, auth: { user: string; password: string }, authSource: string): MongoClient =>
  new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, {
    auth: { username: auth.user, password: auth.password },
    authSource,
    serverSelectionTimeoutMS: 300,
  })

/** A client, and another when that one is closed, as the program has it. */
function connectionOf(t: TestContext, port: number, auth: { user: string; password: string } = ROOT): Connection {
  const connection = new Connection({ make: () => makeClient(port, auth, 'admin'), heartbeatMs: 5_000 })
  cleanUp(t, () => connection.close())
  return connection
}

function clientOf(t: TestContext, port: number, auth: { user: string; password: string } = ROOT, authSource = 'admin') {
  const client = makeClient(port, auth, authSource)
  cleanUp(t, () => client.close())
  return client
}

/** A port that is free at the moment. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

test('a database that comes late is waited for, made a replica set once, and is found as one ever after', async (t) => {
  const port = await freePort()
  const client = connectionOf(t, port)
  const notes: string[] = []
  let mongo: Promise<unknown> | undefined
  const note = (text: string): void => {
    notes.push(text)
    mongo ??= testMongo(t, { port, initiated: false })
  }
  await prepareReplicaSet(client, 'rs0', { timeoutMs: 10_000, note })
  await mongo
  assert.match(notes[0] ?? '', /^waiting until the database answers: /)
  assert.ok(notes.includes('the replica set rs0 has been made'))
  const { set, members } = await client.client.db('admin').command({ replSetGetStatus: 1 })
  assert.deepEqual([set, members.length], ['rs0', 1])
  const again: string[] = []
  await prepareReplicaSet(client, 'rs0', { timeoutMs: 1_000, note: (text) => again.push(text) })
  assert.deepEqual(again, [])
})

test('what waiting does not mend is told at once, with what to do', async (t) => {
  const { port } = await testMongo(t)
  const wait = { timeoutMs: 60_000 }
  await assert.rejects(prepareReplicaSet(connectionOf(t, port), 'rs1', wait), (error) => {
    assert.ok(error instanceof DatabaseSetupError)
    assert.match(error.message, /of the replica set "rs0", and MANAGER_MONGODB_REPLICA_SET is "rs1"/)
    return true
  })
  const wrong = connectionOf(t, port, { user: 'root', password: 'not it' })
  await assert.rejects(prepareReplicaSet(wrong, 'rs0', wait), /does not take the password of its root user.*old value/)
  const alone = await startMongo({ root: ROOT })
  cleanUp(t, () => alone.close())
  alone.server.listen(0, '127.0.0.1')
  await once(alone.server, 'listening')
  const address = alone.server.address() as { port: number }
  await assert.rejects(prepareReplicaSet(connectionOf(t, address.port), 'rs0', wait), /start it with --replSet rs0/)
})

test('one that never comes is given up after the time that it has', async (t) => {
  const client = connectionOf(t, await freePort())
  await assert.rejects(
    prepareReplicaSet(client, 'rs0', { timeoutMs: 400 }),
    /waited 400 ms until the database answers: .*ECONNREFUSED/,
  )
})

test("the service's user may read and write in its database, and nothing anywhere else; its password follows the Secret", async (t) => {
  const { port } = await testMongo(t)
  const root = clientOf(t, port)
  const user = { database: 'manager', user: 'manager', password: 'first' }
  assert.equal(await prepareUser(root, user), 'made')
  const service = clientOf(t, port, user, 'manager')
  await service.db('manager').collection('a').insertOne({ n: 1 })
  assert.equal((await service.db('manager').collection('a').findOne())?.n, 1)
  const refused: readonly (() => Promise<unknown>)[] = [
    () => service.db('other').collection('a').insertOne({ n: 1 }),
    () => service.db('other').collection('a').findOne(),
    () => service.db('admin').command({ usersInfo: 1 }),
    () => service.db('manager').command({ createUser: 'x', pwd: 'y', roles: ['root'] }),
    () => service.db('manager').command({ collMod: 'a', validationLevel: 'off' }),
    () => service.db('manager').dropDatabase(),
  ]
  for (const ask of refused) await assert.rejects(ask(), { code: 13 }, String(ask))

  assert.equal(await prepareUser(root, { ...user, password: 'second' }), 'updated')
  await assert.rejects(clientOf(t, port, user, 'manager').db('manager').collection('a').findOne(), { code: 18 })
  const renewed = clientOf(t, port, { ...user, password: 'second' }, 'manager')
  assert.equal((await renewed.db('manager').collection('a').findOne())?.n, 1)
})
