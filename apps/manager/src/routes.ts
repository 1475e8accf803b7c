import { auditRoutes } from './audit/routes.js'
import { authRoutes } from './auth/routes.js'
import type { RouteDeps } from './deps.js'
import type { Route } from './http/route.js'
import { permissionRoutes } from './permissions/routes.js'
import { roleRoutes } from './roles/routes.js'
import { userRoutes } from './users/routes.js'
import { versionRoutes } from './version/routes.js'

/** All that the API answers, in the order that the document has it in. */
export function routesOf({ identity, store }: RouteDeps): readonly Route[] {
  return [
    ...authRoutes(identity),
    ...userRoutes(identity),
    ...roleRoutes(identity),
    ...permissionRoutes(identity),
    ...auditRoutes(store),
    ...versionRoutes,
  ]
}
