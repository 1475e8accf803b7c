import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Document, Long, serialize, UUID } from 'bson'
import { MongoClient, MongoServerError } from 'mongodb'
import type { LogEvent } from '../log.js'
import { openStore } from '../store/open.js'
import type { Store, Transaction } from '../store/types.js'
import { RawClient } from '../testing/raw.js'
import { startTestMongo } from '../testing/start.js'
import type { Mongo, MongoOptions } from './start.js'

async function started(t: TestContext, options: MongoOptions = {}) {
  const running = await startTestMongo(options)
  t.after(() => running.close())
  return running
}

async function raw(t: TestContext, port: number) {
  const client = await RawClient.to(port)
  t.after(() => client.end())
  return client
}

const folder = (t: TestContext): string => {
  const path = mkdtempSync(join(tmpdir(), 'pocket-mongo-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

const connectionsOf = ({ server }: Mongo) =>
  new Promise<number>((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
  })

/** A statement of a transaction. */
const within = (body: Document, lsid: Document, number: number, first = false): Document => ({
  ...body,
  lsid,
  txnNumber: Long.fromNumber(number),
  autocommit: false,
  ...(first ? { startTransaction: true } : {}),
})
const session = (): Document => ({ id: new UUID() })
const insert = (_id: number): Document => ({ insert: 'c', documents: [{ _id }] })
const set = (value: string): Document => ({ update: 'c', updates: [{ q: { _id: 1 }, u: { $set: { by: value } } }] })

test('a connection that ends ends the transaction that it did not commit', async (t) => {
  const { port } = await started(t)
  const client = await raw(t, port)
  await client.ask(insert(1))
  const leaver = await RawClient.to(port)
  assert.equal((await leaver.ask(within(set('leaver'), session(), 1, true))).ok.value, 1)
  const waits = client.ask(set('client'))
  await leaver.end()
  assert.equal((await waits).n.value, 1)
  const { cursor } = await client.ask({ find: 'c' })
  assert.deepEqual(
    cursor.firstBatch.map(({ by }: Document) => by),
    ['client'],
  )
})

test('a transaction may go on over another connection of its client: the one that spoke last counts', async (t) => {
  const { port } = await started(t)
  const [first, second] = [await RawClient.to(port), await raw(t, port)]
  const lsid = session()
  await first.ask(within(insert(1), lsid, 1, true))
  await second.ask(within(insert(2), lsid, 1))
  await first.end()
  assert.equal((await second.ask(within({ commitTransaction: 1 }, lsid, 1), 'admin')).ok.value, 1)
  assert.equal((await second.ask({ count: 'c' })).n.value, 2)
})

test('a commit that was asked for is done, whether anybody waits for it or not', async (t) => {
  const store = await openStore()
  t.after(() => store.close())
  let proceed = () => {}
  const held = new Promise<void>((resolve) => {
    proceed = resolve
  })
  let asked = () => {}
  const wasAsked = new Promise<void>((resolve) => {
    asked = resolve
  })
  const slow: Store = {
    read: (work) => store.read(work),
    write: (work, options) => store.write(work, options),
    compact: () => store.compact(),
    close: async () => {},
    begin(): Transaction {
      const inner = store.begin()
      return {
        get state() {
          return inner.state
        },
        run: (work) => inner.run(work),
        abort: () => inner.abort(),
        async commit() {
          asked()
          await held
          await inner.commit()
        },
      }
    },
  }
  const { port, mongo } = await started(t, { store: slow })
  const leaver = await RawClient.to(port)
  const lsid = session()
  await leaver.ask(within(insert(1), lsid, 1, true))
  const commit = within({ commitTransaction: 1, $db: 'admin' }, lsid, 1)
  const bytes = serialize(commit)
  const head = Buffer.alloc(21)
  head.writeInt32LE(21 + bytes.length, 0)
  head.writeInt32LE(2013, 12)
  leaver.send(Buffer.concat([head, bytes]))
  await wasAsked
  leaver.socket.destroy()
  const until = Date.now() + 5_000
  while ((await connectionsOf(mongo)) > 0) {
    assert.ok(Date.now() < until, 'the connection is still there')
    await new Promise((resolve) => setImmediate(resolve))
  }
  const client = await raw(t, port)
  // The next client asks for the same commit, and learns how it ended.
  const again = client.ask(within({ commitTransaction: 1 }, lsid, 1), 'admin')
  proceed()
  assert.equal((await again).ok.value, 1)
  assert.equal((await client.ask({ count: 'c' })).n.value, 1)
})

test('a write that is asked for again while it is under way is done once', async (t) => {
  const { port } = await started(t)
  const [client, again, other] = [await raw(t, port), await raw(t, port), await raw(t, port)]
  await client.ask({ insert: 'c', documents: [{ _id: 1, n: 0 }] })
  const open = session()
  await other.ask(within({ update: 'c', updates: [{ q: { _id: 1 }, u: { $inc: { n: 10 } } }] }, open, 1, true))
  const write = {
    update: 'c',
    updates: [{ q: { _id: 1 }, u: { $inc: { n: 1 } } }],
    lsid: session(),
    txnNumber: Long.fromNumber(1),
  }
  const [one, two] = [client.ask(write), again.ask(write)]
  await other.ask(within({ commitTransaction: 1 }, open, 1), 'admin')
  assert.deepEqual([(await one).nModified.value, (await two).nModified.value], [1, 1])
  const { cursor } = await client.ask({ find: 'c' })
  assert.equal(cursor.firstBatch[0].n.value, 11)
})

test('a session that is ended ends its transaction and its cursors', async (t) => {
  const { port } = await started(t)
  const client = await raw(t, port)
  await client.ask({ insert: 'c', documents: [1, 2, 3].map((_id) => ({ _id })) })
  const lsid = session()
  const { cursor } = await client.ask({ find: 'c', batchSize: 1, lsid })
  await client.ask(within(set('session'), lsid, 1, true))
  await client.ask({ endSessions: [lsid] }, 'admin')
  assert.equal((await client.ask({ getMore: cursor.id, collection: 'c', lsid })).code.value, 43)
  assert.equal((await client.ask(within({ commitTransaction: 1 }, lsid, 1), 'admin')).code.value, 251)
  assert.equal((await client.ask(set('client'))).nModified.value, 1)
})

test('a standalone server has no transactions', async (t) => {
  const running = await startTestMongo({ replicaSet: undefined as never })
  t.after(() => running.close())
  const client = await raw(t, running.port)
  const hello = await client.ask({ hello: 1 })
  assert.deepEqual([hello.isWritablePrimary, hello.setName], [true, undefined])
  assert.equal((await client.ask(within(insert(1), session(), 1, true))).code.value, 20)
})

test('a replica set that waits: no data until it is begun, once, and it stays so', async (t) => {
  const dataDir = folder(t)
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
  t.after(() => second.close())
  const later = await raw(t, second.port)
  assert.equal((await later.ask({ hello: 1 })).isWritablePrimary, true)
  assert.equal((await later.ask({ count: 'c' })).n.value, 1)
})

test('users are kept; the root user of the options has the password of the options', async (t) => {
  const dataDir = folder(t)
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
  t.after(() => second.close())
  const at = (login: string) => second.uri.replace(/\/\/[^@]*@/, `//${login}@`)
  assert.equal(await logsIn(at('root:one')), false)
  assert.equal(await logsIn(second.uri), true)
  assert.equal(await logsIn(`${at('anna:secret')}&authSource=shop`), true)
  assert.equal(await logsIn(`${at('anna:secret')}&authSource=admin`), false)
})

test('a start with the same root user writes nothing', async (t) => {
  const dataDir = folder(t)
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
  t.after(() => root.close())
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
  t.after(() => reader.close())
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
  const client = await raw(t, port)
  const refused: readonly (readonly [command: Document, code: number, names: RegExp])[] = [
    [{ find: 'c', filter: { $where: 'true' } }, 238, /\$where/],
    [{ find: 'c', filter: { $text: { $search: 'x' } } }, 238, /\$text/],
    [{ find: 'c', filter: { a: { $near: [0, 0] } } }, 238, /\$near/],
    [{ find: 'c', collation: { locale: 'de' } }, 238, /collation/],
    [{ find: 'c', tailable: true }, 238, /tailable/],
    [{ aggregate: 'c', pipeline: [{ $changeStream: {} }], cursor: {} }, 238, /\$changeStream/],
    [{ aggregate: 'c', pipeline: [{ $out: 'd' }], cursor: {} }, 238, /\$out/],
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
  const client = await raw(t, port)
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
