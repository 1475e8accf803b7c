import type { Collection, Document, MongoClient } from 'mongodb'
import { HEARTBEAT_TIMEOUT_MS } from './client.js'
import { collections } from './collections.js'
import { Connection } from './connection.js'
import type {
  AuditDoc,
  IdempotencyDoc,
  IntentDoc,
  LeaseDoc,
  PermissionDoc,
  RoleDoc,
  SchedulerDoc,
  SetVersionDoc,
  StrategyDoc,
  UserDoc,
} from './documents.js'
import { schemaVersion } from './migrations/run.js'
import { inTransaction } from './transaction.js'
import type { Store } from './types.js'

/** Readiness is asked for often, and answers whatever happens. */
const PING_TIMEOUT_MS = 1_500

export interface StoreOptions {
  /** Makes a client that has not connected yet; the store closes it. */
  readonly make: () => MongoClient
  readonly database: string
  readonly heartbeatMs?: number
  /** Told when a client hung and was replaced. */
  readonly note?: (why: string) => void
}

/** The manager's database. */
export function createStore({
  make,
  database,
  heartbeatMs = HEARTBEAT_TIMEOUT_MS,
  note = () => {},
}: StoreOptions): Store {
  const connection = new Connection({ make, heartbeatMs, note })
  // Made once for each client: every request asks for several of them.
  let made = new Map<string, Collection>()
  let madeOf = connection.client
  const collection = <T extends Document>(name: string): Collection<T> => {
    if (connection.client !== madeOf) {
      madeOf = connection.client
      made = new Map()
    }
    const found = made.get(name) ?? madeOf.db(database).collection(name)
    made.set(name, found)
    return found as unknown as Collection<T>
  }
  return {
    get users() {
      return collection<UserDoc>(collections.users)
    },
    get roles() {
      return collection<RoleDoc>(collections.roles)
    },
    get permissions() {
      return collection<PermissionDoc>(collections.permissions)
    },
    get strategies() {
      return collection<StrategyDoc>(collections.strategies)
    },
    get intents() {
      return collection<IntentDoc>(collections.intents)
    },
    get audit() {
      return collection<AuditDoc>(collections.audit)
    },
    get idempotency() {
      return collection<IdempotencyDoc>(collections.idempotency)
    },
    get schedulers() {
      return collection<SchedulerDoc>(collections.schedulers)
    },
    get setVersions() {
      return collection<SetVersionDoc>(collections.setVersions)
    },
    get leases() {
      return collection<LeaseDoc>(collections.leases)
    },
    transaction: (work) => inTransaction(connection.client, work),
    version: () => schemaVersion(connection.client.db(database)),
    ping: () =>
      connection.within(PING_TIMEOUT_MS, async (client) => {
        await client.db(database).command({ ping: 1 })
      }),
    within: (ms, work) => connection.within(ms, work),
    close: () => connection.close(),
  }
}
