import assert from 'node:assert/strict'
import { test } from 'node:test'
import { permissionKeys } from '../http/route.js'
import { sharedManager } from '../testing/index.js'

const PATH = '/api/v1/permissions'

const manager = sharedManager()

test('1.5, 1.6 GET /permissions: the 16 keys of the contract and audit.read, with a description each', async () => {
  const m = await manager()
  const { body } = await m.as(m.admin).get(PATH).expect(200)
  assert.deepEqual(Object.keys(body.data), ['permissions'])
  assert.deepEqual(
    body.data.permissions.map(({ key }: { key: string }) => key),
    [...permissionKeys],
  )
  assert.equal(body.data.permissions.length, 17)
  for (const permission of body.data.permissions) {
    assert.deepEqual(Object.keys(permission), ['key', 'description'])
    assert.notEqual(permission.description, '')
  }
})

test('1.6 GET /permissions: 401 without a token, 403 without permission.read, by pages', async () => {
  const m = await manager()
  await m.agent.get(PATH).expect(401)
  const other = await m.user({ policies: ['role.read'] })
  assert.equal((await m.as(other).get(PATH).expect(403)).body.error, 'permission denied')
  const reader = await m.user({ policies: ['permission.read'] })
  const first = (await m.as(reader).get(`${PATH}?limit=10`).expect(200)).body.data
  const rest = (await m.as(reader).get(`${PATH}?limit=10&cursor=${first.nextCursor}`).expect(200)).body.data
  assert.deepEqual([first.permissions.length, rest.permissions.length], [10, 7])
})
