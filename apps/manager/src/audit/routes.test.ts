import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '@bulkhead/service-kit'
import { eventually } from '@bulkhead/testing'
import { Long, MongoNetworkError, ObjectId } from 'mongodb'
import supertest from 'supertest'
import { createApp } from '../app.js'
import { startManager, type TestManager, type TestUser } from '../testing/index.js'

interface Entry {
  readonly id: string
  readonly timestamp: string
  readonly action: string
  readonly outcome: string
  readonly [field: string]: unknown
}

interface Page {
  readonly entries: readonly Entry[]
  readonly nextCursor?: string
}

const quiet = createLog({ name: 'test', level: 'fatal', write: () => {} })

async function page(manager: TestManager, query = '', user: TestUser = manager.admin): Promise<Page> {
  const { body } = await manager.as(user).get(`/api/v1/audit${query}`).expect(200)
  return (body as { data: Page }).data
}

test('who did what is written: done, refused, and a login that failed', async (t) => {
  const manager = await startManager(t)
  const admin = manager.as(manager.admin)
  assert.deepEqual((await page(manager)).entries, [])
  const made = await admin.post('/api/v1/users').send({ username: 'ann', password: 'a long password' }).expect(200)
  await admin.post('/api/v1/users').send({ username: 'ann', password: 'a long password' }).expect(409)
  const bob = await manager.user({ username: 'bob' })
  await manager.as(bob).post('/api/v1/users').send({ username: 'cat', password: 'a long password' }).expect(403)
  await manager.agent.post('/api/v1/auth/login').send({ username: 'nobody', password: 'wrong' }).expect(401)
  await manager.agent.post('/api/v1/auth/login').send({ username: 'bob', password: 'wrong' }).expect(401)
  await manager.login('bob', bob.password)
  const ann = await manager.db.collection('users').findOne({ username: 'ann' })

  const { entries } = await page(manager)
  assert.deepEqual(
    entries.map(({ action, outcome, username, code, target }) => [action, outcome, username, code, target]).reverse(),
    [
      ['user.create', 'ok', manager.admin.username, undefined, `users/${ann?._id.toHexString()}`],
      ['user.create', 'refused', manager.admin.username, 'NAME_TAKEN', undefined],
      ['user.create', 'refused', 'bob', 'PERMISSION_DENIED', undefined],
      ['auth.login', 'refused', undefined, 'LOGIN_FAILED', undefined],
      ['auth.login', 'refused', 'bob', 'LOGIN_FAILED', `users/${bob.id.toHexString()}`],
      ['auth.login', 'ok', 'bob', undefined, `users/${bob.id.toHexString()}`],
    ],
  )
  assert.deepEqual(
    [entries[0]?.userId, entries[1]?.userId],
    [bob.id.toHexString(), undefined],
    'who he is, he has shown once',
  )
  const first = entries.at(-1)
  assert.equal(first?.requestId, made.headers['x-request-id'])
  assert.equal(first?.userId, manager.admin.id.toHexString())
  assert.match(String(first?.timestamp), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  const { timestamp = '', id = '' } = first ?? {}
  assert.deepEqual(
    (await page(manager, `?timestampGTE=${timestamp}&timestampLTE=${timestamp}`)).entries
      .map((each) => each.id)
      .includes(id),
    true,
    'what it says can be asked for',
  )
  assert.match(String(first?.ip), /127\.0\.0\.1$/)
  assert.doesNotMatch(JSON.stringify(entries), /a long password|argon2|wrong|eyJ/)
})

test('only who holds audit.read may see it', async (t) => {
  const manager = await startManager(t)
  await manager.agent.get('/api/v1/audit').expect(401)
  const bob = await manager.user({ policies: ['user.read'] })
  await manager.as(bob).get('/api/v1/audit').expect(403)
  const eve = await manager.user({ policies: ['audit.read'] })
  assert.deepEqual(await page(manager, '', eve), { entries: [] })
})

test('pages are in order, the latest first, whole, and without anything twice; filters hold for all of them', async (t) => {
  const manager = await startManager(t)
  const [ann, bob] = [new ObjectId(), new ObjectId()]
  const all = Array.from({ length: 230 }, (_, n) => ({
    _id: new ObjectId(),
    // Several of one moment: the id decides.
    timestamp: Long.fromNumber(1_700_000_000_000 + Math.floor(n / 7)),
    userID: n % 3 === 0 ? ann : bob,
    action: n % 2 === 0 ? 'role.create' : 'user.create',
    outcome: 'ok' as const,
    requestID: `r-${n}`,
    ip: '',
    expiresAt: new Date(Date.now() + 1_000_000),
  }))
  await manager.store.audit.insertMany(all)
  const read = async (query: string): Promise<readonly unknown[]> => {
    const found: unknown[] = []
    for (let cursor = ''; ; ) {
      const { entries, nextCursor } = await page(manager, `?${query}${cursor}`)
      found.push(...entries.map(({ requestId }) => requestId))
      if (nextCursor === undefined) return found
      cursor = `&cursor=${nextCursor}`
    }
  }
  const expected = (holds: (entry: (typeof all)[number], n: number) => boolean) =>
    all
      .filter(holds)
      .map(({ requestID }) => requestID)
      .reverse()
  assert.deepEqual(
    await read('limit=50'),
    expected(() => true),
  )
  assert.deepEqual(
    await read('limit=200'),
    expected(() => true),
  )
  assert.deepEqual(
    await read(`limit=20&userId=${ann.toHexString()}`),
    expected(({ userID }) => userID === ann),
  )
  assert.deepEqual(
    await read(
      'limit=20&action=role.create&timestampGTE=2023-11-14T22:13:20.005Z&timestampLTE=2023-11-14T23:13:20.020%2B01:00',
    ),
    expected(({ action, timestamp }) => {
      const ms = Number(timestamp) - 1_700_000_000_000
      return action === 'role.create' && ms >= 5 && ms <= 20
    }),
  )
  assert.deepEqual(await read('outcome=failed'), [])
  assert.equal((await page(manager)).entries.length, 50, 'unless it is said otherwise')
})

test('a query that is none names the field', async (t) => {
  const manager = await startManager(t)
  const wrong: readonly [string, string][] = [
    ['limit=0', 'limit'],
    ['limit=201', 'limit'],
    ['limit=x', 'limit'],
    ['limit=', 'limit'],
    ['limit=0x10', 'limit'],
    ['limit=1e1', 'limit'],
    ['limit=%205%20', 'limit'],
    ['limit=5.0', 'limit'],
    ['limit=-5', 'limit'],
    ['cursor=x', 'cursor'],
    ['userId=1', 'userId'],
    ['outcome=good', 'outcome'],
    ['timestampGTE=1700000000005', 'timestampGTE'],
    ['timestampGTE=', 'timestampGTE'],
    ['timestampLTE=2023-11-14', 'timestampLTE'],
    ['timestampLTE=2023-13-14T22:13:20Z', 'timestampLTE'],
    [`action=${'a'.repeat(65)}`, 'action'],
    ['userId[$ne]=1&userId=2', 'userId'],
    ['action=a&action=b', 'action'],
  ]
  for (const [query, field] of wrong) {
    const { body } = await manager.as(manager.admin).get(`/api/v1/audit?${query}`).expect(422)
    assert.deepEqual(
      (body as { fields: { field: string }[] }).fields.map((each) => each.field),
      [field],
      query,
    )
  }
})

test('strangers leave nothing but what was decided about them: bodies that cannot be read leave no line, wrong passwords do', async (t) => {
  const manager = await startManager(t)
  const login = (body: string | object, type = 'application/json') =>
    manager.agent.post('/api/v1/auth/login').set('content-type', type).send(body)
  await login('no JSON').expect(400)
  await login({ username: 'ann' }).expect(422)
  await login({ username: 5, password: 'x' }).expect(400)
  await login('x'.repeat(70_000)).expect(413)
  await manager.agent.post('/api/v1/auth/login').set('content-encoding', 'gzip').send({}).expect(415)
  assert.deepEqual((await page(manager)).entries, [])
  await login({ username: 'ann', password: 'a guess' }).expect(401)
  assert.deepEqual(
    (await page(manager)).entries.map(({ action, code }) => [action, code]),
    [['auth.login', 'LOGIN_FAILED']],
  )
})

test('somebody who is refused without end fills nothing: twenty of a kind, then few, which say how many were left out', async (t) => {
  const manager = await startManager(t)
  const bob = await manager.user()
  for (let n = 0; n < 25; n++) await manager.as(bob).post('/api/v1/roles').send({ name: 'x' }).expect(403)
  const refused = (await page(manager, '?limit=200')).entries
  assert.equal(refused.length, 20)
  assert.ok(refused.every(({ action, code }) => action === 'role.create' && code === 'PERMISSION_DENIED'))
  await manager.as(bob).put('/api/v1/users/permissions').send({}).expect(403)
  const [last] = (await page(manager, '?limit=1')).entries
  assert.equal(last?.action, 'user.permission.update', 'one kind hides no other')
})

test('an entry is forgotten when its time is over', async (t) => {
  const manager = await startManager(t)
  await manager
    .as(manager.admin)
    .post('/api/v1/users')
    .send({ username: 'ann', password: 'a long password' })
    .expect(200)
  const [entry] = await manager.db.collection('audit_logs').find().toArray()
  const days = (Number(entry?.expiresAt) - Number(entry?.timestamp)) / (24 * 60 * 60 * 1_000)
  assert.equal(days, 90)
  const indexes = await manager.db.collection('audit_logs').indexes()
  assert.equal(indexes.find(({ key }) => 'expiresAt' in key)?.expireAfterSeconds, 0)
})

test('a change whose answer was lost with the database is noted as failed: it may have been made', async (t) => {
  const manager = await startManager(t)
  const { store } = manager
  const real = store.transaction
  const lost = Object.assign(Object.create(store) as typeof store, {
    transaction: async (work: Parameters<typeof real>[0]) => {
      await real(work)
      throw new MongoNetworkError('the answer was lost')
    },
  })
  const service = supertest(
    createApp({ ...manager, store: lost, log: quiet, config: { key: manager.key, admin: { email: '', password: '' } } })
      .server,
  )
  const id = manager.admin.id.toHexString()
  const bob = await manager.user({ username: 'bob' })
  await service
    .put('/api/v1/users/permissions')
    .set('authorization', `Bearer ${manager.admin.token}`)
    .send({ userID: bob.id.toHexString(), roles: ['admin'] })
    .expect(503)
  await eventually('it is noted', async () => (await page(manager)).entries.length === 1)
  const [entry] = (await page(manager)).entries
  assert.deepEqual(
    [entry?.action, entry?.outcome, entry?.code, entry?.userId, entry?.target],
    ['user.permission.update', 'failed', 'UNAVAILABLE', id, `users/${bob.id.toHexString()}`],
  )
})
