import { type ClientSession, Int32, Long, ObjectId } from 'mongodb'
import { z } from 'zod'
import type { Identity } from '../auth/identity.js'
import { mayActOn, notHeld } from '../auth/rbac.js'
import { managerErrors } from '../http/errors.js'
import { InvalidFields } from '../http/fields.js'
import { type Caller, defineRoute, type Route } from '../http/route.js'
import { requireVersion } from '../http/versions.js'
import { changed, ONE } from '../store/changes.js'
import { type RoleDoc, type UserDoc, userStatus } from '../store/documents.js'
import type { Store } from '../store/types.js'
import { refuseBeyond } from './beyond.js'
import { status, userId } from './fields.js'

const MOST_ROLES = 100

interface Change {
  readonly roles?: readonly string[] | undefined
  readonly status?: number | undefined
}

/**
 * PUT /users/permissions: which roles a user has, and whether he is active. Without `roles` or `status` that part stays as
 * it is; an empty list takes all roles. In force with the user's next request; deactivating ends his sessions for good. Somebody whose roles hold
 * more than the caller does is left alone.
 */
export function setPermissions({ store, now }: Identity): Route {
  return defineRoute({
    method: 'PUT',
    path: '/api/v1/users/permissions',
    operationId: 'setUserPermissions',
    tag: 'users',
    summary: "Sets a user's roles, by name, and status: 1 active, 2 inactive, 3 has to change the password.",
    permission: 'user.permission.update',
    audit: 'user.permission.update',
    ifMatch: true,
    body: z.object({
      userID: userId,
      roles: z.array(z.string().max(128)).max(MOST_ROLES).optional(),
      status: status.optional(),
    }),
    errors: [
      'INVALID_BODY',
      'INVALID_HEADER',
      'ROLES_NOT_FOUND',
      'USER_ID_INVALID',
      'VALIDATION_FAILED',
      'NOT_SELF',
      'GRANT_EXCEEDS_OWN',
      'USER_NOT_FOUND',
      'LAST_ADMIN',
      'VERSION_CONFLICT',
    ],
    handle: async ({ body, caller, granted, ifMatch, about }) => {
      if (caller === undefined) throw managerErrors.error('UNAUTHORIZED')
      const _id = new ObjectId(body.userID)
      about(`users/${_id.toHexString()}`)
      if (!mayActOn(granted, caller.id.toHexString(), _id.toHexString())) throw managerErrors.error('NOT_SELF')
      await store.transaction(async (session) => {
        const user = await store.users.findOne({ _id }, { session })
        if (user === null) throw managerErrors.error('USER_NOT_FOUND')
        requireVersion(ifMatch, user.version)
        await refuseBeyond(store, { caller, user, words: 'you cannot change his roles or status' }, session)
        await change(store, session, { user, caller, wanted: body, now: now() })
      })
      return {}
    },
  })
}

async function change(
  store: Store,
  session: ClientSession,
  {
    user,
    caller,
    wanted,
    now,
  }: { readonly user: UserDoc; readonly caller: Caller; readonly wanted: Change; readonly now: number },
): Promise<void> {
  const had = new Set(user.roleIds.map((id) => id.toHexString()))
  const roles = wanted.roles === undefined ? undefined : await rolesOf(store, session, wanted.roles)
  const added = (roles ?? []).filter(({ _id }) => !had.has(_id.toHexString()))
  refuseGrants(caller, added)

  const roleIds = roles === undefined ? user.roleIds : roles.map(({ _id }) => _id)
  const before = Number(user.status)
  const after = wanted.status ?? before
  const touched = added.map(({ _id }) => _id)

  const admin = await store.roles.findOne({ name: 'admin', builtIn: true }, { session, projection: { _id: 1 } })
  if (admin !== null) {
    const wasAdmin = before !== userStatus.inactive && had.has(admin._id.toHexString())
    const isAdmin = after !== userStatus.inactive && roleIds.some((id) => id.equals(admin._id))
    if (wasAdmin && !isAdmin) {
      const other = { _id: { $ne: user._id }, roleIds: admin._id, status: { $ne: userStatus.inactive } }
      if ((await store.users.findOne(other, { session, projection: { _id: 1 } })) === null)
        throw managerErrors.error('LAST_ADMIN')
      touched.push(admin._id)
    }
  }

  // Two who each take the other's admin role, or one who gives a role that another deletes: both write here, so the second
  // is run again, and sees what the first has done.
  if (touched.length > 0)
    await store.roles.updateMany(
      { _id: { $in: touched } },
      { $set: { membersTime: Long.fromNumber(now) } },
      { session },
    )
  const deactivated = before !== userStatus.inactive && after === userStatus.inactive
  await store.users.updateOne(
    { _id: user._id },
    {
      $set: { roleIds, status: new Int32(after), ...changed(caller.id, now) },
      $inc: { version: ONE, tokenVersion: new Int32(deactivated ? 1 : 0) },
    },
    { session },
  )
}

/** @throws ServiceError ROLES_NOT_FOUND; a name that is there twice is there once */
async function rolesOf(store: Store, session: ClientSession, names: readonly string[]): Promise<readonly RoleDoc[]> {
  const unique = [...new Set(names)]
  if (unique.length === 0) return []
  const found = await store.roles.find({ name: { $in: unique } }, { session }).toArray()
  const byName = new Map(found.map((role) => [role.name, role]))
  const unknown = names.flatMap((name, index) => (byName.has(name) ? [] : [`roles[${index}]`]))
  if (unknown.length > 0)
    throw new InvalidFields(
      'ROLES_NOT_FOUND',
      unknown.map((field) => ({ field, message: 'there is no role of this name' })),
    )
  return unique.flatMap((name) => byName.get(name) ?? [])
}

/** @throws ServiceError GRANT_EXCEEDS_OWN naming the first role that holds something which the caller does not */
function refuseGrants(caller: Caller, roles: readonly RoleDoc[]): void {
  for (const { name, policies } of roles) {
    const [missing] = notHeld(caller.policies, policies)
    if (missing !== undefined)
      throw managerErrors.error(
        'GRANT_EXCEEDS_OWN',
        `You can grant only what you hold yourself: the role ${JSON.stringify(name)} has ${missing.permissionKey}, which you do not have to that extent.`,
      )
  }
}
