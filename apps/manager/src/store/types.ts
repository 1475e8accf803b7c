import type { ClientSession, Collection } from 'mongodb'
import type { AuditDoc, IdempotencyDoc, IntentDoc, PermissionDoc, RoleDoc, StrategyDoc, UserDoc } from './documents.js'

/** The manager's database, as its services use it. */
export interface Store {
  readonly users: Collection<UserDoc>
  readonly roles: Collection<RoleDoc>
  readonly permissions: Collection<PermissionDoc>
  readonly strategies: Collection<StrategyDoc>
  readonly intents: Collection<IntentDoc>
  readonly audit: Collection<AuditDoc>
  readonly idempotency: Collection<IdempotencyDoc>
  /**
   * Runs `work` in a transaction: all of it is in force or nothing. It may be run again after a conflict, so it does
   * nothing but read and write through the session.
   */
  transaction<T>(work: (session: ClientSession) => Promise<T>): Promise<T>
  /** Rejects when the database does not answer; for /readyz. */
  ping(): Promise<void>
  close(): Promise<void>
}
