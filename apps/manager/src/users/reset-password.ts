import { ObjectId } from 'mongodb'
import { z } from 'zod'
import type { Identity } from '../auth/identity.js'
import { mayActOn } from '../auth/rbac.js'
import { managerErrors } from '../http/errors.js'
import { defineRoute, type Route } from '../http/route.js'
import { requireVersion } from '../http/versions.js'
import { type UserStatus, userStatus } from '../store/documents.js'
import { refuseBeyond } from './beyond.js'
import { newPassword, userId } from './fields.js'
import { setPassword } from './set-password.js'

/** PUT /users/password. The user has to change it again; one who is inactive stays so. His sessions end. */
export function resetPassword({ store, passwords, now }: Identity): Route {
  return defineRoute({
    method: 'PUT',
    path: '/api/v1/users/password',
    operationId: 'resetPassword',
    tag: 'users',
    summary:
      "Sets another user's password, which he then has to change. His tokens are worthless at once. One's own: /users/self/password.",
    permission: 'user.password.reset',
    audit: 'user.password.reset',
    ifMatch: true,
    body: z.object({ userID: userId, newPassword }),
    errors: [
      'INVALID_BODY',
      'INVALID_HEADER',
      'USER_ID_INVALID',
      'VALIDATION_FAILED',
      'NOT_SELF',
      'OWN_PASSWORD',
      'GRANT_EXCEEDS_OWN',
      'USER_NOT_FOUND',
      'VERSION_CONFLICT',
    ],
    handle: async ({ body, caller, granted, ip, ifMatch, about }) => {
      if (caller === undefined) throw managerErrors.error('UNAUTHORIZED')
      const _id = new ObjectId(body.userID)
      about(`users/${_id.toHexString()}`)
      if (!mayActOn(granted, caller.id.toHexString(), _id.toHexString())) throw managerErrors.error('NOT_SELF')
      // It asks for no old password and waits for no throttle: with it a token that was stolen would become a password.
      if (_id.equals(caller.id)) throw managerErrors.error('OWN_PASSWORD')
      const user = await store.users.findOne({ _id })
      if (user === null) throw managerErrors.error('USER_NOT_FOUND')
      requireVersion(ifMatch, user.version)
      await refuseBeyond(store, { caller, user, words: 'you cannot set a password for him' })
      const phc = await passwords.hash(body.newPassword, ip)
      const { inactive, mustChangePassword } = userStatus
      const status: UserStatus = Number(user.status) === inactive ? inactive : mustChangePassword
      await setPassword(store, user, { phc, status, by: caller.id, now: now() })
      return {}
    },
  })
}
