import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ObjectId } from 'mongodb'
import { permissionKeys } from '../http/route.js'
import { sharedManager, startManager, type TestUser } from '../testing/index.js'
import { create, idOf, list, PATH, policy, type Shown } from '../testing/roles.js'

const manager = sharedManager()

test('1.17.3 create role 401 without token, 200 with; the list shows 2 roles', async (t) => {
  const m = await startManager(t)
  const body = {
    name: 'reader',
    description: 'Reads.',
    rolePolicies: [policy('schedule_intent.read', { k8sNamespace: 'shop' })],
  }
  await m.agent.post(PATH).send(body).expect(401)
  const created = await create(m, body).expect(200)
  assert.deepEqual(Object.keys(created.body), ['success', 'timestamp'])
  const roles = await list(m)
  assert.deepEqual(roles.map(({ name }) => name).sort(), ['admin', 'reader'])
  const reader = roles.find(({ name }) => name === 'reader')
  assert.deepEqual(
    { ...reader, id: '' },
    { id: '', name: 'reader', description: 'Reads.', rolePolicy: body.rolePolicies, builtIn: false, version: 1 },
  )
})

test('1.5 the seeded role: admin, with every permission, none of them for itself alone', async () => {
  const m = await manager()
  const admin = (await list(m)).find(({ name }) => name === 'admin')
  assert.deepEqual(
    { ...admin, id: '', version: 0 },
    {
      id: '',
      name: 'admin',
      description: 'Administrator role with all permissions',
      rolePolicy: permissionKeys.map((key) => policy(key)),
      builtIn: true,
      version: 0,
    },
  )
})

test('1.17.5 replacing the policies of a role flips what its holder may do: PUT /roles and GET /permissions', async () => {
  const m = await manager()
  await create(m, { name: 'it-2', rolePolicies: [policy('role.update')] }).expect(200)
  const user = await m.user({ roles: ['it-2'] })
  const id = await idOf(m, 'it-2')
  const update = (as: TestUser, body: object) =>
    m
      .as(as)
      .put(PATH)
      .send({ id, ...body })
  const tryBoth = async () => [
    (await update(user, { description: 'x' })).status,
    (await m.as(user).get('/api/v1/permissions')).status,
  ]
  assert.deepEqual(await tryBoth(), [200, 403])
  await update(m.admin, { rolePolicy: [policy('permission.read')] }).expect(200)
  assert.deepEqual(await tryBoth(), [403, 200])
  await update(m.admin, { rolePolicy: [] }).expect(200)
  assert.deepEqual(await tryBoth(), [403, 403])
  const denied = await m.as(user).get('/api/v1/permissions')
  assert.equal(denied.body.error, 'permission denied')
})

test('1.6 PUT /roles: what is absent stays; name, description and policies change', async () => {
  const m = await manager()
  await create(m, { name: 'it-3', description: 'old', rolePolicies: [policy('user.read')] }).expect(200)
  const id = await idOf(m, 'it-3')
  const response = await m.as(m.admin).put(PATH).send({ id, description: 'new' }).expect(200)
  assert.deepEqual(Object.keys(response.body), ['success', 'timestamp'])
  const shown = async () => (await list(m)).find((role) => role.id === id)
  assert.deepEqual(await shown(), {
    id,
    name: 'it-3',
    description: 'new',
    rolePolicy: [policy('user.read')],
    builtIn: false,
    version: 2,
  })
  await m.as(m.admin).put(PATH).send({ id, description: '', rolePolicy: [] }).expect(200)
  assert.equal((await shown())?.rolePolicy.length, 0)
})

test('M10 a renamed role is still held: users refer to it by its id', async () => {
  const m = await manager()
  await create(m, { name: 'it-4', rolePolicies: [policy('user.read')] }).expect(200)
  const user = await m.user({ roles: ['it-4'] })
  await m
    .as(m.admin)
    .put(PATH)
    .send({ id: await idOf(m, 'it-4'), name: 'other' })
    .expect(200)
  await m.as(user).get('/api/v1/users').expect(200)
  assert.deepEqual((await m.as(user).get('/api/v1/users/self')).body.data.roles, ['other'])
})

test('1.6, M27 POST and PUT take the policies under either name', async (t) => {
  const m = await startManager(t)
  await create(m, { name: 'it', rolePolicy: [policy('user.read')] }).expect(200)
  const id = await idOf(m, 'it')
  await m
    .as(m.admin)
    .put(PATH)
    .send({ id, rolePolicies: [policy('role.read')] })
    .expect(200)
  assert.deepEqual((await list(m)).find((role) => role.id === id)?.rolePolicy, [policy('role.read')])
})

test('1.6 PUT and DELETE /roles: 422 role not found, 422 for a bad id, 404 at the path, 400', async () => {
  const m = await manager()
  const id = new ObjectId().toHexString()
  const admin = m.as(m.admin)
  assert.equal((await admin.put(PATH).send({ id, name: 'x' }).expect(422)).body.error, 'role not found')
  assert.equal((await admin.delete(PATH).send({ id }).expect(404)).body.error, 'role not found')
  assert.equal((await admin.delete(`${PATH}/${id}`).expect(404)).body.error, 'role not found')
  for (const request of [
    admin.put(PATH).send({ id: 'x' }),
    admin.put(PATH).send({}),
    admin.delete(PATH).send({ id: '' }),
    admin.delete(`${PATH}/x`),
  ]) {
    const { body } = await request.expect(422)
    assert.equal(body.error, 'invalid role ID')
    assert.equal(body.fields[0].field, 'id')
  }
  await admin.put(PATH).send('{').expect(400)
  await admin.delete(PATH).expect(400)
  await admin
    .delete(PATH)
    .send({ id: { $ne: '' } })
    .expect(400)
})

test('M9 POST /roles: 422 with the fields, 400 for other types, 409 for a name that is taken; nothing is stored', async () => {
  const m = await manager()
  const before = await list(m)
  for (const [body, field] of [
    [{}, 'name'],
    [{ name: '' }, 'name'],
    [{ name: 'x'.repeat(129) }, 'name'],
    [{ name: 'x\u0007' }, 'name'],
    [{ name: 'x', description: 'x'.repeat(1025) }, 'description'],
    [{ name: 'x', rolePolicies: [{}] }, 'rolePolicies[0].permissionKey'],
    [{ name: 'x', rolePolicies: [policy('')] }, 'rolePolicies[0].permissionKey'],
    [{ name: 'x', rolePolicies: [policy('user.read'), policy('user.reed')] }, 'rolePolicies[1].permissionKey'],
    [{ name: 'x', rolePolicy: [policy('$where')] }, 'rolePolicy[0].permissionKey'],
    [{ name: 'x', rolePolicies: [policy('user.read', { k8sNamespace: 'No Such' })] }, 'rolePolicies[0].k8sNamespace'],
    [{ name: 'x', rolePolicies: Array(101).fill(policy('user.read')) }, 'rolePolicies'],
  ] as const) {
    const response = await create(m, body).expect(422)
    assert.equal(response.body.fields[0].field, field, JSON.stringify(body).slice(0, 80))
  }
  for (const [body, field] of [
    [{ name: 7 }, 'name'],
    [{ name: 'x', rolePolicies: {} }, 'rolePolicies'],
    [{ name: 'x', rolePolicies: [policy('user.read', { self: 'yes' })] }, 'rolePolicies[0].self'],
    [{ name: 'x', rolePolicies: [policy('user.read', { k8sNamespace: ['shop'] })] }, 'rolePolicies[0].k8sNamespace'],
  ] as const) {
    const response = await create(m, body).expect(400)
    assert.equal(response.body.error, 'Invalid request body')
    assert.equal(response.body.fields[0].field, field)
  }
  assert.deepEqual(await list(m), before)
  await create(m, { name: 'x' }).expect(200)
  assert.equal((await create(m, { name: 'x' }).expect(409)).body.code, 'NAME_TAKEN')
  const renamed = await m
    .as(m.admin)
    .put(PATH)
    .send({ id: await idOf(m, 'x'), name: 'admin' })
    .expect(409)
  assert.equal(renamed.body.fields[0].field, 'name')
})

test('1.6 the policies under both names at once are 422, whatever they are: one would be dropped in silence', async () => {
  const m = await manager()
  const user = await m.user({ policies: ['user.read'] })
  const id = await idOf(m, `role of ${user.username}`)
  const [none, some] = [[], [policy('user.read')]]
  for (const both of [
    { rolePolicies: none, rolePolicy: some },
    { rolePolicies: some, rolePolicy: none },
    { rolePolicies: some, rolePolicy: some },
  ])
    for (const request of [
      create(m, { name: 'both', ...both }),
      m
        .as(m.admin)
        .put(PATH)
        .send({ id, ...both }),
    ]) {
      const { body } = await request.expect(422)
      const problem = { field: 'rolePolicy', message: 'is another name of rolePolicies: send one of them' }
      assert.deepEqual([body.code, body.fields], ['VALIDATION_FAILED', [problem]])
    }
  await m.as(user).get('/api/v1/users').expect(200)
  await create(m, { name: 'both', rolePolicies: some, rolePolicy: null }).expect(200)
})

test('M10 the built-in role can be neither renamed, emptied nor deleted; its description can be changed', async () => {
  const m = await manager()
  const id = await idOf(m, 'admin')
  const before = await list(m)
  for (const body of [{ name: 'root' }, { rolePolicy: [] }, { rolePolicies: [policy('user.read')] }]) {
    const refused = await m
      .as(m.admin)
      .put(PATH)
      .send({ id, ...body })
      .expect(409)
    assert.equal(refused.body.code, 'ROLE_BUILT_IN')
  }
  for (const request of [m.as(m.admin).delete(PATH).send({ id }), m.as(m.admin).delete(`${PATH}/${id}`)])
    assert.equal((await request.expect(409)).body.code, 'ROLE_BUILT_IN')
  assert.deepEqual(await list(m), before)
  await m.as(m.admin).put(PATH).send({ id, name: 'admin', description: 'All of it.' }).expect(200)
})

test('M10, M28 a role is deleted with a body or at its path, once nobody holds it', async () => {
  const m = await manager()
  for (const remove of [
    (id: string) => m.as(m.admin).delete(PATH).send({ id }),
    (id: string) => m.as(m.admin).delete(`${PATH}/${id}`),
  ]) {
    await create(m, { name: 'it-9' }).expect(200)
    const id = await idOf(m, 'it-9')
    const user = await m.user({ roles: ['it-9'] })
    assert.equal((await remove(id).expect(409)).body.code, 'ROLE_IN_USE')
    await m.as(m.admin).put('/api/v1/users/permissions').send({ userID: user.id.toHexString(), roles: [] }).expect(200)
    const gone = await remove(id).expect(200)
    assert.deepEqual(Object.keys(gone.body), ['success', 'timestamp'])
    await remove(id).expect(404)
  }
})

test('M14 a role that is deleted while it is given: either it is gone and nobody has it, or it is there', async () => {
  const m = await manager()
  const user = await m.user()
  for (let round = 0; round < 5; round++) {
    await create(m, { name: 'it-10' }).expect(200)
    const id = await idOf(m, 'it-10')
    const answers = await Promise.all([
      m.as(m.admin).delete(`${PATH}/${id}`),
      m
        .as(m.admin)
        .put('/api/v1/users/permissions')
        .send({ userID: user.id.toHexString(), roles: ['it-10'] }),
    ])
    const role = await m.store.roles.findOne({ name: 'it-10' })
    const holders = await m.store.users.countDocuments({ roleIds: new ObjectId(id) })
    assert.equal(holders, role === null ? 0 : 1, JSON.stringify(answers.map(({ status, body }) => [status, body])))
    await m.store.users.updateOne({ _id: user.id }, { $set: { roleIds: [] } })
    await m.store.roles.deleteOne({ name: 'it-10' })
  }
})

test('M14 If-Match: 409 when the role was changed since', async () => {
  const m = await manager()
  await create(m, { name: 'it-11' }).expect(200)
  const id = await idOf(m, 'it-11')
  const update = (tag: string) => m.as(m.admin).put(PATH).set('if-match', tag).send({ id, description: tag })
  await update('"1"').expect(200)
  assert.equal((await update('"1"').expect(409)).body.code, 'VERSION_CONFLICT')
  await m.as(m.admin).delete(`${PATH}/${id}`).set('if-match', '"1"').expect(409)
  await m.as(m.admin).delete(`${PATH}/${id}`).set('if-match', '"2"').expect(200)
})

test('M27 GET /roles by pages and by name', async (t) => {
  const m = await startManager(t)
  await create(m, { name: 'it' }).expect(200)
  const names = new Set<string>()
  const first = (await m.as(m.admin).get(PATH).query({ limit: 1 }).expect(200)).body.data
  assert.equal(first.roles.length, 1)
  assert.match(first.nextCursor, /^[0-9a-f]{24}$/)
  const second = (await m.as(m.admin).get(PATH).query({ limit: 1, cursor: first.nextCursor }).expect(200)).body.data
  for (const { name } of [...first.roles, ...second.roles] as Shown[]) names.add(name)
  assert.deepEqual([...names].sort(), ['admin', 'it'])
  assert.equal('nextCursor' in second, false)
  const named = (await m.as(m.admin).get(PATH).query({ name: 'it' }).expect(200)).body.data
  assert.equal(named.roles.length, 1)
})
