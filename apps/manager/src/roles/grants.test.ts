import assert from 'node:assert/strict'
import { test } from 'node:test'
import { permissionKeys } from '../http/route.js'
import { sharedManager, type TestUser } from '../testing/index.js'
import { create, idOf, PATH, policy } from '../testing/roles.js'

const manager = sharedManager()

test('M11 nobody grants what he does not hold, neither in a new role nor in one that he holds himself', async () => {
  const m = await manager()
  const key = 'schedule_intent.read'
  const narrow = { permissionKey: key, policyNamespace: 'team' }
  const user = await m.user({ policies: ['role.create', 'role.update', narrow] })
  const own = await idOf(m, `role of ${user.username}`)
  for (const beyond of [policy('user.create'), policy(key), policy(key, { k8sNamespace: 'shop' })]) {
    const created = await create(m, { name: 'mine', rolePolicies: [beyond] }, user).expect(403)
    assert.equal(created.body.code, 'GRANT_EXCEEDS_OWN')
    const updated = await m
      .as(user)
      .put(PATH)
      .send({ id: own, rolePolicy: [policy('role.update'), beyond] })
      .expect(403)
    assert.equal(updated.body.code, 'GRANT_EXCEEDS_OWN')
  }
  assert.equal(await m.store.roles.countDocuments({ name: 'mine' }), 0)
  const held = [policy('role.update'), policy(key, { policyNamespace: 'team', k8sNamespace: 'shop' })]
  await create(m, { name: 'mine', rolePolicies: held }, user).expect(200)
  // What a role has already may stay in it, whoever changes it.
  await create(m, { name: 'theirs', rolePolicies: [policy('audit.read')] }).expect(200)
  const theirs = { id: await idOf(m, 'theirs'), rolePolicy: [policy('audit.read'), policy('role.update')] }
  await m.as(user).put(PATH).send(theirs).expect(200)
})

test('M11 nobody takes out of a role what he does not hold, nor gives it another name', async () => {
  const m = await manager()
  const user = await m.user({ policies: ['role.update', 'user.read'] })
  await create(m, { name: 'guards', rolePolicies: [policy('schedule_intent.read'), policy('user.read')] }).expect(200)
  const id = await idOf(m, 'guards')
  const update = (as: TestUser, body: object) =>
    m
      .as(as)
      .put(PATH)
      .send({ id, ...body })
  for (const [does, rolePolicy] of [
    ['take away', []],
    ['take away', [policy('user.read')]],
    ['take away', [policy('role.update')]],
    ['grant', [policy('schedule_intent.read', { k8sNamespace: 'shop' }), policy('user.read')]],
  ] as const) {
    const { body } = await update(user, { rolePolicy }).expect(403)
    const words = `You can ${does} only what you hold yourself: you do not have schedule_intent.read to that extent.`
    assert.deepEqual([body.code, body.error], ['GRANT_EXCEEDS_OWN', words], JSON.stringify(rolePolicy))
  }
  const renamed = await update(user, { name: 'guests' }).expect(403)
  assert.deepEqual(
    [renamed.body.code, renamed.body.error],
    ['GRANT_EXCEEDS_OWN', 'This role holds more than you do: you cannot give it another name.'],
  )
  const before = await m.store.roles.findOne({ name: 'guards' })
  assert.deepEqual([before?.policies.length, Number(before?.version)], [2, 1], 'and none of it is done')
  await update(user, {
    name: 'guards',
    description: 'Keeps watch.',
    rolePolicy: [policy('schedule_intent.read')],
  }).expect(200)
  await update(m.admin, { name: 'guests', rolePolicy: [] }).expect(200)
  await update(user, { name: 'guards' }).expect(200)
})

test('M12 a limit that a permission does not look at is 422, in a new role and in one that there is: it would limit nothing', async () => {
  const m = await manager()
  const onePerson = ['user.password.reset', 'user.permission.update']
  const strategies = permissionKeys.filter((key) => key.startsWith('schedule_'))
  assert.equal(strategies.length, 6)
  const looking: Record<string, readonly string[]> = {
    self: onePerson,
    k8sNamespace: [...strategies, 'pod_pid_mapping.read'],
    policyNamespace: strategies,
  }
  await create(m, { name: 'limited' }).expect(200)
  const id = await idOf(m, 'limited')
  const update = (rolePolicy: object[]) => m.as(m.admin).put(PATH).send({ id, rolePolicy })
  for (const [limit, keys] of Object.entries(looking)) {
    const limited = (key: string) => policy(key, { [limit]: limit === 'self' ? true : 'shop' })
    for (const key of permissionKeys.filter((each) => !keys.includes(each))) {
      const { body } = await update([policy(key), limited(key)]).expect(422)
      const problem = { field: `rolePolicy[1].${limit}`, message: `does not limit ${key}: leave it out` }
      assert.deepEqual([body.code, body.fields], ['VALIDATION_FAILED', [problem]])
    }
    await update(keys.map(limited)).expect(200)
  }
  const all = { self: true, k8sNamespace: 'shop', policyNamespace: 'team' }
  const { body } = await create(m, { name: 'idle', rolePolicies: [policy('user.create', all)] }).expect(422)
  assert.deepEqual(
    body.fields.map(({ field }: { field: string }) => field),
    Object.keys(all).map((limit) => `rolePolicies[0].${limit}`),
  )
  assert.equal(await m.store.roles.countDocuments({ name: 'idle' }), 0)
})

test('M12 a policy with such a limit that is stored all the same, from before, permits nothing', async () => {
  const m = await manager()
  const idle = await m.user({ policies: [{ permissionKey: 'user.read', k8sNamespace: 'shop' }, 'role.read'] })
  await m.as(idle).get('/api/v1/users').expect(403)
  await m.as(idle).get(PATH).expect(200)
})
