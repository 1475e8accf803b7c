import { ObjectId } from 'mongodb'
import { z } from 'zod'
import type { Identity } from '../auth/identity.js'
import { managerErrors } from '../http/errors.js'
import { type Answer, type Call, defineRoute, type Route } from '../http/route.js'
import { requireVersion } from '../http/versions.js'
import { roleId } from './fields.js'

const errors = [
  'INVALID_BODY',
  'INVALID_HEADER',
  'ROLE_ID_INVALID',
  'ROLE_NOT_FOUND',
  'ROLE_BUILT_IN',
  'ROLE_IN_USE',
  'VERSION_CONFLICT',
] as const

/** Deletes a role that nobody holds. */
async function remove(
  { store }: Identity,
  id: string,
  { ifMatch, about }: Pick<Call, 'ifMatch' | 'about'>,
): Promise<Answer> {
  const _id = new ObjectId(id)
  about(`roles/${_id.toHexString()}`)
  await store.transaction(async (session) => {
    const role = await store.roles.findOne({ _id }, { session })
    if (role === null) throw managerErrors.error('ROLE_NOT_FOUND')
    requireVersion(ifMatch, role.version)
    if (role.builtIn === true) throw managerErrors.error('ROLE_BUILT_IN')
    const held = await store.users.findOne({ roleIds: _id }, { session, projection: { _id: 1 } })
    if (held !== null) throw managerErrors.error('ROLE_IN_USE')
    await store.roles.deleteOne({ _id }, { session })
  })
  return {}
}

const common = {
  method: 'DELETE',
  tag: 'roles',
  permission: 'role.delete',
  audit: 'role.delete',
  ifMatch: true,
  errors,
} as const

/** DELETE /roles with a body, as the original has it. */
export const deleteRoleByBody = (identity: Identity): Route =>
  defineRoute({
    ...common,
    path: '/api/v1/roles',
    operationId: 'deleteRoleByBody',
    summary: 'Deletes a role that nobody holds. Some proxies drop the body of a DELETE: the other form has none.',
    body: z.object({ id: roleId }),
    handle: (call) => remove(identity, call.body.id, call),
  })

/** DELETE /roles/{id}. */
export const deleteRole = (identity: Identity): Route =>
  defineRoute({
    ...common,
    path: '/api/v1/roles/{id}',
    operationId: 'deleteRole',
    summary: 'Deletes a role that nobody holds.',
    params: z.object({ id: roleId }),
    handle: (call) => remove(identity, call.params.id, call),
  })
