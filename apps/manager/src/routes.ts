import { auditRoutes } from './audit/routes.js'
import { authRoutes } from './auth/routes.js'
import type { RouteDeps } from './deps.js'
import type { Route } from './http/route.js'
import { intentRoutes } from './intents/routes.js'
import { nodeRoutes } from './nodes/routes.js'
import { permissionRoutes } from './permissions/routes.js'
import { roleRoutes } from './roles/routes.js'
import { defaultSchedulers } from './schedulers/identity.js'
import { schedulerRoutes } from './schedulers/routes.js'
import { strategyRoutes } from './strategies/routes.js'
import { userRoutes } from './users/routes.js'
import { versionRoutes } from './version/routes.js'

/** All that the API answers, in the order that the document has it in. */
export function routesOf(deps: RouteDeps): readonly Route[] {
  const { identity, store } = deps
  return [
    ...authRoutes(identity),
    ...userRoutes(identity),
    ...roleRoutes(identity),
    ...permissionRoutes(identity),
    ...strategyRoutes(deps),
    ...intentRoutes(deps),
    ...nodeRoutes(deps),
    ...schedulerRoutes({ ...deps, identity: deps.config.schedulers ?? defaultSchedulers }),
    ...auditRoutes(store),
    ...versionRoutes,
  ]
}
