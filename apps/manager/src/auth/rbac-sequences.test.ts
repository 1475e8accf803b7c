import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Int32, Long, ObjectId } from 'mongodb'
import type supertest from 'supertest'
import type { RoleDoc } from '../store/documents.js'
import { startManager, type TestManager } from '../testing/index.js'
import { quickService } from '../testing/quick-service.js'
import { type ModelRole, type ModelToken, type ModelUser, type Outcome, RbacModel } from '../testing/rbac-model.js'
import { NAMESPACES, type Scene, scene } from '../testing/rbac-scenes.js'
import { newUserDoc } from '../users/documents.js'

/*
 * Random users make random calls, with tokens that may be old; the model says of each what has to come of it. At the end both
 * have to agree on who there is and what everybody holds.
 */

const LONG = process.env.BULKHEAD_LONG === '1'
/** The everyday run makes the same calls each time: few, and chosen for what they find. */
const runs: fc.Parameters<[Scene]> = LONG ? { numRuns: 200 } : { numRuns: 10, seed: 6, endOnFailure: true }

/** The scene in the database and in the model. */
async function setUp(m: TestManager, { roles, users }: Scene): Promise<RbacModel> {
  const model = new RbacModel(NAMESPACES)
  const admin = await m.store.roles.findOne({ builtIn: true })
  assert.ok(admin)
  await m.store.roles.deleteMany({ _id: { $ne: admin._id } })
  await m.store.users.deleteMany({})
  model.roles.push({ name: 'admin', policies: admin.policies, builtIn: true })
  const time = Long.fromNumber(Date.now())
  const by = new ObjectId()
  const common = {
    description: '',
    version: new Int32(1),
    createdTime: time,
    updatedTime: time,
    creatorID: by,
    updaterID: by,
  }
  const documents: RoleDoc[] = roles.map((each, n) => ({
    _id: new ObjectId(),
    name: `role-${n}`,
    policies: each,
    ...common,
  }))
  await m.store.roles.insertMany(documents)
  for (const { name, policies: each } of documents) model.roles.push({ name, policies: each, builtIn: false })
  const ids = [admin._id, ...documents.map(({ _id }) => _id)]
  const people = [{ roles: [0], status: 1 as const }, ...users]
  const docs = people.map(({ roles: held, status }, n) => {
    const unique = [...new Set(held.map((each) => each % ids.length))]
    const name = `user-${n}`
    model.users.push({
      name,
      password: 'password-1',
      status,
      roles: unique.map((each) => model.roles[each] as ModelRole),
      era: 0,
    })
    return newUserDoc({
      username: name,
      phc: 'hash of password-1',
      status: status as 1 | 2 | 3,
      roleIds: unique.map((each) => ids[each] as ObjectId),
      now: Date.now(),
    })
  })
  await m.store.users.insertMany(docs)
  return model
}

test('1.5 random calls by random users come to what a small model of the rules says', {
  timeout: LONG ? 600_000 : 60_000,
}, async (t) => {
  const m = await startManager(t)
  const { agent, identity } = await quickService(t, m)
  const seen = new Map<string, number>()

  await fc.assert(
    fc.asyncProperty(scene, async (given) => {
      const model = await setUp(m, given)
      const gone: ModelRole[] = []
      const tokens = new Map<ModelUser, { model: ModelToken; text: string }[]>()
      const userIds = new Map<ModelUser, string>()
      const idOfUser = async (user: ModelUser) => {
        const found = userIds.get(user) ?? (await m.store.users.findOne({ username: user.name }))?._id.toHexString()
        assert.ok(found)
        userIds.set(user, found)
        return found
      }
      const roleIds = new Map<ModelRole, string>()
      const learnRoles = async () => {
        for (const role of model.roles.filter((each) => !roleIds.has(each))) {
          const found = await m.store.roles.findOne({ name: role.name })
          if (found !== null) roleIds.set(role, found._id.toHexString())
        }
      }
      await learnRoles()
      const sign = async (user: ModelUser) => {
        const token = model.login(user, user.password)
        const own = tokens.get(user) ?? []
        tokens.set(user, own)
        if (typeof token === 'string') return
        const claims = { uid: await idOfUser(user), needChangePassword: token.mustChange, tv: user.era }
        own.push({ model: token, text: await identity.tokens.sign(claims) })
      }
      for (const user of model.users) await sign(user)

      const compare = (what: string, expected: Outcome, { status, body }: supertest.Response) => {
        const actual = status === 200 ? 'ok' : String(body.code)
        seen.set(`${what} ${expected}`, (seen.get(`${what} ${expected}`) ?? 0) + 1)
        assert.equal(actual, expected, `${what}: ${JSON.stringify(body)}`)
      }

      const isFresh = (token: ModelToken | undefined) =>
        token !== undefined && model.admit(token, undefined) === 'ok' && token.mustChange === (token.user.status === 3)

      for (const { caller, token: which, act: wanted } of given.steps) {
        const user = model.users[caller % model.users.length] as ModelUser
        const whom = model.users['whom' in wanted ? wanted.whom % model.users.length : 0] as ModelUser
        const everyRole = [...model.roles, ...gone]
        const roleAt = (n: number) => everyRole[n % everyRole.length] as ModelRole
        if (wanted.does === 'login') {
          const expected = model.login(whom, wanted.password)
          const answer = await agent.post('/api/v1/auth/login').send({ username: whom.name, password: wanted.password })
          compare('login', typeof expected === 'string' ? expected : 'ok', answer)
          if (typeof expected !== 'string') tokens.get(whom)?.push({ model: expected, text: answer.body.data.token })
          continue
        }
        // Mostly he has logged in again since; else it is a token that may be dead.
        if (which === -1 && !isFresh(tokens.get(user)?.at(-1)?.model)) await sign(user)
        const held = tokens.get(user)?.at(which) ?? tokens.get(user)?.at(-1)
        if (held === undefined) continue
        const ask = (method: 'get' | 'post' | 'put' | 'delete', path: string, body?: object) => {
          const request = agent[method](`/api/v1/${path}`).set('authorization', `Bearer ${held.text}`)
          return body === undefined ? request : request.send(body)
        }
        const named = (n: number) => {
          const role = roleAt(n)
          return model.roles.includes(role) ? role.name : 'no such role'
        }
        if (wanted.does === 'createUser') {
          const expected = model.createUser(held.model, wanted.name, 'password-1')
          compare('createUser', expected, await ask('post', 'users', { username: wanted.name, password: 'password-1' }))
          if (expected === 'ok') await sign(model.users.at(-1) as ModelUser)
        } else if (wanted.does === 'changePassword') {
          const body = { oldPassword: wanted.old, newPassword: wanted.password }
          const expected = model.changePassword(held.model, wanted.old, wanted.password)
          compare('changePassword', expected, await ask('put', 'users/self/password', body))
        } else if (wanted.does === 'resetPassword') {
          const body = { userID: await idOfUser(whom), newPassword: wanted.password }
          const expected = model.resetPassword(held.model, whom, wanted.password)
          compare('resetPassword', expected, await ask('put', 'users/password', body))
        } else if (wanted.does === 'setPermissions') {
          const { roles, status } = wanted
          const body = { userID: await idOfUser(whom), roles: roles?.map(named), status }
          const expected = model.setPermissions(held.model, whom, roles?.map(roleAt), status)
          compare('setPermissions', expected, await ask('put', 'users/permissions', body))
        } else if (wanted.does === 'createRole') {
          const expected = model.createRole(held.model, wanted.name, wanted.policies)
          compare(
            'createRole',
            expected,
            await ask('post', 'roles', { name: wanted.name, rolePolicies: wanted.policies }),
          )
          if (expected === 'ok') await learnRoles()
        } else if (wanted.does === 'updateRole') {
          const role = roleAt(wanted.role)
          const body = { id: roleIds.get(role), name: wanted.name, rolePolicy: wanted.policies }
          const expected = model.updateRole(held.model, role, wanted.name, wanted.policies)
          compare('updateRole', expected, await ask('put', 'roles', body))
        } else if (wanted.does === 'deleteRole') {
          const role = roleAt(wanted.role)
          const expected = model.deleteRole(held.model, role)
          compare('deleteRole', expected, await ask('delete', `roles/${roleIds.get(role)}`))
          if (expected === 'ok') gone.push(role)
        } else {
          const key = { users: 'user.read', roles: 'role.read', 'users/self': undefined }[wanted.at]
          compare(`look at ${wanted.at}`, model.admit(held.model, key), await ask('get', wanted.at))
        }
      }

      const roles = await m.store.roles.find().toArray()
      const names = new Map(roles.map(({ _id, name }) => [_id.toHexString(), name]))
      const stored = (await m.store.users.find().toArray()).map(
        ({ username, password: phc, status, roleIds: ids }) => ({
          username,
          phc,
          status: Number(status),
          roles: ids.map((id) => names.get(id.toHexString())).sort(),
        }),
      )
      const byName = (a: { username: string }, b: { username: string }) => (a.username < b.username ? -1 : 1)
      const expected = model.users.map(({ name, password: plain, status, roles: own }) => ({
        username: name,
        phc: `hash of ${plain}`,
        status,
        roles: own.map((role) => role.name).sort(),
      }))
      assert.deepEqual(stored.sort(byName), expected.sort(byName))
      assert.deepEqual(
        new Map(roles.map(({ name, policies: each }) => [name, each])),
        new Map(model.roles.map(({ name, policies: each }) => [name, each])),
      )
    }),
    { ...runs, includeErrorInReport: true },
  )
  for (const what of ['createUser', 'resetPassword', 'setPermissions', 'createRole', 'updateRole'])
    for (const outcome of what === 'createUser' ? ['ok', 'PERMISSION_DENIED'] : ['ok', 'GRANT_EXCEEDS_OWN'])
      assert.ok((seen.get(`${what} ${outcome}`) ?? 0) > 0, `never seen: ${what} ${outcome}`)
  if (LONG) t.diagnostic(JSON.stringify(Object.fromEntries([...seen].sort())))
})
