import { z } from 'zod'
import type { Identity } from '../auth/identity.js'
import { managerErrors } from '../http/errors.js'
import { InvalidFields } from '../http/fields.js'
import { defineRoute, type Route } from '../http/route.js'
import { type UserStatus, userStatus } from '../store/documents.js'
import { newPassword, oldPassword } from './fields.js'
import { setPassword } from './set-password.js'

/**
 * PUT /users/self/password. Ends all sessions, this one too. Who had to change his password is active then; who was
 * deactivated meanwhile stays so. Guesses at the old password are slowed as those at a login are.
 */
export function changeOwnPassword({ store, passwords, throttle, now }: Identity): Route {
  return defineRoute({
    method: 'PUT',
    path: '/api/v1/users/self/password',
    operationId: 'changeOwnPassword',
    tag: 'users',
    summary: 'Changes the password of who is logged in. All tokens are worthless then; log in again.',
    permission: 'token',
    audit: 'user.password.change',
    body: z.object({ oldPassword, newPassword }),
    errors: ['INVALID_BODY', 'PASSWORD_WRONG', 'VALIDATION_FAILED', 'TOO_MANY_ATTEMPTS', 'VERSION_CONFLICT'],
    handle: async ({ body, caller, ip, about }) => {
      const user = caller && (await store.users.findOne({ _id: caller.id }))
      if (!user) throw managerErrors.error('UNAUTHORIZED')
      const id = user._id.toHexString()
      about(`users/${id}`)
      const turn = await throttle.enter({ account: `the password of ${id}`, ip })
      try {
        if (!(await passwords.verify(user.password, body.oldPassword, ip))) {
          turn.failed()
          throw managerErrors.error('PASSWORD_WRONG')
        }
        turn.succeeded()
      } finally {
        turn.drop()
      }
      if (body.newPassword.normalize('NFC') === body.oldPassword.normalize('NFC'))
        throw new InvalidFields('VALIDATION_FAILED', [{ field: 'newPassword', message: 'must not be the old one' }])
      const phc = await passwords.hash(body.newPassword, ip)
      const { active, inactive } = userStatus
      const status: UserStatus = Number(user.status) === inactive ? inactive : active
      await setPassword(store, user, { phc, status, by: user._id, now: now() })
      return {}
    },
  })
}
