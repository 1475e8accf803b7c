import { createService, type Service } from '@bulkhead/service-kit'
import { createAuditLog } from './audit/log.js'
import { createIdentity } from './auth/identity.js'
import { cookieCredentials } from './auth/sessions/credentials.js'
import type { AppDeps } from './deps.js'
import { serveGui } from './gui/serve.js'
import { MAX_BODY_BYTES } from './http/body.js'
import { cameSecurely, clientAddress } from './http/client-address.js'
import { renderError } from './http/envelope.js'
import { type Guard, mountRoutes } from './http/mount.js'
import type { Route } from './http/route.js'
import { serveOpenApi } from './openapi/serve.js'
import { createNodeSync } from './push/node-sync.js'
import { routesOf } from './routes.js'
import { createSchedulerGuard } from './schedulers/guard.js'
import { OPERATION_TIMEOUT_MS } from './store/client.js'
import { health } from './version/health.js'

/** Who calls is two questions to the database, of which the first finds out whether it is there. */
const ADMISSION_MS = OPERATION_TIMEOUT_MS + 1_000
/** Longer than anything that is waited for in its course: passwords' turns, schedulers. */
const HANDLING_MS = 12_000

/** Builds the service; main.ts makes it listen. What it is given is closed with it. */
export function createApp(deps: AppDeps): Service {
  const { store, cluster, push, log, config, checks } = deps
  const audit = createAuditLog(store, log.log, config.audit)
  const identity = deps.identity ?? createIdentity({ store, key: config.key })
  const sync = deps.sync ?? createNodeSync({ store, push, log: log.log })
  const routes = routesOf({ ...deps, identity, sync })
  const schedulerGuard = createSchedulerGuard(config.schedulerKey)
  const guard: Guard = (route, ...shown) =>
    route.permission === 'scheduler'
      ? schedulerGuard(route, ...shown)
      : store.within(ADMISSION_MS, () => identity.guard(route, ...shown))
  const proxies = config.proxies ?? { from: [], hops: 0 }
  const ipOf = clientAddress(proxies)
  const credentials = cookieCredentials({ csrf: identity.csrf, secure: cameSecurely(proxies) })
  const bounded = (route: Route): Route => ({
    ...route,
    handle: (call) => store.within(HANDLING_MS, () => route.handle(call)),
  })
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
      mountRoutes(app, routes.map(bounded), { guard, audit, ipOf, credentials })
      serveOpenApi(app, routes)
      serveGui(app)
    },
  })
  // The last of these is closed first: what schedulers were told is still noted in the database.
  service.onClose('cluster view', () => cluster.close())
  service.onClose('database', () => store.close())
  service.onClose('schedulers', () => push.close())
  service.onClose('what schedulers are being told', () => sync.close())
  return service
}
