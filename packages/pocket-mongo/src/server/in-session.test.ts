import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cleanUp, eventually } from '@bulkhead/testing'
import { type Document, Long, UUID } from 'bson'
import { openStore } from '../store/open.js'
import type { Store, Transaction } from '../store/types.js'
import { messageOf, RawClient } from '../testing/raw.js'
import { rawClient, started } from '../testing/scene.js'
import type { Mongo } from './start.js'

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
  const client = await rawClient(t, port)
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
  const [first, second] = [await RawClient.to(port), await rawClient(t, port)]
  const lsid = session()
  await first.ask(within(insert(1), lsid, 1, true))
  await second.ask(within(insert(2), lsid, 1))
  await first.end()
  assert.equal((await second.ask(within({ commitTransaction: 1 }, lsid, 1), 'admin')).ok.value, 1)
  assert.equal((await second.ask({ count: 'c' })).n.value, 2)
})

test('a commit that was asked for is done, whether anybody waits for it or not', async (t) => {
  const store = await openStore()
  cleanUp(t, () => store.close())
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
  leaver.send(messageOf(within({ commitTransaction: 1, $db: 'admin' }, lsid, 1)))
  await wasAsked
  leaver.socket.destroy()
  await eventually('the connection is gone', async () => (await connectionsOf(mongo)) === 0)
  const client = await rawClient(t, port)
  // The next client asks for the same commit, and learns how it ended.
  const again = client.ask(within({ commitTransaction: 1 }, lsid, 1), 'admin')
  proceed()
  assert.equal((await again).ok.value, 1)
  assert.equal((await client.ask({ count: 'c' })).n.value, 1)
})

test('a write that is asked for again while it is under way is done once', async (t) => {
  const { port } = await started(t)
  const [client, again, other] = [await rawClient(t, port), await rawClient(t, port), await rawClient(t, port)]
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
  const client = await rawClient(t, port)
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
  const { port } = await started(t, { standalone: true })
  const client = await rawClient(t, port)
  const hello = await client.ask({ hello: 1 })
  assert.deepEqual([hello.isWritablePrimary, hello.setName], [true, undefined])
  assert.equal((await client.ask(within(insert(1), session(), 1, true))).code.value, 20)
})
