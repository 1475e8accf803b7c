import { closeOnSignal, createLog, main } from '@bulkhead/service-kit'
import { createApp } from './app.js'
import { createIdentity } from './auth/identity.js'
import { Start } from './bootstrap/start.js'
import { readManagerConfig } from './config.js'
import { inClusterAccess, kubeConfigAccess } from './kubernetes/access.js'
import { connectCluster } from './kubernetes/view.js'
import { createHttpPush } from './push/http.js'
import { createNodeSync } from './push/node-sync.js'
import { Lease } from './reconcile/lease.js'
import { ReconcileMetrics } from './reconcile/metrics.js'
import { Reconciler } from './reconcile/reconciler.js'
import { Schedule } from './reconcile/schedule.js'
import { createClient } from './store/client.js'
import { createStore } from './store/store.js'

await main(async () => {
  const { config, values, effective } = readManagerConfig()
  const log = createLog({ name: 'manager', level: values.LOG_LEVEL, format: values.LOG_FORMAT })
  log.log.info({ config: effective }, 'starting')
  const store = createStore({
    make: () => createClient(config.mongo),
    database: config.mongo.database,
    note: (why) => log.log.warn({ why }, 'the client of the database hung; another one takes its place'),
  })
  const identity = createIdentity({ store, key: config.key })
  const start = new Start()
  const { inCluster, serviceAccountPath, kubeConfigPath = '' } = config.kubernetes
  const cluster = connectCluster({
    access: inCluster ? inClusterAccess(process.env, serviceAccountPath) : await kubeConfigAccess(kubeConfigPath),
    note: (resource, problem) =>
      problem === undefined
        ? log.log.info({ resource }, 'the Kubernetes API answers')
        : log.log.warn({ resource, problem }, 'the Kubernetes API does not answer'),
  })
  const push = createHttpPush({
    cluster,
    key: config.key,
    ...config.schedulers,
  })
  if (config.schedulerKey === undefined)
    log.log.warn(
      'MANAGER_SCHEDULER_PUBLIC_KEY_PEM is not set: reports of schedulers are refused, and one that restarts waits for the next reconciliation',
    )
  const sync = createNodeSync({ store, push, log: log.log })
  const service = createApp({ store, cluster, push, config, log, identity, sync, checks: { start: start.check } })
  const lease = new Lease({ store, id: 'reconcile' })
  const metrics = new ReconcileMetrics(service.metrics.registry, lease)
  const reconciler = new Reconciler({
    ...{ store, cluster, push, sync, lease, metrics },
    identity: config.schedulers,
    log: log.log,
  })
  const stopped = new AbortController()
  let schedule: Schedule | undefined
  // Before what it works with is closed, and while the database can still be told that the lease is free.
  service.onClose('reconciliation', () => schedule?.stop())
  service.onClose('start', () => stopped.abort())
  closeOnSignal(service, log, { delayMs: values.SHUTDOWN_DELAY, timeoutMs: values.SHUTDOWN_TIMEOUT })
  await service.listen(config.listen)
  await start.run({
    store,
    admin: config.admin,
    hash: (password) => identity.passwords.hash(password),
    log: log.log,
    signal: stopped.signal,
  })
  if (!stopped.signal.aborted) schedule = new Schedule(reconciler, lease, { ...config.reconcile, log: log.log })
})
