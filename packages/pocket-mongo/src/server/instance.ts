import type { Users } from '../auth/users.js'
import type { Cursors } from '../cursors/cursors.js'
import type { Log } from '../log.js'
import type { Sessions } from '../sessions/sessions.js'
import type { Store } from '../store/types.js'
import type { ReplicaSet } from './replica-set.js'
import type { Topology } from './topology.js'

/** What all connections of one server share. */
export interface Instance {
  readonly store: Store
  readonly users: Users
  readonly sessions: Sessions
  readonly cursors: Cursors
  readonly topology: Topology
  /** Absent: a standalone server, which has no transactions. */
  readonly replicaSet: ReplicaSet | undefined
  /** False: whoever connects may do everything. */
  readonly auth: boolean
  readonly log: Log
}
