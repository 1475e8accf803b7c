import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ObjectId } from 'mongodb'
import { sharedManager, startManager, type TestManager, type TestUser } from '../testing/index.js'

const PATH = '/api/v1/users/permissions'
const put = (m: TestManager, as: TestUser, of: TestUser, body: object) =>
  m
    .as(as)
    .put(PATH)
    .send({ userID: of.id.toHexString(), ...body })

const rolesOf = async (m: TestManager, user: TestUser): Promise<string[]> => {
  const { body } = await m.as(m.admin).get('/api/v1/users').query({ username: user.username }).expect(200)
  return body.data.users[0].roles
}

const manager = sharedManager()

test('1.6 PUT /users/permissions: sets roles and status, each only when it is there', async () => {
  const m = await manager()
  const user = await m.user()
  const response = await put(m, m.admin, user, { roles: ['admin'] }).expect(200)
  assert.deepEqual(Object.keys(response.body), ['success', 'timestamp'])
  assert.deepEqual(await rolesOf(m, user), ['admin'])
  await put(m, m.admin, user, { status: 3 }).expect(200)
  const stored = await m.store.users.findOne({ _id: user.id })
  assert.equal(Number(stored?.status), 3)
  assert.equal(stored?.roleIds.length, 1)
  assert.ok(stored?.updaterID.equals(m.admin.id))
  assert.equal(Number(stored?.version), 3)
})

test('M7 an empty list takes all roles; a name that is there twice is there once', async () => {
  const m = await manager()
  const user = await m.user()
  await put(m, m.admin, user, { roles: ['admin', 'admin'] }).expect(200)
  assert.deepEqual(await rolesOf(m, user), ['admin'])
  await put(m, m.admin, user, { roles: [] }).expect(200)
  assert.deepEqual(await rolesOf(m, user), [])
})

test('1.6 PUT /users/permissions: 400 Some roles not found, 422 invalid user ID, 404 user not found', async () => {
  const m = await manager()
  const user = await m.user()
  const unknown = await put(m, m.admin, user, { roles: ['admin', 'nothing'] }).expect(400)
  assert.equal(unknown.body.error, 'Some roles not found')
  assert.deepEqual(unknown.body.fields, [{ field: 'roles[1]', message: 'there is no role of this name' }])
  assert.deepEqual(await rolesOf(m, user), [], 'and none is given')
  const admin = m.as(m.admin)
  assert.equal((await admin.put(PATH).send({ userID: 'x' }).expect(422)).body.error, 'invalid user ID')
  assert.equal((await admin.put(PATH).send({}).expect(422)).body.error, 'invalid user ID')
  const nobody = await admin.put(PATH).send({ userID: new ObjectId().toHexString(), status: 1 }).expect(404)
  assert.equal(nobody.body.error, 'user not found')
})

test('M6 malformed JSON is answered once', async () => {
  const m = await manager()
  const { text } = await m.as(m.admin).put(PATH).send('{').expect(400)
  assert.equal(text.trim().split('\n').length, 1)
  assert.equal(JSON.parse(text).error, 'Invalid request body')
})

test('1.16 status is an int8: what does not fit is 400, what is no status is 422', async () => {
  const m = await manager()
  const user = await m.user()
  for (const status of [128, -129, 1e10, 1.5, '1', true, [1]]) {
    const { body } = await put(m, m.admin, user, { status }).expect(400)
    assert.equal(body.error, 'Invalid request body', String(status))
    assert.equal(body.fields[0].field, 'status')
  }
  for (const status of [0, 4, 127, -128]) {
    const { body } = await put(m, m.admin, user, { status }).expect(422)
    assert.equal(body.fields[0].field, 'status')
  }
  for (const roles of ['admin', [1], [null], { $ne: [] }]) await put(m, m.admin, user, { roles }).expect(400)
  assert.equal(Number((await m.store.users.findOne({ _id: user.id }))?.version), 1)
})

test('M11 only what the caller holds himself can be given', async () => {
  const m = await manager()
  const key = 'user.permission.update'
  const giver = await m.user({ policies: [key, { permissionKey: 'schedule_intent.read', k8sNamespace: 'shop' }] })
  const wide = await m.user({ policies: ['schedule_intent.read'] })
  const narrow = await m.user({
    policies: [{ permissionKey: 'schedule_intent.read', k8sNamespace: 'shop', policyNamespace: 'team' }],
  })
  const user = await m.user()
  for (const role of ['admin', `role of ${wide.username}`]) {
    const denied = await put(m, giver, user, { roles: [role] }).expect(403)
    assert.equal(denied.body.code, 'GRANT_EXCEEDS_OWN')
    const own = await put(m, giver, giver, { roles: [`role of ${giver.username}`, role] }).expect(403)
    assert.equal(own.body.code, 'GRANT_EXCEEDS_OWN')
  }
  assert.deepEqual(await rolesOf(m, user), [])
  await put(m, giver, user, { roles: [`role of ${narrow.username}`] }).expect(200)
  const kept = [`role of ${narrow.username}`, `role of ${giver.username}`]
  await put(m, giver, narrow, { roles: kept }).expect(200)
  assert.deepEqual(await rolesOf(m, narrow), kept)
})

test('M11 whose roles hold more than the caller does is left alone: neither stripped, nor deactivated, nor freed', async () => {
  const m = await manager()
  const giver = await m.user({ policies: ['user.permission.update', 'user.password.reset'] })
  const own = `role of ${giver.username}`
  const boss = await m.user({ roles: ['admin'], policies: ['user.permission.update'] })
  const both = await rolesOf(m, boss)
  for (const wanted of [
    { roles: [] },
    { roles: both },
    { roles: [...both, own] },
    { status: 1 },
    { status: 2 },
    { status: 3 },
    {},
  ]) {
    const { body } = await put(m, giver, boss, wanted).expect(403)
    assert.deepEqual(
      [body.code, body.error],
      ['GRANT_EXCEEDS_OWN', 'This user may do more than you: you cannot change his roles or status.'],
      JSON.stringify(wanted),
    )
  }
  const stored = await m.store.users.findOne({ _id: boss.id })
  assert.deepEqual([Number(stored?.status), stored?.roleIds.length, Number(stored?.version)], [1, 2, 1])
  const reset = m.as(giver).put('/api/v1/users/password')
  await reset.send({ userID: boss.id.toHexString(), newPassword: 'of the attacker' }).expect(403)
  for (const status of [2, 3] as const) {
    const held = await m.user({ status, roles: ['admin'] })
    await put(m, giver, held, { status: 1 }).expect(403)
    await put(m, m.admin, held, { status: 1 }).expect(200)
  }
  // One who has no more than the caller, and the caller himself.
  const equal = await m.user({ roles: [own] })
  await put(m, giver, equal, { roles: [], status: 2 }).expect(200)
  await put(m, giver, giver, { roles: [] }).expect(200)
})

test('M7, M10 the last who can administer is neither deactivated nor stripped; of two, one can be', async (t) => {
  const m = await startManager(t)
  for (const body of [{ status: 2 }, { roles: [] }]) {
    const refused = await put(m, m.admin, m.admin, body).expect(409)
    assert.equal(refused.body.code, 'LAST_ADMIN')
  }
  const inactive = await m.user({ status: 2, roles: ['admin'] })
  await put(m, m.admin, m.admin, { status: 2 }).expect(409)
  await put(m, m.admin, inactive, { status: 1 }).expect(200)
  await put(m, m.admin, m.admin, { roles: [] }).expect(200)
  await m.as(m.admin).get('/api/v1/users').expect(403)
})

test('M7, M14 two admins who depose each other at the same moment: one stays', async (t) => {
  const m = await startManager(t)
  const other = await m.user({ roles: ['admin'] })
  for (let round = 0; round < 5; round++) {
    const answers = await Promise.all([put(m, m.admin, other, { roles: [] }), put(m, other, m.admin, { roles: [] })])
    const admin = await m.store.roles.findOne({ name: 'admin' })
    assert.ok(admin)
    const left = await m.store.users.find({ roleIds: admin._id, status: { $ne: 2 } }).toArray()
    assert.equal(left.length, 1, JSON.stringify(answers.map(({ status, body }) => [status, body])))
    assert.equal(answers.filter(({ status }) => status === 200).length, 1)
    const [survivor] = [m.admin, other].filter(({ id }) => left[0]?._id.equals(id))
    const deposed = survivor === other ? m.admin : other
    await put(m, survivor as TestUser, deposed, { roles: ['admin'] }).expect(200)
  }
})

test('M4 deactivating ends sessions for good; giving another status does not', async () => {
  const m = await manager()
  const user = await m.user()
  await put(m, m.admin, user, { status: 3 }).expect(200)
  await m.as(user).get('/api/v1/users/self').expect(200)
  await put(m, m.admin, user, { status: 2 }).expect(200)
  await m.as(user).get('/api/v1/users/self').expect(401)
  await put(m, m.admin, user, { status: 1 }).expect(200)
  await m.as(user).get('/api/v1/users/self').expect(401)
})

test('M14 If-Match: 409 when the user was changed since', async () => {
  const m = await manager()
  const user = await m.user()
  await put(m, m.admin, user, { status: 3 }).set('if-match', '"1"').expect(200)
  const stale = await put(m, m.admin, user, { status: 1 }).set('if-match', '"1"').expect(409)
  assert.equal(stale.body.code, 'VERSION_CONFLICT')
  await put(m, m.admin, user, { status: 1 }).set('if-match', '"2"').expect(200)
  const reset = m.as(m.admin).put('/api/v1/users/password')
  await reset.send({ userID: user.id.toHexString(), newPassword: 'a new password' }).set('if-match', '"2"').expect(409)
})
