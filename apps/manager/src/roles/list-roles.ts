import { z } from 'zod'
import type { Identity } from '../auth/identity.js'
import { afterCursor, nextCursor, pageOf, pageQuery } from '../http/page.js'
import { defineRoute, type Route } from '../http/route.js'

export const policyView = z.object({
  permissionKey: z.string(),
  self: z.boolean(),
  k8sNamespace: z.string(),
  policyNamespace: z.string(),
})

/** GET /roles, in the order in which they were made. */
export function listRoles({ store }: Identity): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/v1/roles',
    operationId: 'listRoles',
    tag: 'roles',
    summary: 'Lists roles, in the order in which they were made.',
    permission: 'role.read',
    query: z.object({ ...pageQuery, name: z.string().max(128).optional() }),
    answer: z.object({
      roles: z.array(
        z.object({
          id: z.string(),
          name: z.string(),
          description: z.string(),
          rolePolicy: z.array(policyView),
          builtIn: z.boolean(),
          version: z.int(),
        }),
      ),
      nextCursor,
    }),
    errors: ['VALIDATION_FAILED'],
    handle: async ({ query }) => {
      const filter = { ...afterCursor(query), ...(query.name === undefined ? {} : { name: query.name }) }
      const found = await store.roles.find(filter, { sort: { _id: 1 }, limit: query.limit + 1 }).toArray()
      const { items, next } = pageOf(found, query)
      const roles = items.map(({ _id, name, description, policies, builtIn, version }) => ({
        id: _id.toHexString(),
        name,
        description,
        rolePolicy: policies.map(({ permissionKey, self, k8sNamespace, policyNamespace }) => ({
          permissionKey,
          self,
          k8sNamespace,
          policyNamespace,
        })),
        builtIn: builtIn ?? false,
        version: Number(version),
      }))
      return { data: { roles, ...next } }
    },
  })
}
