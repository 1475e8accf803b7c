import type { Identity } from '../auth/identity.js'
import { managerErrors } from '../http/errors.js'
import { defineRoute, type Route } from '../http/route.js'
import { etagOf } from '../http/versions.js'
import { type ShownUser, shown, userView, viewUsers } from './view.js'

/** GET /users/self: also for a user who has to change the password. */
export function self({ store }: Identity): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/v1/users/self',
    operationId: 'getSelf',
    tag: 'users',
    summary: 'Shows who is logged in.',
    permission: 'token',
    answer: userView,
    errors: [],
    handle: async ({ caller }) => {
      const user = caller && (await store.users.findOne<ShownUser>({ _id: caller.id }, { projection: shown }))
      const [view] = user ? await viewUsers(store, [user]) : []
      if (view === undefined) throw managerErrors.error('UNAUTHORIZED')
      return { data: view, headers: { etag: etagOf(view.version) } }
    },
  })
}
