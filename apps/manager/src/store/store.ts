import type { Collection, Document, MongoClient } from 'mongodb'
import { inTransaction } from './transaction.js'
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
    transaction: (work) => inTransaction(client, work),
    ping: async () => {
      await db.command({ ping: 1 })
    },
    close: () => client.close(),
  }
}
