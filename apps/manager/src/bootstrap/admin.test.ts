import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '@bulkhead/service-kit'
import { SYSTEM_ID } from '../store/migrations/list.js'
import { startManager } from '../testing/index.js'
import { newUserDoc } from '../users/documents.js'
import { makeAdmin, NotMigratedError } from './admin.js'
import { Start } from './start.js'

const hash = async (password: string): Promise<string> => `hash of ${password}`
const first = { email: 'first@example.com', password: 'of the first' }

test('the first admin is made once, active and with the role admin, also by two replicas at once', async (t) => {
  const { db, store } = await startManager(t)
  const made = await Promise.all([makeAdmin(store, first, hash), makeAdmin(store, first, hash)])
  assert.deepEqual(made.sort(), [false, true])
  const found = await db.collection('users').find({ username: first.email }).toArray()
  const role = await db.collection('roles').findOne({ name: 'admin' })
  assert.deepEqual(
    found.map(({ password, status, roleIds }) => [password, status, roleIds]),
    [['hash of of the first', 1, [role?._id]]],
  )
  // Like every user who is made, but that nobody made him.
  const [admin] = found
  assert.ok(admin)
  const other = newUserDoc({ username: 'x', phc: 'x', status: 1, now: 0 })
  assert.deepEqual(Object.keys(admin).sort(), Object.keys(other).sort())
  assert.deepEqual([admin.tokenVersion, admin.version, admin.creatorID], [0, 1, SYSTEM_ID])
})

test('what has become of him since stays as it is', async (t) => {
  const { db, store } = await startManager(t)
  await makeAdmin(store, first, hash)
  await db.collection('users').updateOne({ username: first.email }, { $set: { password: 'his own', roleIds: [] } })
  assert.equal(await makeAdmin(store, { ...first, password: 'another' }, hash), false)
  const user = await db.collection('users').findOne({ username: first.email })
  assert.deepEqual([user?.password, user?.roleIds], ['his own', []])
})

test('without the migrations nothing starts, and it says so; it is not ready before it is done', async (t) => {
  const { db, store } = await startManager(t)
  const log = createLog({ name: 'test', write: () => {} }).log
  const start = new Start()
  assert.throws(start.check, /has not been asked yet/)
  const deps = { store, admin: first, hash, log, signal: new AbortController().signal }
  await db.collection('schema_migrations').deleteMany({ _id: { $gt: 2 } as never })
  await assert.rejects(start.run(deps), (error) => {
    assert.ok(error instanceof NotMigratedError)
    assert.match(
      error.message,
      /the database is at version 2, and this service needs version \d+: run the migrations first/,
    )
    return true
  })
  assert.throws(start.check)
  await db.collection('roles').deleteMany({})
  await assert.rejects(makeAdmin(store, first, hash), /there is no role "admin"/)
})

test('it waits for a database that is not there, until it is told to stop', async (t) => {
  const { store, mongo } = await startManager(t, { client: { serverSelectionTimeoutMS: 50 } })
  await mongo.close()
  const lines: string[] = []
  const stop = new AbortController()
  const log = createLog({ name: 'test', write: (line) => lines.push(line) }).log
  const start = new Start()
  setTimeout(() => stop.abort(), 400)
  await start.run({ store, admin: first, hash, log, signal: stop.signal })
  assert.throws(start.check)
  assert.match(lines[0] ?? '', /the database is not there yet/)
})

test('one question that the database never answers does not keep the start for ever: another try is made', async (t) => {
  const manager = await startManager(t)
  const { db } = manager
  let hanging = 1
  const store = {
    get users() {
      return manager.store.users
    },
    get roles() {
      return manager.store.roles
    },
    within: manager.store.within,
    version: () => (hanging-- > 0 ? new Promise<number>(() => {}) : manager.store.version()),
  }
  const lines: string[] = []
  const log = createLog({ name: 'test', write: (line) => lines.push(line) }).log
  const start = new Start()
  await start.run({ store, admin: first, hash, log, signal: new AbortController().signal, tryMs: 500 })
  start.check()
  assert.match(lines[0] ?? '', /the database is not there yet/)
  assert.equal(await db.collection('users').countDocuments({ username: first.email }), 1)
})
