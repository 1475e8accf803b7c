import { z } from 'zod'
import type { Identity } from '../auth/identity.js'
import { afterCursor, nextCursor, pageOf, pageQuery } from '../http/page.js'
import { defineRoute, type Route } from '../http/route.js'

/** GET /permissions. */
const listPermissions = ({ store }: Identity): Route =>
  defineRoute({
    method: 'GET',
    path: '/api/v1/permissions',
    operationId: 'listPermissions',
    tag: 'permissions',
    summary: 'Lists what can be permitted.',
    permission: 'permission.read',
    query: z.object(pageQuery),
    answer: z.object({ permissions: z.array(z.object({ key: z.string(), description: z.string() })), nextCursor }),
    errors: ['VALIDATION_FAILED'],
    handle: async ({ query }) => {
      const found = await store.permissions
        .find(afterCursor(query), { sort: { _id: 1 }, limit: query.limit + 1 })
        .toArray()
      const { items, next } = pageOf(found, query)
      return { data: { permissions: items.map(({ key, description }) => ({ key, description })), ...next } }
    },
  })

export const permissionRoutes = (identity: Identity): Route[] => [listPermissions(identity)]
