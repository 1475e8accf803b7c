import { ObjectId } from 'mongodb'
import { z } from 'zod'
import type { Identity } from '../auth/identity.js'
import { notHeld } from '../auth/rbac.js'
import { managerErrors } from '../http/errors.js'
import { InvalidFields } from '../http/fields.js'
import { defineRoute, type Route } from '../http/route.js'
import { requireVersion } from '../http/versions.js'
import { changed, ONE } from '../store/changes.js'
import { isDuplicateKey } from '../store/failures.js'
import {
  checkPolicies,
  description,
  eitherPolicies,
  isOneName,
  policiesOf,
  roleId,
  roleName,
  TWO_NAMES,
} from './fields.js'

/** PUT /roles: what is absent stays; policies are replaced as a whole, for everybody who holds the role, at once. */
export function updateRole({ store, now }: Identity): Route {
  return defineRoute({
    method: 'PUT',
    path: '/api/v1/roles',
    operationId: 'updateRole',
    tag: 'roles',
    summary: 'Changes a role; its policies are replaced as a whole. Who holds it keeps it under its new name.',
    permission: 'role.update',
    audit: 'role.update',
    ifMatch: true,
    body: z
      .object({ id: roleId, name: roleName.optional(), description: description.optional(), ...eitherPolicies })
      .refine(isOneName, TWO_NAMES),
    errors: [
      'INVALID_BODY',
      'INVALID_HEADER',
      'ROLE_ID_INVALID',
      'ROLE_UNKNOWN',
      'VALIDATION_FAILED',
      'GRANT_EXCEEDS_OWN',
      'ROLE_BUILT_IN',
      'NAME_TAKEN',
      'VERSION_CONFLICT',
    ],
    handle: async ({ body, caller, ifMatch, about }) => {
      if (caller === undefined) throw managerErrors.error('UNAUTHORIZED')
      const _id = new ObjectId(body.id)
      about(`roles/${_id.toHexString()}`)
      const role = await store.roles.findOne({ _id })
      if (role === null) throw managerErrors.error('ROLE_UNKNOWN')
      requireVersion(ifMatch, role.version)
      const wanted = policiesOf(body)
      const renamed = body.name !== undefined && body.name !== role.name
      if (role.builtIn === true && (renamed || wanted !== undefined)) throw managerErrors.error('ROLE_BUILT_IN')
      // Roles are given by their names: one that is powerful under a harmless name would be given by mistake.
      if (renamed && notHeld(caller.policies, role.policies).length > 0)
        throw managerErrors.error(
          'GRANT_EXCEEDS_OWN',
          'This role holds more than you do: you cannot give it another name.',
        )
      if (wanted !== undefined) await checkPolicies(store, caller, wanted, role.policies)
      try {
        const { matchedCount } = await store.roles.updateOne(
          { _id, version: role.version },
          {
            $set: {
              ...(body.name === undefined ? {} : { name: body.name }),
              ...(body.description === undefined ? {} : { description: body.description }),
              ...(wanted === undefined ? {} : { policies: wanted.policies }),
              ...changed(caller.id, now()),
            },
            $inc: { version: ONE },
          },
        )
        if (matchedCount === 0) throw managerErrors.error('VERSION_CONFLICT')
      } catch (thrown) {
        if (isDuplicateKey(thrown))
          throw new InvalidFields('NAME_TAKEN', [{ field: 'name', message: 'is the name of another role' }])
        throw thrown
      }
      return {}
    },
  })
}
