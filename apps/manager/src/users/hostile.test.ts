import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { startManager } from '../testing/index.js'
import { odd } from '../testing/odd-values.js'
import { quickService } from '../testing/quick-service.js'

const RUNS = process.env.BULKHEAD_LONG === '1' ? 2_000 : 160

type Method = 'post' | 'put' | 'delete'

test('any value in any field of logins, users and roles: the contract’s 4xx with the field named, and nothing is stored', async (t) => {
  const m = await startManager(t)
  const { agent } = await quickService(t, m)
  const user = await m.user()
  await m.as(m.admin).post('/api/v1/roles').send({ name: 'it' }).expect(200)
  const id = (await m.store.roles.findOne({ name: 'it' }))?._id.toHexString()
  const userID = user.id.toHexString()
  const policy = { permissionKey: 'user.read' }
  const password = 'a long password'
  const requests: readonly (readonly [Method, string, Readonly<Record<string, unknown>>])[] = [
    ['post', 'auth/login', { username: 'x', password }],
    ['post', 'users', { username: 'new', password }],
    ['put', 'users/password', { userID, newPassword: password }],
    ['put', 'users/permissions', { userID, roles: [], status: 1 }],
    ['put', 'users/self/password', { oldPassword: 'x', newPassword: password }],
    ['post', 'roles', { name: 'new', description: '', rolePolicies: [policy] }],
    ['put', 'roles', { id, name: 'it', description: '', rolePolicy: [policy] }],
    ['delete', 'roles', { id: '0'.repeat(24) }],
  ]
  const sent = fc
    .constantFrom(...requests)
    .chain(([method, path, body]) =>
      fc.tuple(fc.constant([method, path, body] as const), fc.constantFrom(...Object.keys(body)), odd),
    )
  const stored = async () => [await m.store.users.find().toArray(), await m.store.roles.find().toArray()]
  let kept = await stored()

  const ask = async (method: Method, path: string, body: unknown, field: string | undefined) => {
    const request = agent[method](`/api/v1/${path}`).set('authorization', `Bearer ${m.admin.token}`)
    const { status, text, body: answer } = await request.send(body as object)
    assert.ok([200, 400, 401, 404, 409, 413, 422].includes(status), text)
    if (status === 200) {
      kept = await stored()
      return
    }
    assert.deepEqual(await stored(), kept)
    assert.equal(answer.success, false)
    for (const name of ['error', 'code', 'requestId']) assert.equal(typeof answer[name], 'string')
    const named: { field: string }[] = answer.fields ?? []
    if (field !== undefined && (status === 422 || answer.code === 'INVALID_BODY') && answer.code !== 'ROLE_UNKNOWN')
      assert.ok(
        named.some((each) => each.field.startsWith(field)),
        text,
      )
  }

  await fc.assert(
    fc.asyncProperty(sent, ([[method, path, body], field, value]) =>
      ask(method, path, { ...body, [field]: value }, field),
    ),
    { numRuns: RUNS, includeErrorInReport: true },
  )
  // The whole body, too.
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...requests), odd, ([method, path], value) =>
      ask(method, path, typeof value === 'object' && value !== null ? value : JSON.stringify(value), undefined),
    ),
    { numRuns: RUNS / 4, includeErrorInReport: true },
  )
})

test('any query and any path parameter: 4xx or an answer, never a failure', async (t) => {
  const m = await startManager(t)
  const admin = m.as(m.admin)
  const asked = fc.tuple(
    fc.constantFrom('users', 'roles', 'permissions'),
    fc.constantFrom('limit', 'cursor', 'username', 'status', 'name', 'username[$ne]', '__proto__', 'toString'),
    fc.oneof(fc.constantFrom('', '0', '-1', '1e9', 'NaN', '$where', '%00', 'ﬀ'), fc.string({ unit: 'binary-ascii' })),
  )
  await fc.assert(
    fc.asyncProperty(asked, async ([list, name, value]) => {
      const { status, text } = await admin.get(`/api/v1/${list}?${name}=${encodeURIComponent(value)}`)
      assert.ok([200, 422].includes(status), text)
    }),
    { numRuns: RUNS / 4 },
  )
  for (const id of ['x', '%00', '..', '%ff', '{}', '$ne', 'ffffffffffffffffffffffff'])
    assert.ok([400, 404, 422].includes((await m.as(m.admin).delete(`/api/v1/roles/${id}`)).status), id)
})
