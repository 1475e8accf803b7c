import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Int32 } from 'mongodb'
import { createIdentity } from '../auth/identity.js'
import { createPasswords } from '../auth/passwords.js'
import type { Call } from '../http/route.js'
import { sharedManager, type TestManager, type TestUser } from '../testing/index.js'
import { changeOwnPassword } from './change-own-password.js'

const manager = sharedManager()

/** The handler alone, as if the guard had let the user in; `hash` runs between the check of the old password and the write. */
function change(m: TestManager, user: TestUser, hash: () => Promise<string>) {
  const passwords = createPasswords({ hash, verify: async () => true })
  const route = changeOwnPassword(createIdentity({ store: m.store, key: m.key, passwords }))
  const caller = { id: user.id, username: user.username, status: 1, policies: new Map() } as const
  const body = { oldPassword: user.password, newPassword: 'a new password' }
  return route.handle({ body, caller, ip: 'x', about: () => {}, granted: [] } as unknown as Call)
}

const setStatus = (m: TestManager, user: TestUser, status: number) =>
  m.db
    .collection('users')
    .updateOne({ _id: user.id }, { $set: { status: new Int32(status) }, $inc: { version: new Int32(1) } })

test('M3 who was deactivated after he was let in stays so, whatever password he sets; who had to change it is active', async () => {
  const m = await manager()
  for (const [before, after] of [
    [1, 1],
    [2, 2],
    [3, 1],
  ] as const) {
    const user = await m.user()
    await setStatus(m, user, before)
    await change(m, user, async () => 'the new hash')
    const stored = await m.store.users.findOne({ _id: user.id })
    assert.deepEqual([stored?.password, Number(stored?.status)], ['the new hash', after])
  }
})

test('M3, M14 who is deactivated while his new password is being hashed stays so, with the old one', async () => {
  const m = await manager()
  const user = await m.user()
  const stored = () => m.store.users.findOne({ _id: user.id })
  const before = (await stored())?.password
  const changing = change(m, user, async () => {
    await setStatus(m, user, 2)
    return 'the new hash'
  })
  await assert.rejects(changing, { code: 'VERSION_CONFLICT', status: 409 })
  assert.equal((await stored())?.password, before)
  assert.equal(Number((await stored())?.status), 2)
})
