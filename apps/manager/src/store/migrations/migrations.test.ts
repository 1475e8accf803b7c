import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { cleanUp } from '@bulkhead/testing'
import { type Db, type Document, Int32, Long, MongoClient, MongoServerError, ObjectId } from 'mongodb'
import { permissionKeys } from '../../http/route.js'
import { testMongo } from '../../testing/mongo.js'
import { faultyWire } from '../../testing/wire.js'
import { schemas } from '../schemas.js'
import { latestVersion, migrate, schemaVersion } from './run.js'

async function database(t: TestContext): Promise<{ readonly db: Db; readonly uri: string; readonly port: number }> {
  const mongo = await testMongo(t)
  const client = new MongoClient(mongo.rootUri)
  cleanUp(t, () => client.close())
  return { db: client.db('manager'), uri: mongo.rootUri, port: mongo.port }
}

const run = (db: Db, more: object = {}): Promise<void> => migrate(db, { owner: 'test', waitMs: 2_000, ...more })

/** All that the migrations make, without what differs from run to run. */
async function stateOf(db: Db): Promise<unknown> {
  const state: Record<string, unknown> = {}
  for (const { name, options } of (await db.listCollections().toArray()) as { name: string; options?: unknown }[]) {
    const indexes = await db.collection(name).indexes()
    const documents = await db.collection(name).find().toArray()
    state[name] = {
      options,
      indexes: indexes.sort((a, b) => String(a.name).localeCompare(String(b.name))),
      documents: documents
        .map(({ _id, createdTime: _c, updatedTime: _u, appliedAt: _a, version: _v, ...rest }) => JSON.stringify(rest))
        .sort(),
    }
  }
  return state
}

test('an empty database gets its collections, schemas, indexes, permissions and the role admin', async (t) => {
  const { db } = await database(t)
  const notes: string[] = []
  await run(db, { note: (text: string) => notes.push(text) })
  assert.equal(await schemaVersion(db), latestVersion)
  assert.equal(notes.length, latestVersion)
  const listed = (await db.listCollections().toArray()) as unknown as { name: string; options: Document }[]
  for (const [name, { schema, indexes }] of Object.entries(schemas)) {
    assert.deepEqual(listed.find((each) => each.name === name)?.options.validator, { $jsonSchema: schema }, name)
    const made = (await db.collection(name).indexes()).map((index) => index.name)
    assert.deepEqual(made.sort(), ['_id_', ...indexes.map(({ options }) => options.name)].sort(), name)
  }
  const permissions = await db.collection('permissions').find().toArray()
  assert.deepEqual(
    permissions.map(({ key }) => key),
    permissionKeys,
  )
  const [role, ...others] = await db.collection('roles').find().toArray()
  assert.deepEqual(others, [])
  assert.deepEqual(
    [role?.name, role?.description, role?.builtIn],
    ['admin', 'Administrator role with all permissions', true],
  )
  assert.deepEqual(
    role?.policies,
    permissionKeys.map((permissionKey) => ({ permissionKey, self: false, k8sNamespace: '', policyNamespace: '' })),
  )
})

test('run again, and by two at once, they change nothing more', async (t) => {
  const { db } = await database(t)
  await Promise.all([run(db, { owner: 'one' }), run(db, { owner: 'two' })])
  const once = await stateOf(db)
  const [role] = await db.collection('roles').find().toArray()
  assert.equal(role?.version, 1, 'each step was run once')
  await run(db)
  assert.deepEqual(await stateOf(db), once)
})

test('cut off in the middle of any step, the next run ends where an undisturbed one does', async (t) => {
  const whole = await database(t)
  await run(whole.db)
  const expected = await stateOf(whole.db)
  let cuts = 0
  // Every fifth, since each takes a database of its own: among them are commands of every step.
  for (let at = 0; ; at += 5) {
    const { db, uri, port } = await database(t)
    const wire = await faultyWire(t, port)
    wire.cut(at, at % 2 === 0 ? 'before' : 'after', 'for good')
    const client = new MongoClient(uri.replace(`:${port}/`, `:${wire.port}/`), {
      serverSelectionTimeoutMS: 50,
      retryWrites: false,
      retryReads: false,
    })
    const outcome = await run(client.db('manager')).then(
      () => 'done',
      () => 'cut',
    )
    await client.close()
    if (outcome === 'done') break
    cuts++
    // The lease of the one that died has run out.
    await db.collection('schema_lock').updateMany({}, { $set: { expiresAt: new Date(0) } })
    await run(db, { owner: 'the next' })
    assert.deepEqual(await stateOf(db), expected, `cut at ${at}`)
  }
  assert.ok(cuts >= 8, `${cuts} commands`)
})

test('a lock that is held is waited for, and one whose lease has run out is taken', async (t) => {
  const { db } = await database(t)
  const lock = db.collection<{ _id: string; owner: string; expiresAt: Date }>('schema_lock')
  await lock.insertOne({ _id: 'migrations', owner: 'another', expiresAt: new Date(Date.now() + 60_000) })
  await assert.rejects(run(db, { waitMs: 10 }), /another one has held the lock of the migrations/)
  assert.equal(await schemaVersion(db), 0)
  const waiting = run(db)
  await lock.deleteOne({ owner: 'another' })
  await waiting
  assert.equal(await schemaVersion(db), latestVersion)
  await lock.insertOne({ _id: 'migrations', owner: 'dead', expiresAt: new Date(Date.now() - 1) })
  await run(db)
  assert.equal((await lock.find().toArray()).length, 0)
})

test('a database that a newer program has changed is left alone', async (t) => {
  const { db } = await database(t)
  await run(db)
  await db
    .collection('schema_migrations')
    .insertOne({ _id: new Int32(999) as unknown as ObjectId, name: 'of the future', appliedAt: new Date() })
  await assert.rejects(run(db), /the database is of version 999, and this program knows versions up to/)
})

test('the schemas refuse what documents.ts does not have: a time as a double, a field too many, one too few', async (t) => {
  const { db } = await database(t)
  await run(db)
  const time = Long.fromNumber(Date.now())
  const id = new ObjectId()
  const right = {
    name: 'r',
    description: '',
    policies: [],
    version: 1,
    createdTime: time,
    updatedTime: time,
    creatorID: id,
    updaterID: id,
  }
  const insert = (change: object): Promise<unknown> => db.collection('roles').insertOne({ ...right, ...change })
  await insert({})
  const { description: _, ...less } = { ...right, name: 's' }
  for (const wrong of [
    { name: 'a', createdTime: Date.now() },
    { name: 'b', more: 1 },
    { name: 'c', version: Long.fromNumber(1) },
    { name: '' },
    { name: 'd', policies: [{ permissionKey: 'x' }] },
  ])
    await assert.rejects(insert(wrong), { code: 121 }, JSON.stringify(wrong))
  await assert.rejects(db.collection('roles').insertOne(less), { code: 121 })
  await assert.rejects(insert({}), (error) => error instanceof MongoServerError && error.code === 11000)
})

test("contract M26: a database of the original is put into this one's form, with one spelling of each name", async (t) => {
  const { db } = await database(t)
  const at = Long.fromNumber(1_700_000_000_000)
  const ids = { role: new ObjectId(), user: new ObjectId(), strategy: new ObjectId(), intent: new ObjectId() }
  await db.collection('schema_migrations').insertOne({ version: 5, dirty: false })
  await db.collection('roles').insertMany([
    {
      _id: ids.role,
      name: 'ops',
      created_time: at,
      updated_time: at,
      policies: [{ permissionKey: 'role.read', policeNamespace: 'x' }],
    },
    {
      name: 'admin',
      description: 'theirs',
      created_time: at,
      updated_time: at,
      policies: [{ permissionKey: 'user.create' }],
    },
  ])
  await db.collection('permissions').insertOne({ key: 'role.read', resource: 'role', action: 'read', created_time: at })
  const common = { createdTime: at, updatedTime: at, creatorID: ids.user, updaterID: ids.user }
  await db.collection('users').insertOne({
    _id: ids.user,
    username: 'ann',
    password: '$argon2id$...',
    status: 3,
    roles: ['ops', 'ops', 'gone'],
    permissionKeys: [],
    ...common,
  })
  await db.collection('schedule_strategies').insertOne({
    _id: ids.strategy,
    ...common,
    labelSelectors: [{ key: 'app' }],
    priority: 3,
    executionTime: Long.fromNumber(20_000_000),
  })
  await db.collection('schedule_intents').insertOne({
    _id: ids.intent,
    createdTime: at,
    updateTime: at,
    creatorID: ids.user,
    updaterID: ids.user,
    strategyID: ids.strategy,
    podID: 'uid',
    state: 2,
  })
  const entry = { timestamp: at, action: 'user.create', outcome: 'ok', requestID: 'r', ip: '' }
  await db.collection('audit_logs').insertOne({ ...entry })
  await run(db)
  const noted = await db.collection('audit_logs').findOne({})
  const least = new Date(Date.now() + 89 * 24 * 60 * 60 * 1_000)
  assert.ok(noted?.expiresAt > least, 'what was noted before entries had an end has one')
  assert.deepEqual(await db.collection('users').findOne({ _id: ids.user }), {
    _id: ids.user,
    createdTime: 1_700_000_000_000,
    updatedTime: 1_700_000_000_000,
    creatorID: ids.user,
    updaterID: ids.user,
    version: 1,
    username: 'ann',
    password: '$argon2id$...',
    status: 3,
    roleIds: [ids.role],
    tokenVersion: 1,
  })
  const role = await db.collection('roles').findOne({ _id: ids.role })
  assert.deepEqual(role?.policies, [
    { permissionKey: 'role.read', self: false, k8sNamespace: '', policyNamespace: 'x' },
  ])
  const admin = await db.collection('roles').findOne({ name: 'admin' })
  assert.deepEqual(
    [admin?.description, admin?.policies.length, admin?.builtIn],
    ['theirs', permissionKeys.length, true],
  )
  const intent = await db.collection('schedule_intents').findOne({ _id: ids.intent })
  assert.deepEqual(
    [intent?.updatedTime, intent?.podName, intent?.state, intent?.podLabels],
    [1_700_000_000_000, '', 2, {}],
  )
  assert.deepEqual((await db.collection('schedule_strategies').findOne())?.labelSelectors, [{ key: 'app', value: '' }])
  assert.equal((await db.collection('permissions').find().toArray()).length, permissionKeys.length)
  // The schemas take them as they are now.
  for (const name of ['users', 'roles', 'schedule_strategies', 'schedule_intents'])
    await db.collection(name).updateMany({}, { $inc: { version: new Int32(1) } })
})
