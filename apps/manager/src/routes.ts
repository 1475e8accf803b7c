import { auditRoutes } from './audit/routes.js'
import type { RouteDeps } from './deps.js'
import type { Route } from './http/route.js'
import { versionRoutes } from './version/routes.js'

/** All that the API answers, in the order that the document has it in. */
export function routesOf({ store }: RouteDeps): readonly Route[] {
  return [...auditRoutes(store), ...versionRoutes]
}
