import type { Check, ServiceLog } from '@bulkhead/service-kit'
import type { AuditOptions } from './audit/log.js'
import type { Identity } from './auth/identity.js'
import type { ManagerConfig } from './config.js'
import type { ClusterView } from './kubernetes/types.js'
import type { NodeSync } from './push/node-sync.js'
import type { SchedulerPush } from './push/types.js'
import type { Store } from './store/types.js'

/** What the service is made of: everything that a test may want another one of. */
export interface AppDeps {
  readonly store: Store
  readonly cluster: ClusterView
  readonly push: SchedulerPush
  readonly config: Pick<ManagerConfig, 'key' | 'admin'> &
    Partial<Pick<ManagerConfig, 'proxies' | 'schedulerKey' | 'schedulers'>> & { readonly audit?: AuditOptions }
  readonly log: ServiceLog
  /** Tokens, passwords and limits, when they are made elsewhere. */
  readonly identity?: Identity
  /** What is told to schedulers, when reconciliation shares it. */
  readonly sync?: NodeSync
  /** What else has to hold before there may be traffic. */
  readonly checks?: Readonly<Record<string, Check>>
}

/** What routes are made of; each module takes of it what it needs. */
export interface RouteDeps extends AppDeps {
  readonly identity: Identity
  readonly sync: NodeSync
}
