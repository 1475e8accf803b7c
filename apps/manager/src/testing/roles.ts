import assert from 'node:assert/strict'
import type { TestManager, TestUser } from './manager.js'

export const PATH = '/api/v1/roles'
export const policy = (permissionKey: string, more: object = {}) => ({
  permissionKey,
  self: false,
  k8sNamespace: '',
  policyNamespace: '',
  ...more,
})

export interface Shown {
  readonly id: string
  readonly name: string
  readonly rolePolicy: readonly object[]
  readonly version: number
}

export const list = async (m: TestManager): Promise<Shown[]> =>
  (await m.as(m.admin).get(PATH).expect(200)).body.data.roles
export const create = (m: TestManager, body: object, as: TestUser = m.admin) => m.as(as).post(PATH).send(body)
export const idOf = async (m: TestManager, name: string): Promise<string> =>
  (await m.store.roles.findOne({ name }))?._id.toHexString() ?? assert.fail(`no role ${name}`)
