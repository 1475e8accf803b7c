import { z } from 'zod'
import type { Identity } from '../auth/identity.js'
import { afterCursor, nextCursor, pageOf, pageQuery, wholeNumber } from '../http/page.js'
import { defineRoute, type Route } from '../http/route.js'
import { MAX_USERNAME } from './fields.js'
import { type ShownUser, shown, userView, viewUsers } from './view.js'

/** GET /users, in the order in which they were made. */
export function listUsers({ store }: Identity): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/v1/users',
    operationId: 'listUsers',
    tag: 'users',
    summary: 'Lists users, in the order in which they were made.',
    permission: 'user.read',
    query: z.object({
      ...pageQuery,
      username: z.string().max(MAX_USERNAME).optional(),
      status: wholeNumber(1, 3).optional(),
    }),
    answer: z.object({ users: z.array(userView), nextCursor }),
    errors: ['VALIDATION_FAILED'],
    handle: async ({ query }) => {
      const filter = {
        ...afterCursor(query),
        ...(query.username === undefined ? {} : { username: query.username }),
        ...(query.status === undefined ? {} : { status: query.status }),
      }
      const found = await store.users
        .find<ShownUser>(filter, { projection: shown, sort: { _id: 1 }, limit: query.limit + 1 })
        .toArray()
      const { items, next } = pageOf(found, query)
      return { data: { users: await viewUsers(store, items), ...next } }
    },
  })
}
