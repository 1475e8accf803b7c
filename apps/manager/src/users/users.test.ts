import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ObjectId } from 'mongodb'
import { sharedManager, startManager } from '../testing/index.js'

const PHC = /^\$argon2id\$v=19\$m=16384,t=3,p=2\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/

const manager = sharedManager()

test('1.17.1 create user without token 401; with admin 200; the list then shows 2 users', async (t) => {
  const m = await startManager(t)
  const body = { username: 'ann', password: 'a long password' }
  await m.agent.post('/api/v1/users').send(body).expect(401)
  const created = await m.as(m.admin).post('/api/v1/users').send(body).expect(200)
  assert.deepEqual(Object.keys(created.body), ['success', 'timestamp'], 'no data')
  const { body: list } = await m.as(m.admin).get('/api/v1/users').expect(200)
  assert.deepEqual(Object.keys(list.data), ['users'])
  assert.equal(list.data.users.length, 2)
  const [admin, ann] = list.data.users
  assert.deepEqual(admin, {
    id: m.admin.id.toHexString(),
    username: m.admin.username,
    roles: ['admin'],
    status: 1,
    version: 1,
  })
  assert.deepEqual({ ...ann, id: '' }, { id: '', username: 'ann', roles: [], status: 3, version: 1 })
  assert.match(ann.id, /^[0-9a-f]{24}$/)
})

test('1.5 a new user: status 3, no roles, creator and updater the caller; the password is hashed, and nowhere else', async () => {
  const m = await manager()
  await m.as(m.admin).post('/api/v1/users').send({ username: 'ann-1', password: 'a long password' }).expect(200)
  const ann = await m.store.users.findOne({ username: 'ann-1' })
  assert.equal(Number(ann?.status), 3)
  assert.deepEqual(ann?.roleIds, [])
  assert.ok(ann?.creatorID.equals(m.admin.id) && ann.updaterID.equals(m.admin.id))
  assert.match(ann?.password ?? '', PHC)
  assert.doesNotMatch(m.lines.join(''), /a long password/)
  const entry = await m.store.audit.findOne({ action: 'user.create', target: `users/${ann?._id.toHexString()}` })
  assert.equal(entry?.username, m.admin.username)
  assert.doesNotMatch(JSON.stringify(entry), /a long password/)
})

test('M8 a password that looks like a PHC string is hashed: its own password does not open the account', async () => {
  const m = await manager()
  const sly = '$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$4RXcVy3Bqi7rZVGnBsPOvA'
  await m.as(m.admin).post('/api/v1/users').send({ username: 'sly', password: sly }).expect(200)
  assert.match((await m.store.users.findOne({ username: 'sly' }))?.password ?? '', PHC)
  await m.login('sly', sly)
})

test('M9 POST /users: 422 with the fields, 409 for a name that is taken, 400 for other types; nothing is stored', async () => {
  const m = await manager()
  const post = (body: object) => m.as(m.admin).post('/api/v1/users').send(body)
  const good = { username: 'ann-3', password: 'a long password' }
  const before = await m.store.users.find().toArray()
  for (const [change, field] of [
    [{ username: undefined }, 'username'],
    [{ password: undefined }, 'password'],
    [{ username: '' }, 'username'],
    [{ username: 'x'.repeat(129) }, 'username'],
    [{ username: ' ann' }, 'username'],
    [{ username: 'ann\u0000' }, 'username'],
    [{ username: 'a\nb' }, 'username'],
    [{ username: '\ud800' }, 'username'],
    [{ password: 'short12' }, 'password'],
    [{ password: 'x'.repeat(257) }, 'password'],
    [{ password: '\ud800 and more' }, 'password'],
  ] as const) {
    const { body } = await post({ ...good, ...change }).expect(422)
    assert.equal(body.code, 'VALIDATION_FAILED')
    assert.deepEqual(
      body.fields.map((problem: { field: string }) => problem.field),
      [field],
      JSON.stringify(change),
    )
  }
  for (const change of [{ username: { $gt: '' } }, { username: 7 }, { password: ['x'] }])
    assert.equal((await post({ ...good, ...change }).expect(400)).body.error, 'Invalid request body')
  assert.deepEqual(await m.store.users.find().toArray(), before)
  await post({ ...good, username: 'Ann 安 👩‍🚀', status: 1, roles: ['admin'], _id: 'x' }).expect(200)
  const odd = await m.store.users.findOne({ username: 'Ann 安 👩‍🚀' })
  assert.deepEqual([Number(odd?.status), odd?.roleIds], [3, []], 'what is not asked for is not taken')
  const taken = await post({ ...good, username: m.admin.username }).expect(409)
  assert.equal(taken.body.code, 'NAME_TAKEN')
  assert.equal(taken.body.fields[0].field, 'username')
})

test('1.17.2 a status-3 user: permissioned call 403; change password 200; old password 401; new login works', async () => {
  const m = await manager()
  await m.as(m.admin).post('/api/v1/users').send({ username: 'ann-4', password: 'the first one' }).expect(200)
  const token = await m.login('ann-4', 'the first one')
  const bearer = (value: string) => ({ authorization: `Bearer ${value}` })
  const denied = await m.agent.get('/api/v1/users').set(bearer(token)).expect(403)
  assert.equal(denied.body.error, 'password change required')
  const changed = await m.agent
    .put('/api/v1/users/self/password')
    .set(bearer(token))
    .send({ oldPassword: 'the first one', newPassword: 'the second one' })
    .expect(200)
  assert.deepEqual(Object.keys(changed.body), ['success', 'timestamp'])
  await m.agent.get('/api/v1/users/self').set(bearer(token)).expect(401)
  await m.agent.post('/api/v1/auth/login').send({ username: 'ann-4', password: 'the first one' }).expect(401)
  const second = await m.login('ann-4', 'the second one')
  await m.agent.get('/api/v1/users').set(bearer(second)).expect(403)
  const ann = await m.store.users.findOne({ username: 'ann-4' })
  assert.equal(Number(ann?.status), 1)
  // 1.5: as soon as a role is granted, without a new token.
  await m
    .as(m.admin)
    .put('/api/v1/users/permissions')
    .send({ userID: ann?._id.toHexString(), roles: ['admin'] })
    .expect(200)
  await m.agent.get('/api/v1/users').set(bearer(second)).expect(200)
})

test('1.6 GET /users/self: who is logged in, with an entity tag', async () => {
  const m = await manager()
  const response = await m.as(m.admin).get('/api/v1/users/self').expect(200)
  assert.deepEqual(response.body.data, {
    id: m.admin.id.toHexString(),
    username: m.admin.username,
    roles: ['admin'],
    status: 1,
    version: 1,
  })
  assert.equal(response.headers.etag, '"1"')
  const must = await m.user({ status: 3 })
  assert.deepEqual((await m.as(must).get('/api/v1/users/self').expect(200)).body.data.roles, [])
})

test('1.6 PUT /users/self/password: 401 for a wrong old one, 422 for a bad new one, 400; nothing changes', async () => {
  const m = await manager()
  const user = await m.user()
  const put = (body: object) => m.as(user).put('/api/v1/users/self/password').send(body)
  const wrong = await put({ oldPassword: 'not the one', newPassword: 'a new password' }).expect(401)
  assert.equal(wrong.body.error, 'invalid password')
  for (const [body, field] of [
    [{ newPassword: 'a new password' }, 'oldPassword'],
    [{ oldPassword: user.password }, 'newPassword'],
    [{ oldPassword: user.password, newPassword: 'short' }, 'newPassword'],
    [{ oldPassword: user.password, newPassword: user.password }, 'newPassword'],
  ] as const)
    assert.equal((await put(body).expect(422)).body.fields[0].field, field)
  await put({ oldPassword: { $ne: '' }, newPassword: 'a new password' }).expect(400)
  await m.as(user).get('/api/v1/users/self').expect(200)
  await m.login(user.username, user.password)
})

test('M5 guesses at the old password are slowed, as a stolen token must not become a password', async () => {
  const m = await manager()
  const user = await m.user()
  const put = (oldPassword: string) =>
    m.as(user).put('/api/v1/users/self/password').send({ oldPassword, newPassword: 'a new password' })
  for (let guess = 0; guess < 5; guess++) await put(`guess ${guess}`).expect(401)
  const held = await put(user.password).expect(429)
  assert.equal(held.headers['retry-after'], '1')
  await m.login(user.username, user.password)
})

test('M3 a deactivated user cannot bring himself back, neither by his token nor by a reset', async () => {
  const m = await manager()
  const user = await m.user()
  const permissions = (status: number) =>
    m.as(m.admin).put('/api/v1/users/permissions').send({ userID: user.id.toHexString(), status }).expect(200)
  await permissions(2)
  const own = { oldPassword: user.password, newPassword: 'a new password' }
  await m.as(user).put('/api/v1/users/self/password').send(own).expect(401)
  await m
    .as(m.admin)
    .put('/api/v1/users/password')
    .send({ userID: user.id.toHexString(), newPassword: 'of the admin' })
    .expect(200)
  assert.equal(Number((await m.store.users.findOne({ _id: user.id }))?.status), 2)
  await m.agent.post('/api/v1/auth/login').send({ username: user.username, password: 'of the admin' }).expect(401)
  await permissions(1)
  await m.as(user).get('/api/v1/users/self').expect(401)
  await m.login(user.username, 'of the admin')
})

test('1.6 PUT /users/password: the target has to change it, and his tokens are dead', async () => {
  const m = await manager()
  const user = await m.user({ policies: ['user.read'] })
  const response = await m
    .as(m.admin)
    .put('/api/v1/users/password')
    .send({ userID: user.id.toHexString(), newPassword: 'of the admin' })
    .expect(200)
  assert.deepEqual(Object.keys(response.body), ['success', 'timestamp'])
  await m.as(user).get('/api/v1/users').expect(401)
  await m.agent.post('/api/v1/auth/login').send({ username: user.username, password: user.password }).expect(401)
  const token = await m.login(user.username, 'of the admin')
  const denied = await m.agent.get('/api/v1/users').set('authorization', `Bearer ${token}`).expect(403)
  assert.equal(denied.body.error, 'password change required')
})

test('1.6 PUT /users/password: 422 invalid user ID, 404 user not found, 400, 422 for the password, 403 without the permission', async () => {
  const m = await manager()
  const put = (body: object) => m.as(m.admin).put('/api/v1/users/password').send(body)
  const newPassword = 'a new password'
  for (const userID of [undefined, '', 'x', '0123456789abcdef0123456', 'g'.repeat(24)]) {
    const { body } = await put({ userID, newPassword }).expect(422)
    assert.equal(body.error, 'invalid user ID')
    assert.equal(body.fields[0].field, 'userID')
  }
  const missing = await put({ userID: new ObjectId().toHexString(), newPassword }).expect(404)
  assert.equal(missing.body.error, 'user not found')
  assert.equal((await put({ userID: { $ne: '' }, newPassword }).expect(400)).body.error, 'Invalid request body')
  const short = await put({ userID: m.admin.id.toHexString(), newPassword: 'x' }).expect(422)
  assert.equal(short.body.fields[0].field, 'newPassword')
  const other = await m.user({ policies: ['user.read'] })
  const denied = await m.as(other).put('/api/v1/users/password').send({ userID: other.id.toHexString(), newPassword })
  assert.deepEqual([denied.status, denied.body.error], [403, 'permission denied'])
})

test('1.5 self: only oneself, unless another role grants it for all, in whatever order the roles are', async () => {
  const m = await manager()
  const target = await m.user()
  const self = { permissionKey: 'user.password.reset', self: true }
  const all = 'user.password.reset'
  const reset = (user: typeof target, of: typeof target) =>
    m.as(user).put('/api/v1/users/password').send({ userID: of.id.toHexString(), newPassword: 'a new password' })
  const narrow = await m.user({ policies: [self] })
  const forbidden = await reset(narrow, target).expect(403)
  assert.equal(forbidden.body.error, 'forbidden')
  for (const policies of [
    [self, all],
    [all, self],
  ]) {
    const wide = await m.user({ policies })
    await reset(wide, await m.user()).expect(200)
  }
  const permissions = await m.user({ policies: [{ permissionKey: 'user.permission.update', self: true }] })
  const put = (of: typeof target) =>
    m.as(permissions).put('/api/v1/users/permissions').send({ userID: of.id.toHexString(), status: 1 })
  assert.equal((await put(target).expect(403)).body.error, 'forbidden')
  await put(permissions).expect(200)
})

test('M5 nobody resets his own password: a stolen token would become one, without the old password and without the throttle', async () => {
  const m = await manager()
  for (const policy of ['user.password.reset', { permissionKey: 'user.password.reset', self: true }]) {
    const user = await m.user({ policies: [policy] })
    const reset = (userID: string) =>
      m.as(user).put('/api/v1/users/password').send({ userID, newPassword: 'of the thief' })
    for (const id of [user.id.toHexString(), user.id.toHexString().toUpperCase()]) {
      const { body } = await reset(id).expect(403)
      assert.deepEqual(
        [body.code, body.error],
        ['OWN_PASSWORD', 'Your own password is changed at /api/v1/users/self/password, with the old one.'],
      )
    }
    await m.login(user.username, user.password)
    await m.as(user).get('/api/v1/users/self').expect(200)
  }
})

test('M11 nobody resets the password of somebody who may do more: he could log in as him', async () => {
  const m = await manager()
  const helper = await m.user({ policies: ['user.password.reset'] })
  const denied = await m
    .as(helper)
    .put('/api/v1/users/password')
    .send({ userID: m.admin.id.toHexString(), newPassword: 'taken over' })
    .expect(403)
  assert.equal(denied.body.code, 'GRANT_EXCEEDS_OWN')
  await m.login(m.admin.username, m.admin.password)
  const equal = await m.user({ policies: ['user.password.reset'] })
  await m
    .as(helper)
    .put('/api/v1/users/password')
    .send({ userID: equal.id.toHexString(), newPassword: 'a new password' })
    .expect(200)
})

test('M27 GET /users by pages, filtered; a cursor or a limit that is none is 422', async (t) => {
  const m = await startManager(t)
  const names = [m.admin.username]
  for (let made = 0; made < 4; made++) names.push((await m.user({ status: made === 0 ? 2 : 1 })).username)
  const seen: string[] = []
  let cursor: string | undefined
  let pages = 0
  do {
    const query: Record<string, string> = { limit: '2', ...(cursor === undefined ? {} : { cursor }) }
    const { body } = await m.as(m.admin).get('/api/v1/users').query(query).expect(200)
    for (const { username } of body.data.users) seen.push(username)
    cursor = body.data.nextCursor
    pages++
  } while (cursor !== undefined)
  assert.deepEqual(seen, names)
  assert.equal(pages, 3)
  const list = async (query: object) => (await m.as(m.admin).get('/api/v1/users').query(query).expect(200)).body.data
  assert.deepEqual((await list({ username: names[2] })).users.length, 1)
  assert.deepEqual(
    (await list({ status: '2' })).users.map(({ username }: { username: string }) => username),
    [names[1]],
  )
  assert.deepEqual((await list({ username: 'nobody' })).users, [], 'an empty list is [], not null')
  for (const query of [
    { limit: '0' },
    { limit: '201' },
    { limit: 'x' },
    { cursor: 'x' },
    { status: '9' },
    { status: '0x2' },
  ]) {
    const { body } = await m.as(m.admin).get('/api/v1/users').query(query).expect(422)
    assert.equal(body.fields[0].field, Object.keys(query)[0])
  }
  assert.equal((await m.as(m.admin).get('/api/v1/users?username[$ne]=x').expect(200)).body.data.users.length, 5)
})
