import { createPublicKey } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { createLog } from '@bulkhead/service-kit'
import { cleanUp } from '@bulkhead/testing'
import { createApp } from '../../app.js'
import { createHttpPush } from '../../push/http.js'
import { createNodeSync } from '../../push/node-sync.js'
import type { SchedulerPush } from '../../push/types.js'
import { Lease } from '../../reconcile/lease.js'
import { Reconciler, type Run } from '../../reconcile/reconciler.js'
import { defaultSchedulers } from '../../schedulers/identity.js'
import { createClient } from '../../store/client.js'
import { createStore } from '../../store/store.js'
import type { TestManager } from '../../testing/index.js'
import { serviceMongo } from '../../testing/manager.js'
import { type FaultyWire, faultyWire } from '../../testing/wire.js'

/** Shorter waits than on a cluster: what is tested is what is left, not how long it takes. */
const impatient = { serverSelectionTimeoutMS: 300, connectTimeoutMS: 300, minHeartbeatFrequencyMS: 10 }

export interface ReplicaOptions {
  /** Of all replicas: how long a lease was not kept. Milliseconds. */
  readonly clock: { now: number }
  /** Schedulers that the test plays; those of the cluster, over the network, unless it does. */
  readonly push?: SchedulerPush
}

/** One more manager on the database and the cluster of a test, with a wire of its own to the database. */
export interface Replica {
  readonly port: number
  readonly wire: FaultyWire
  /** As the admin; the status. */
  ask(method: string, path: string, body?: object): Promise<number>
  reconcile(): Promise<Run>
  /** Takes away what is left of it when it was killed: it gives nothing back and tells nobody. */
  bury(): Promise<void>
}

export async function startReplica(t: TestContext, m: TestManager, { clock, push }: ReplicaOptions): Promise<Replica> {
  const { cluster, key, admin } = m
  const wire = await faultyWire(t, m.mongo.port)
  const config = serviceMongo(wire)
  const store = createStore({
    make: () => createClient(config, impatient),
    database: config.database,
    heartbeatMs: 400,
  })
  const lines: string[] = []
  const log = createLog({ name: 'replica', level: 'warn', write: (line) => lines.push(line) })
  const way = push ?? createHttpPush({ cluster, key, ...defaultSchedulers, timeoutMs: 2_000 })
  const sync = createNodeSync({ store, push: way, log: log.log })
  const lease = new Lease({ store, id: 'reconcile', now: () => clock.now })
  const reconciler = new Reconciler({
    ...{ store, cluster, push: way, sync, lease, identity: defaultSchedulers, log: log.log },
    youngMs: 0,
  })
  const schedulerKey = createPublicKey(m.schedulerKey)
  const service = createApp({
    ...{ store, cluster, push: way, sync, log },
    config: { key, schedulerKey, admin: { email: '', password: '' } },
  })
  const { port } = (await service.listen({ host: '127.0.0.1', port: 0 })) as AddressInfo
  let buried: Promise<void> | undefined
  const bury = (): Promise<void> => {
    buried ??= service.close({ timeoutMs: 3_000 })
    return buried
  }
  cleanUp(t, bury)
  return {
    port,
    wire,
    ask: async (method, path, body) => {
      const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`, {
        method,
        headers: { authorization: `Bearer ${admin.token}` },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      // Of a failure that nobody foresaw, the log alone says why.
      if (response.status === 500) throw new Error([`${method} ${path}: ${text}`, ...lines.slice(-3)].join('\n'))
      return response.status
    },
    reconcile: () => reconciler.run(),
    bury,
  }
}
