import { createService, type Service } from '@bulkhead/service-kit'
import { createAuditLog } from './audit/log.js'
import { createIdentity } from './auth/identity.js'
import type { AppDeps } from './deps.js'
import { MAX_BODY_BYTES } from './http/body.js'
import { renderError } from './http/envelope.js'
import { mountRoutes } from './http/mount.js'
import { serveOpenApi } from './openapi/serve.js'
import { createNodeSync } from './push/node-sync.js'
import { routesOf } from './routes.js'
import { health } from './version/health.js'

/** Builds the service; main.ts makes it listen. What it is given is closed with it. */
export function createApp(deps: AppDeps): Service {
  const { store, cluster, push, log, config, checks } = deps
  const audit = createAuditLog(store, log.log)
  const identity = deps.identity ?? createIdentity({ store, key: config.key })
  const sync = createNodeSync({ store, push, log: log.log })
  const routes = routesOf({ ...deps, identity, sync })
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
      mountRoutes(app, routes, { guard: identity.guard, audit })
      serveOpenApi(app, routes)
    },
  })
  // The last of these is closed first: what schedulers were told is still noted in the database.
  service.onClose('cluster view', () => cluster.close())
  service.onClose('database', () => store.close())
  service.onClose('schedulers', () => push.close())
  service.onClose('what schedulers are being told', () => sync.close())
  return service
}
