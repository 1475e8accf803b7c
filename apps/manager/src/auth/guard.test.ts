import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { SignJWT } from 'jose'
import { Int32, ObjectId } from 'mongodb'
import { sharedManager, type TestManager } from '../testing/index.js'
import { AUDIENCE, createTokens, ISSUER } from './tokens.js'

/** A route that asks for a permission, and one that asks for a token alone. */
const PERMITTED = '/api/v1/users'
const TOKEN_ONLY = '/api/v1/users/self'

async function expectRefusal(
  m: TestManager,
  header: string | undefined,
  status: number,
  error: string,
  path = PERMITTED,
) {
  const asked = m.agent.get(path)
  const response = await (header === undefined ? asked : asked.set('authorization', header))
  assert.equal(response.status, status, `${path} ${header?.slice(0, 30)}`)
  assert.equal(response.headers['content-type'], 'application/json')
  assert.equal(response.body.success, false)
  assert.equal(response.body.error, error)
  assert.equal(response.headers['www-authenticate'], status === 401 ? 'Bearer' : undefined)
}

const signed = (m: TestManager, claims: object, change: (jwt: SignJWT) => SignJWT = (jwt) => jwt) => {
  const at = Math.floor(Date.now() / 1000)
  return change(
    new SignJWT({ needChangePassword: false, tv: 1, ...claims })
      .setProtectedHeader({ alg: 'RS256' })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(String((claims as { uid?: unknown }).uid))
      .setIssuedAt(at)
      .setNotBefore(at)
      .setExpirationTime(at + 60),
  ).sign(m.key)
}

const manager = sharedManager()

test('1.3 bearer middleware: the header, then the token, then the user', async () => {
  const m = await manager()
  await m.as(m.admin).get(PERMITTED).expect(200)
  for (const path of [PERMITTED, TOKEN_ONLY]) {
    await expectRefusal(m, undefined, 401, 'Missing Authorization header', path)
    await expectRefusal(m, '', 401, 'Missing Authorization header', path)
    for (const malformed of ['Bearer', 'Bearer ', `bearer ${m.admin.token}`, `Basic ${m.admin.token}`, m.admin.token])
      await expectRefusal(m, malformed, 401, 'Invalid Authorization header format', path)

    // M1: malformed, badly signed, expired, not yet valid.
    const uid = m.admin.id.toHexString()
    const { privateKey: otherKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const now = Math.floor(Date.now() / 1000)
    for (const bad of [
      'x',
      `${m.admin.token}x`,
      `${m.admin.token} ${m.admin.token}`,
      await createTokens(otherKey).sign({ uid, needChangePassword: false, tv: 1 }),
      await signed(m, { uid }, (jwt) => jwt.setExpirationTime(now - 60)),
      await signed(m, { uid }, (jwt) => jwt.setNotBefore(now + 60)),
      await signed(m, { uid: 'admin' }),
    ])
      await expectRefusal(m, `Bearer ${bad}`, 401, 'Invalid or expired token', path)
  }
  const nobody = await signed(m, { uid: new ObjectId().toHexString() })
  await expectRefusal(m, `Bearer ${nobody}`, 401, 'user not found')
  await expectRefusal(m, `Bearer ${nobody}`, 401, 'Unauthorized', TOKEN_ONLY)
})

test('1.3, M2 who has to change his password reaches nothing but himself, by the token or by what the database says', async () => {
  const m = await manager()
  const must = await m.user({ status: 3, policies: ['user.read', 'user.permission.update'] })
  await expectRefusal(m, `Bearer ${must.token}`, 403, 'password change required')
  const changed = await m.as(must).put('/api/v1/users/permissions').send({ userID: must.id.toHexString(), status: 1 })
  assert.equal(changed.status, 403)
  assert.equal(changed.body.error, 'password change required')
  await m.as(must).get(TOKEN_ONLY).expect(200)

  await m.db.collection('users').updateOne({ _id: must.id }, { $set: { status: new Int32(1) } })
  await expectRefusal(m, `Bearer ${must.token}`, 403, 'password change required')
  const active = { ...must, token: await m.tokenOf(must.id) }
  await m.as(active).get(PERMITTED).expect(200)
  await m.db.collection('users').updateOne({ _id: must.id }, { $set: { status: new Int32(3) } })
  await expectRefusal(m, `Bearer ${active.token}`, 403, 'password change required')
})

test('1.3 no roles, roles that are gone, roles without the policy: 403 permission denied', async () => {
  const m = await manager()
  const without = await m.user()
  const other = await m.user({ policies: ['role.read'] })
  const dangling = await m.user()
  await m.db.collection('users').updateOne({ _id: dangling.id }, { $set: { roleIds: [new ObjectId()] } })
  for (const { token } of [without, other, dangling])
    await expectRefusal(m, `Bearer ${token}`, 403, 'permission denied')
  await m.as(other).get('/api/v1/roles').expect(200)
})

test('M4 every request asks: an inactive user, and a token of before a change of password, are refused at once', async () => {
  const m = await manager()
  const user = await m.user({ policies: ['user.read'] })
  await m.as(user).get(PERMITTED).expect(200)
  const users = m.db.collection('users')
  await users.updateOne({ _id: user.id }, { $set: { status: new Int32(2) } })
  for (const path of [PERMITTED, TOKEN_ONLY])
    await expectRefusal(m, `Bearer ${user.token}`, 401, 'Invalid or expired token', path)
  await users.updateOne({ _id: user.id }, { $set: { status: new Int32(1) }, $inc: { tokenVersion: new Int32(1) } })
  for (const path of [PERMITTED, TOKEN_ONLY])
    await expectRefusal(m, `Bearer ${user.token}`, 401, 'Invalid or expired token', path)
  await m
    .as({ ...user, token: await m.tokenOf(user.id) })
    .get(PERMITTED)
    .expect(200)
})

test('1.17.4 a role change takes effect on an existing token', async () => {
  const m = await manager()
  const user = await m.user()
  await expectRefusal(m, `Bearer ${user.token}`, 403, 'permission denied')
  const grant = (roles: string[]) =>
    m.as(m.admin).put('/api/v1/users/permissions').send({ userID: user.id.toHexString(), roles }).expect(200)
  await grant(['admin'])
  await m.as(user).get(PERMITTED).expect(200)
  await grant([])
  await expectRefusal(m, `Bearer ${user.token}`, 403, 'permission denied')
})
