import type { ClientSession, Collection } from 'mongodb'
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

/** The manager's database, as its services use it. Its collections are asked for when they are used, and not kept. */
export interface Store {
  readonly users: Collection<UserDoc>
  readonly roles: Collection<RoleDoc>
  readonly permissions: Collection<PermissionDoc>
  readonly strategies: Collection<StrategyDoc>
  readonly intents: Collection<IntentDoc>
  readonly audit: Collection<AuditDoc>
  readonly idempotency: Collection<IdempotencyDoc>
  readonly schedulers: Collection<SchedulerDoc>
  readonly setVersions: Collection<SetVersionDoc>
  readonly leases: Collection<LeaseDoc>
  /**
   * Runs `work` in a transaction: all of it is in force or nothing. It may be run again after a conflict, so it does
   * nothing but read and write through the session.
   */
  transaction<T>(work: (session: ClientSession) => Promise<T>): Promise<T>
  /** Rejects when the database does not answer; for /readyz. */
  ping(): Promise<void>
  /** The version of the documents that the database is at; 0: no migration was ever run. */
  version(): Promise<number>
  /** Bounds work that waits for the database. @throws ServiceError UNAVAILABLE when it takes longer */
  within<T>(ms: number, work: () => Promise<T>): Promise<T>
  close(): Promise<void>
}
