import { Int32, Long, ObjectId } from 'mongodb'
import { z } from 'zod'
import type { Identity } from '../auth/identity.js'
import { managerErrors } from '../http/errors.js'
import { InvalidFields } from '../http/fields.js'
import { defineRoute, type Route } from '../http/route.js'
import { isDuplicateKey } from '../store/failures.js'
import { checkPolicies, description, eitherPolicies, isOneName, policiesOf, roleName, TWO_NAMES } from './fields.js'

/** POST /roles. */
export function createRole({ store, now }: Identity): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/v1/roles',
    operationId: 'createRole',
    tag: 'roles',
    summary: 'Creates a role out of what the caller holds. `rolePolicy`, as lists and updates call it, is taken too.',
    permission: 'role.create',
    audit: 'role.create',
    body: z
      .object({ name: roleName, description: description.default(''), ...eitherPolicies })
      .refine(isOneName, TWO_NAMES),
    errors: ['INVALID_BODY', 'VALIDATION_FAILED', 'GRANT_EXCEEDS_OWN', 'NAME_TAKEN'],
    handle: async ({ body, caller }) => {
      if (caller === undefined) throw managerErrors.error('UNAUTHORIZED')
      const wanted = policiesOf(body)
      if (wanted !== undefined) await checkPolicies(store, caller, wanted)
      const _id = new ObjectId()
      const time = Long.fromNumber(now())
      try {
        await store.roles.insertOne({
          _id,
          name: body.name,
          description: body.description,
          policies: wanted?.policies ?? [],
          version: new Int32(1),
          createdTime: time,
          updatedTime: time,
          creatorID: caller.id,
          updaterID: caller.id,
        })
      } catch (thrown) {
        if (isDuplicateKey(thrown))
          throw new InvalidFields('NAME_TAKEN', [{ field: 'name', message: 'is the name of another role' }])
        throw thrown
      }
      return { target: `roles/${_id.toHexString()}` }
    },
  })
}
