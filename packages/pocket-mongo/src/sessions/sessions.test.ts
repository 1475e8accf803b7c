import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UUID } from 'bson'
import { openStore } from '../store/open.js'
import { Sessions } from './sessions.js'

async function scene() {
  const store = await openStore()
  const sessions = new Sessions(store)
  const key = Sessions.key(new UUID(), 'test.ann')
  return { store, sessions, key, session: sessions.use(key) }
}

test("a session is its user's: another one with the same id has one of his own", async () => {
  const { store, sessions } = await scene()
  const id = new UUID()
  const own = sessions.use(Sessions.key(id, 'test.ann'))
  assert.equal(sessions.use(Sessions.key(id, 'test.ann')), own)
  assert.notEqual(sessions.use(Sessions.key(id, 'test.bob')), own)
  assert.notEqual(sessions.use(Sessions.key(id, undefined)), own)
  await store.close()
})

test('it ends after half an hour in which nobody used it, and the transaction with it', async () => {
  const { store, sessions, session, key } = await scene()
  const { inner } = sessions.begin(session, 1n, 7)
  assert.deepEqual(sessions.sweep(Date.now() + 29 * 60_000), [])
  assert.equal(inner.state, 'active')
  assert.deepEqual(sessions.sweep(Date.now() + 31 * 60_000), [key])
  assert.equal(inner.state, 'aborted')
  assert.equal(sessions.size, 0)
  await store.close()
})

test('numbers of transactions only grow', async () => {
  const { store, sessions, session } = await scene()
  const first = sessions.begin(session, 5n, 7)
  assert.throws(() => sessions.begin(session, 5n, 7), { codeName: 'ConflictingOperationInProgress' })
  assert.throws(() => sessions.begin(session, 4n, 7), { codeName: 'TransactionTooOld' })
  assert.throws(() => sessions.current(session, 4n, 7), { codeName: 'TransactionTooOld' })
  assert.throws(() => sessions.current(session, 6n, 7), { codeName: 'NoSuchTransaction' })
  assert.equal(first.inner.state, 'active')
  // A client that begins the next one has given the first up.
  const second = sessions.begin(session, 6n, 7)
  assert.deepEqual([first.inner.state, second.inner.state], ['aborted', 'active'])
  second.inner.abort()
  await store.close()
})

test('it ends with the connection that spoke last in it, and not when it is being committed', async () => {
  const { store, sessions, session } = await scene()
  const first = sessions.begin(session, 1n, 7)
  sessions.current(session, 1n, 8)
  sessions.connectionEnded(7)
  assert.equal(first.inner.state, 'active')
  sessions.connectionEnded(8)
  assert.equal(first.inner.state, 'aborted')
  const second = sessions.begin(session, 2n, 7)
  second.committed = second.inner.commit()
  sessions.connectionEnded(7)
  await second.committed
  assert.equal(second.inner.state, 'committed')
  await store.close()
})

test('ending sessions of one user leaves the others', async () => {
  const { store, sessions } = await scene()
  const other = Sessions.key(new UUID(), 'test.bob')
  sessions.use(other)
  assert.deepEqual(sessions.endOf('test.bob'), [other])
  assert.equal(sessions.size, 1)
  await store.close()
})
