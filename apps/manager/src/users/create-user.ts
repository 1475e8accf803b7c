import { z } from 'zod'
import type { Identity } from '../auth/identity.js'
import { InvalidFields } from '../http/fields.js'
import { defineRoute, type Route } from '../http/route.js'
import { userStatus } from '../store/documents.js'
import { isDuplicateKey } from '../store/failures.js'
import { newUserDoc } from './documents.js'
import { newPassword, username } from './fields.js'

/** POST /users: the new user has to change the password first, and has no roles. */
export function createUser({ store, passwords, now }: Identity): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/v1/users',
    operationId: 'createUser',
    tag: 'users',
    summary: 'Creates a user who has to change the password before anything else, and has no roles yet.',
    permission: 'user.create',
    audit: 'user.create',
    body: z.object({ username, password: newPassword }),
    errors: ['INVALID_BODY', 'VALIDATION_FAILED', 'NAME_TAKEN'],
    handle: async ({ body, caller, ip }) => {
      const phc = await passwords.hash(body.password, ip)
      const user = newUserDoc({
        username: body.username,
        phc,
        status: userStatus.mustChangePassword,
        now: now(),
        ...(caller && { by: caller.id }),
      })
      try {
        await store.users.insertOne(user)
      } catch (thrown) {
        if (isDuplicateKey(thrown))
          throw new InvalidFields('NAME_TAKEN', [{ field: 'username', message: 'is the name of another user' }])
        throw thrown
      }
      return { target: `users/${user._id.toHexString()}` }
    },
  })
}
