import type { KeyObject } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { MAX_SET_BYTES, type SchedulerReport } from '@bulkhead/intents'
import { Counter, createService, Gauge, type Service, type ServiceLog, send } from '@bulkhead/service-kit'
import { createGuard } from './auth/guard.js'
import { authRoutes } from './auth/routes.js'
import { createTokens } from './auth/tokens.js'
import { API_TYPE, renderError, toJson } from './http/envelope.js'
import { mountRoutes } from './http/mount.js'
import type { Route } from './http/route.js'
import { NodeIntents } from './intents/node-intents.js'
import { intentRoutes } from './intents/routes.js'
import { metricsRoutes } from './metrics/routes.js'
import { SchedMetrics } from './metrics/sched-metrics.js'
import { openApiDocument } from './openapi/document.js'
import { processRoutes } from './processes/routes.js'
import type { ProcessSource } from './processes/source.js'
import type { Manager } from './report/manager.js'
import { Reporter, type Timers } from './report/reporter.js'
import { strategyRoutes } from './strategies/routes.js'
import { health } from './version/health.js'
import { versionRoutes } from './version/routes.js'

/** What the service is made of: everything that a test may want another one of. */
export interface AppDeps {
  readonly node: string
  readonly pod: string
  readonly key: KeyObject
  readonly managerKey: KeyObject
  readonly machineId: string
  readonly processes: ProcessSource
  readonly manager: Manager
  readonly log: ServiceLog
  readonly timers?: Timers
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

export interface App {
  readonly service: Service
  /** Begins to report to the manager; it ends with the service. */
  readonly reporter: Reporter
  readonly routes: readonly Route[]
}

/** Builds the service; main.ts makes it listen and report. */
export function createApp(deps: AppDeps): App {
  const { node, log, now = Date.now } = deps
  const processes = watched(deps.processes, log)
  const startedAt = new Date(now()).toISOString()
  const intents = new NodeIntents(node, () => reporter.soon())
  const tokens = createTokens(node, deps.key, now)
  // The gauges are in the service's registry, which there is once the service is made, and so after its routes.
  const routes: Route[] = [
    ...authRoutes(tokens),
    ...intentRoutes({ intents, processes }),
    ...strategyRoutes(intents, processes, now),
    ...metricsRoutes({ set: (told) => metrics.set(told) }),
    ...processRoutes(node, processes),
    ...versionRoutes,
  ]
  const guard = createGuard({ node, managerKey: deps.managerKey, tokens, now })
  const service = createService({
    log,
    health,
    renderError,
    limits: { maxBodyBytes: MAX_SET_BYTES },
    checks: {
      processes: async () => {
        await processes.read()
      },
    },
    routes: (app) => {
      mountRoutes(app, routes, guard, now)
      const document = toJson(openApiDocument(routes))
      app.get('/openapi.json', (_request: unknown, response: ServerResponse) => send(response, 200, API_TYPE, document))
    },
  })
  const { registry } = service.metrics
  const metrics = new SchedMetrics(registry, deps.machineId)
  const reports = new Counter({
    name: 'scheduler_reports_total',
    help: 'Reports to the manager, by what became of them.',
    labelNames: ['result'] as const,
    registers: [registry],
  })
  new Gauge({
    name: 'scheduler_intents',
    help: 'Intents in force on this node.',
    registers: [registry],
    collect() {
      this.set(intents.inForce.intents.length)
    },
  })
  new Gauge({
    name: 'scheduler_set_version',
    help: 'Version of the set in force; 0: none has come since the start.',
    registers: [registry],
    collect() {
      this.set(intents.inForce.version)
    },
  })
  const report = (): SchedulerReport => {
    const { version, rootHash, intents: inForce } = intents.inForce
    return {
      podName: deps.pod,
      startedAt,
      setVersion: version,
      rootHash,
      intents: inForce.length,
      ...(metrics.last === undefined ? {} : { metrics: metrics.last }),
    }
  }
  const reporter = new Reporter({
    manager: deps.manager,
    report,
    log: log.log,
    outcome: (result) => reports.inc({ result }),
    ...(deps.timers === undefined ? {} : { timers: deps.timers }),
  })
  service.onClose('reports to the manager', () => reporter.close())
  return { service, reporter, routes }
}

/** The processes, with a line in the log when some may not be read, and when all may again: an intent that is not kept has a reason. */
function watched(processes: ProcessSource, { log }: ServiceLog): ProcessSource {
  let denied = false
  return {
    async read() {
      const found = await processes.read()
      if (found.denied > 0 !== denied) {
        denied = found.denied > 0
        if (denied) log.warn({ denied: found.denied }, 'processes of this node may not be read: they are not scheduled')
        else log.info('all processes of this node can be read again')
      }
      return found
    },
  }
}
