import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Long, ObjectId } from 'mongodb'
import { startManager, type TestManager, type TestUser } from '../testing/index.js'

interface Entry {
  readonly id: string
  readonly timestamp: number
  readonly action: string
  readonly outcome: string
  readonly [field: string]: unknown
}

interface Page {
  readonly entries: readonly Entry[]
  readonly nextCursor?: string
}

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
    [entries[0]?.userID, entries[1]?.userID],
    [bob.id.toHexString(), undefined],
    'who he is, he has shown once',
  )
  const first = entries.at(-1)
  assert.equal(first?.requestID, made.headers['x-request-id'])
  assert.equal(first?.userID, manager.admin.id.toHexString())
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
  }))
  await manager.store.audit.insertMany(all)
  const read = async (query: string): Promise<readonly unknown[]> => {
    const found: unknown[] = []
    for (let cursor = ''; ; ) {
      const { entries, nextCursor } = await page(manager, `?${query}${cursor}`)
      found.push(...entries.map(({ requestID }) => requestID))
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
    await read(`limit=20&userID=${ann.toHexString()}`),
    expected(({ userID }) => userID === ann),
  )
  assert.deepEqual(
    await read('limit=20&action=role.create&timestampGTE=1700000000005&timestampLTE=1700000000020'),
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
    ['cursor=x', 'cursor'],
    ['userID=1', 'userID'],
    ['outcome=good', 'outcome'],
    ['timestampGTE=-1', 'timestampGTE'],
    [`action=${'a'.repeat(65)}`, 'action'],
    ['userID[$ne]=1&userID=2', 'userID'],
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
