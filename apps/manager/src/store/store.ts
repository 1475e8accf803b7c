import type { ClientSession, Collection, Document, MongoClient } from 'mongodb'
import { OPERATION_TIMEOUT_MS } from './client.js'
import type { Store } from './types.js'

/** The names of the collections, as the database has them. */
export const collections = {
  users: 'users',
  roles: 'roles',
  permissions: 'permissions',
  strategies: 'schedule_strategies',
  intents: 'schedule_intents',
  audit: 'audit_logs',
  idempotency: 'idempotency_keys',
} as const

/** Readiness is asked for often, and answers within 2 s whatever happens. */
const PING_TIMEOUT_MS = 1_500

/** The manager's database through this client, which is closed with it. */
export function createStore(client: MongoClient, database: string): Store {
  const db = client.db(database)
  const collection = <T extends Document>(name: string): Collection<T> => db.collection<T>(name)
  return {
    users: collection(collections.users),
    roles: collection(collections.roles),
    permissions: collection(collections.permissions),
    strategies: collection(collections.strategies),
    intents: collection(collections.intents),
    audit: collection(collections.audit),
    idempotency: collection(collections.idempotency),
    transaction: <T>(work: (session: ClientSession) => Promise<T>) =>
      client.withSession({ defaultTimeoutMS: OPERATION_TIMEOUT_MS }, (session) =>
        session.withTransaction(() => work(session)),
      ),
    ping: async () => {
      await db.command({ ping: 1 }, { timeoutMS: PING_TIMEOUT_MS })
    },
    close: () => client.close(),
  }
}
