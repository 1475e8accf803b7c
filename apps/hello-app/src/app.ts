import { Counter, createService, Gauge, type Service, type ServiceLog } from '@bulkhead/service-kit'
import type { Check } from './checks/check.js'
import { outsideCheck } from './checks/outside.js'
import { outsideHosts } from './checks/outside-hosts.js'
import type { HelloConfig } from './config.js'
import { Database, type DatabaseOptions } from './database/database.js'
import { pageRoutes } from './page/routes.js'
import { Board } from './status/board.js'
import { statusRoutes } from './status/routes.js'

export interface AppDeps {
  readonly config: Pick<HelloConfig, 'database' | 'listen' | 'CHECK_CACHE'>
  readonly log: ServiceLog
  /** Instead of the two hosts on the internet. For tests: no variable leads anywhere else. */
  readonly outside?: readonly Check[]
  readonly databaseOptions?: Pick<DatabaseOptions, 'timeoutMs'>
}

/** Builds the service; main.ts makes it listen. */
export function createApp({ config, log: serviceLog, outside, databaseOptions }: AppDeps): Service {
  const { log } = serviceLog
  const results = new Counter({
    name: 'hello_checks_total',
    help: 'Checks of dependencies, by their result.',
    labelNames: ['check', 'code'],
    registers: [],
  })
  const up = new Gauge({
    name: 'hello_dependency_up',
    help: 'Whether the last check of a dependency could reach it.',
    labelNames: ['check'],
    registers: [],
  })

  const database = new Database(config.database, {
    ...databaseOptions,
    onLost: (err) => log.info({ err }, 'a kept connection to the database ended'),
  })
  const board = new Board([database, ...(outside ?? outsideHosts.map(outsideCheck))], {
    cacheMs: config.CHECK_CACHE,
    onResult: ({ check: { id }, code, state, ms }, { cause }, changed) => {
      results.inc({ check: id, code })
      up.set({ check: id }, state === 'unreachable' ? 0 : 1)
      // The cause is for whoever reads the log; the page and the JSON have the code alone.
      if (changed) log[state === 'unreachable' ? 'warn' : 'info']({ check: id, code, ms, err: cause }, 'dependency')
    },
  })

  const service: Service = createService({
    log: serviceLog,
    checks: { database: () => database.ready() },
    routes: (app) => {
      // Express looks at its routes in order, and this one is asked most.
      statusRoutes(app, board)
      pageRoutes(app, board, () => {
        const address = service.server.address()
        return config.listen.port !== 0 || address === null || typeof address === 'string'
          ? config.listen.port
          : address.port
      })
    },
  })
  service.onClose('database pool', () => database.close())
  service.metrics.registry.registerMetric(results)
  service.metrics.registry.registerMetric(up)
  return service
}
