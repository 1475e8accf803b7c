import { createService, type Service } from '@bulkhead/service-kit'
import { createAuditLog } from './audit/log.js'
import type { AppDeps, RouteDeps } from './deps.js'
import { MAX_BODY_BYTES } from './http/body.js'
import { renderError } from './http/envelope.js'
import { managerErrors } from './http/errors.js'
import { type Guard, mountRoutes } from './http/mount.js'
import { serveOpenApi } from './openapi/serve.js'
import { routesOf } from './routes.js'
import { health } from './version/health.js'

/** Builds the service; main.ts makes it listen. What it is given is closed with it. */
export function createApp(deps: AppDeps): Service {
  const { store, cluster, log, checks } = deps
  const audit = createAuditLog(store, log.log)
  const routeDeps: RouteDeps = { ...deps, audit }
  const routes = routesOf(routeDeps)
  const guard: Guard = async () => {
    throw managerErrors.error('AUTHORIZATION_MISSING')
  }
  const service = createService({
    log,
    health,
    renderError,
    limits: { maxBodyBytes: MAX_BODY_BYTES },
    checks: {
      mongodb: () => store.ping(),
      kubernetes: () => {
        if (!cluster.synced) throw new Error(cluster.problem ?? 'pods and nodes have not been listed yet')
      },
      ...checks,
    },
    routes: (app) => {
      mountRoutes(app, routes, { guard, audit })
      serveOpenApi(app, routes)
    },
  })
  service.onClose('database', () => store.close())
  service.onClose('cluster view', () => cluster.close())
  return service
}
