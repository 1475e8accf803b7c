import assert from 'node:assert/strict'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { cleanUp, temporaryFolder } from '@bulkhead/testing'
import { type Document, serialize } from 'bson'
import { MongoClient, MongoServerError } from 'mongodb'
import type { LogEvent } from '../log.js'
import { RawClient } from '../testing/raw.js'
import { rawClient, started } from '../testing/scene.js'
import { startTestMongo } from '../testing/start.js'
import type { MongoOptions } from './start.js'

const insert = (_id: number): Document => ({ insert: 'c', documents: [{ _id }] })

test('a replica set that waits: no data until it is begun, once, and it stays so', async (t) => {
  const dataDir = temporaryFolder(t)
  const options: MongoOptions = { dataDir, replicaSet: { name: 'rs0' } }
  const first = await startTestMongo(options)
  const client = await RawClient.to(first.port)
  const before = await client.ask({ hello: 1 })
  assert.deepEqual([before.isWritablePrimary, before.secondary, before.isreplicaset], [false, false, true])
  assert.equal((await client.ask({ replSetGetStatus: 1 }, 'admin')).code.value, 94)
  assert.equal((await client.ask(insert(1))).code.value, 10107)
  assert.equal((await client.ask({ find: 'c' })).code.value, 13436)
  const config = (name: string) => ({ _id: name, members: [{ _id: 0, host: 'mongo-0.mongo:27017' }] })
  assert.equal((await client.ask({ replSetInitiate: config('other') }, 'admin')).code.value, 93)
  assert.equal((await client.ask({ replSetInitiate: config('rs0') }, 'admin')).ok.value, 1)
  assert.equal((await client.ask({ replSetInitiate: config('rs0') }, 'admin')).code.value, 23)
  const hello = await client.ask({ hello: 1 })
  assert.deepEqual([hello.isWritablePrimary, hello.setName, hello.me], [true, 'rs0', 'mongo-0.mongo:27017'])
  assert.equal((await client.ask(insert(1))).n.value, 1)
  await client.end()
  await first.close()
  const second = await startTestMongo(options)
  cleanUp(t, () => second.close())
  const later = await rawClient(t, second.port)
  assert.equal((await later.ask({ hello: 1 })).isWritablePrimary, true)
  assert.equal((await later.ask({ count: 'c' })).n.value, 1)
})

test('users are kept; the root user of the options has the password of the options', async (t) => {
  const dataDir = temporaryFolder(t)
  const logsIn = async (uri: string) => {
    const client = new MongoClient(uri, { serverSelectionTimeoutMS: 5_000 })
    try {
      await client.connect()
      return true
    } catch (error) {
      if (error instanceof MongoServerError && error.code === 18) return false
      throw error
    } finally {
      await client.close()
    }
  }
  const first = await startTestMongo({ dataDir, root: { user: 'root', password: 'one' } })
  const client = new MongoClient(first.uri)
  await client.db('shop').command({ createUser: 'anna', pwd: 'secret', roles: ['readWrite'] })
  await client.close()
  await first.close()
  const second = await startTestMongo({ dataDir, root: { user: 'root', password: 'two' } })
  cleanUp(t, () => second.close())
  const at = (login: string) => second.uri.replace(/\/\/[^@]*@/, `//${login}@`)
  assert.equal(await logsIn(at('root:one')), false)
  assert.equal(await logsIn(second.uri), true)
  assert.equal(await logsIn(`${at('anna:secret')}&authSource=shop`), true)
  assert.equal(await logsIn(`${at('anna:secret')}&authSource=admin`), false)
})

test('a user who is dropped has no rights from then on, on connections that are open too', async (t) => {
  const running = await started(t, { root: { user: 'root', password: 'one' } })
  const [root, brief] = [running.uri, running.uri.replace(/\/\/[^@]*@/, '//brief:x@')].map(
    (uri) => new MongoClient(uri),
  )
  cleanUp(t, () => Promise.all([root?.close(), brief?.close()]))
  const find = () => brief?.db('admin').command({ find: 'c' })
  await root?.db('admin').command({ createUser: 'brief', pwd: 'x', roles: ['read'] })
  assert.equal((await find())?.ok, 1)
  await root?.db('admin').command({ dropUser: 'brief' })
  await assert.rejects(async () => find(), { code: 13 })
})

test('a start with the same root user writes nothing', async (t) => {
  const dataDir = temporaryFolder(t)
  const size = () => readdirSync(dataDir).reduce((sum, file) => sum + statSync(join(dataDir, file)).size, 0)
  const start = async (password: string) => {
    const running = await startTestMongo({ dataDir, root: { user: 'root', password } })
    await running.close()
    return size()
  }
  const first = await start('one')
  assert.equal(await start('one'), first)
  assert.notEqual(await start('two'), first)
})

test("the users' collection is not written or read around their commands", async (t) => {
  const running = await started(t, { root: { user: 'root', password: 'one' } })
  const root = new MongoClient(running.uri)
  cleanUp(t, () => root.close())
  const code = async (work: Promise<unknown>) => {
    try {
      await work
    } catch (error) {
      if (error instanceof MongoServerError) return error.code
      throw error
    }
    return undefined
  }
  const admin = root.db('admin')
  assert.equal(await code(admin.collection('system.users').deleteMany({})), 73)
  assert.equal(await code(admin.collection('system.users').insertOne({})), 73)
  assert.equal(await code(admin.collection('system.users').drop()), 73)
  await admin.command({ createUser: 'reader', pwd: 'x', roles: ['read'] })
  const reader = new MongoClient(running.uri.replace(/\/\/[^@]*@/, '//reader:x@'))
  cleanUp(t, () => reader.close())
  const users = (pipeline: Document[]) => reader.db('admin').collection('system.users').aggregate(pipeline).toArray()
  assert.equal(await code(users([])), 13)
  const joined = { from: 'system.users', pipeline: [], as: 'all' }
  const byFields = { from: 'system.users', localField: 'a', foreignField: 'b', as: 'all' }
  for (const stage of [
    { $lookup: joined },
    { $lookup: byFields },
    { $unionWith: 'system.users' },
    { $facet: { a: [{ $lookup: joined }] } },
  ])
    assert.equal(
      await code(
        reader
          .db('admin')
          .aggregate([{ $documents: [{}] }, stage])
          .toArray(),
      ),
      13,
    )
  assert.deepEqual(
    await reader
      .db('admin')
      .aggregate([{ $documents: [{ a: 1 }] }])
      .toArray(),
    [{ a: 1 }],
  )
})

test('what is not supported is refused by its name, and told in the log', async (t) => {
  const events: LogEvent[] = []
  const { port } = await started(t, { log: (event) => events.push(event) })
  const client = await rawClient(t, port)
  const refused: readonly (readonly [command: Document, code: number, names: RegExp])[] = [
    [{ find: 'c', filter: { $where: 'true' } }, 238, /\$where/],
    [{ find: 'c', filter: { $text: { $search: 'x' } } }, 238, /\$text/],
    [{ find: 'c', filter: { a: { $near: [0, 0] } } }, 238, /\$near/],
    [{ find: 'c', collation: { locale: 'de' } }, 238, /collation/],
    [{ find: 'c', tailable: true }, 238, /tailable/],
    [{ aggregate: 'c', pipeline: [{ $changeStream: {} }], cursor: {} }, 238, /\$changeStream/],
    [{ aggregate: 'c', pipeline: [{ $out: 'd' }], cursor: {} }, 238, /\$out/],
    [{ aggregate: 'c', pipeline: [{ $setWindowFields: { output: {} } }], cursor: {} }, 238, /\$setWindowFields/],
    [{ aggregate: 'c', pipeline: [{ $project: { a: { $function: {} } } }], cursor: {} }, 238, /\$function/],
    [{ createIndexes: 'c', indexes: [{ key: { a: 'text' }, name: 'x' }] }, 238, /text/],
    [{ create: 'c', capped: true, size: 100 }, 238, /capped/],
    [{ explain: { find: 'c' } }, 59, /explain/],
    [{ mapReduce: 'c' }, 59, /mapReduce/],
  ]
  for (const [command, code, names] of refused) {
    const answer = await client.ask(command)
    assert.equal(answer.code.value, code, JSON.stringify(command))
    assert.match(String(answer.errmsg), names)
    assert.match(events.at(-1)?.message ?? '', names)
  }
  assert.equal((await client.ask({ find: 'c' })).ok.value, 1)
})

test('the first hello of a driver that knows nothing yet', async (t) => {
  const { port } = await started(t)
  const client = await rawClient(t, port)
  const opQuery = (ns: string, body: Document): Buffer => {
    const name = Buffer.from(`${ns}\0`)
    const bytes = serialize(body)
    const head = Buffer.alloc(20)
    head.writeInt32LE(20 + name.length + 8 + bytes.length, 0)
    head.writeInt32LE(2004, 12)
    const numbers = Buffer.alloc(8)
    numbers.writeInt32LE(-1, 4)
    return Buffer.concat([head, name, numbers, bytes])
  }
  client.send(opQuery('admin.$cmd', { isMaster: 1, helloOk: true }))
  const hello = await client.answer()
  assert.deepEqual([hello?.ismaster, hello?.helloOk, hello?.ok.value], [true, true, 1])
  client.send(opQuery('test.c', {}))
  assert.equal((await client.answer())?.code.value, 115)
  assert.equal(await client.answer(), undefined)
})

test('closing answers what runs, ends what waits, and can be asked for twice', async () => {
  const running = await startTestMongo()
  const [client, waiter] = [await RawClient.to(running.port), await RawClient.to(running.port)]
  await client.ask(insert(1))
  const closing = running.close()
  await Promise.all([closing, running.close()])
  assert.equal(await client.answer(), undefined)
  assert.equal(await waiter.answer(), undefined)
})
