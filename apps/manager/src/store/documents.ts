import type { Int32, Long, ObjectId } from 'mongodb'

/*
 * What is in the database `manager` (one spelling of each name). The driver reads both kinds of whole numbers as numbers of
 * JavaScript, and would write one that is larger than 2^31 as a double, which the collections' schemas refuse: whoever
 * writes wraps them (new Int32(n), Long.fromNumber(n)), and whoever reads takes Number(...) of them.
 */

/** `int` in the database. */
export type Whole = Int32 | number
/** `long` in the database: times in milliseconds since 1970, and what may be larger than 2^31. */
export type Large = Long | number

interface Common {
  readonly _id: ObjectId
  readonly createdTime: Large
  readonly updatedTime: Large
  readonly creatorID: ObjectId
  readonly updaterID: ObjectId
  /** Counted up by every change; If-Match names it. */
  readonly version: Whole
}

/** What the numbers of a user's status say; who must change the password can do nothing else before. */
export const userStatus = { active: 1, inactive: 2, mustChangePassword: 3 } as const
export type UserStatus = (typeof userStatus)[keyof typeof userStatus]

/** Collection `users`; unique by `username`. */
export interface UserDoc extends Common {
  readonly username: string
  /** A PHC string, made by the service and never taken from a caller. */
  readonly password: string
  readonly status: Whole
  readonly roleIds: readonly ObjectId[]
  /** Tokens that carry another one are worthless: counted up by what ends sessions. */
  readonly tokenVersion: Whole
  /** Logins that were ended by logging out, until their tokens would have ended by themselves. */
  readonly endedSessions?: readonly EndedSession[]
}

export interface EndedSession {
  /** `jti` of the token. */
  readonly id: string
  readonly until: Date
}

export interface PolicyDoc {
  readonly permissionKey: string
  /** Only for what is the caller's own. */
  readonly self: boolean
  /** The namespaces of pods that it is good for, empty for all. */
  readonly k8sNamespace: string
  /** The namespace of strategies that it is good for, empty for all. */
  readonly policyNamespace: string
}

/** Collection `roles`; unique by `name`. */
export interface RoleDoc extends Common {
  readonly name: string
  readonly description: string
  readonly policies: readonly PolicyDoc[]
  /** Made by a migration: not to be renamed, emptied or deleted. */
  readonly builtIn?: boolean
  /**
   * When users were last given it, or the last of its holders was looked for. Written so that two transactions that decide by
   * who holds the role meet at one document, and one of them is run again.
   */
  readonly membersTime?: Large
}

/** Collection `permissions`; unique by `key`. */
export interface PermissionDoc {
  readonly _id: ObjectId
  readonly key: string
  readonly description: string
  readonly resource: string
  readonly action: string
}

export interface LabelSelectorDoc {
  readonly key: string
  readonly value: string
}

/** Collection `schedule_strategies`; by `creatorID, _id`. */
export interface StrategyDoc extends Common {
  readonly strategyNamespace: string
  readonly labelSelectors: readonly LabelSelectorDoc[]
  readonly k8sNamespace: readonly string[]
  readonly commandRegex: string
  readonly priority: Whole
  /** Nanoseconds. */
  readonly executionTime: Large
  /**
   * Written by every reconciliation that changes its intents, in the same transaction: the term of the one who did, below which nobody
   * does any more, and a count, so that what was planned on an older reading meets this document and is not done.
   */
  readonly reconciled?: { readonly term: Large; readonly count: Whole }
}

/** What the numbers of an intent's state say: it is there; the node's scheduler was told of it. */
export const intentState = { unknown: 0, made: 1, sent: 2 } as const
export type IntentState = (typeof intentState)[keyof typeof intentState]

/** Collection `schedule_intents`; by `strategyID`, `nodeID`, `creatorID, _id`; unique by `strategyID, podID`. */
export interface IntentDoc extends Common {
  readonly strategyID: ObjectId
  /** As the strategy has it: policies are limited by it. */
  readonly strategyNamespace: string
  /** The pod's UID. */
  readonly podID: string
  readonly podName: string
  /** The node's name; empty while the pod is on none. */
  readonly nodeID: string
  readonly k8sNamespace: string
  readonly commandRegex: string
  readonly priority: Whole
  readonly executionTime: Large
  readonly podLabels: Readonly<Record<string, string>>
  readonly state: Whole
}

/** Collection `audit_logs`; by `timestamp, _id` and `userID, timestamp`; forgotten at `expiresAt` (TTL). */
export interface AuditDoc {
  readonly _id: ObjectId
  readonly timestamp: Large
  /** Absent: nobody who is known (a login that failed). */
  readonly userID?: ObjectId
  /** As it was then: a user may be renamed. Of a login that failed: the account that it was tried at, if there is one. */
  readonly username?: string
  /** `user.create`, `auth.login`, ... */
  readonly action: string
  /** What it was done to: `users/<id>`. */
  readonly target?: string
  readonly outcome: 'ok' | 'refused' | 'failed'
  /** The error's code, when it was not `ok`. */
  readonly code?: string
  readonly requestID: string
  readonly ip: string
  /** So many of the same caller, action and code before it were left out. */
  readonly unnoted?: Whole
  readonly expiresAt: Date
}

/** Collection `idempotency_keys`; unique by `userID, key`; forgotten after a day (TTL on `createdAt`). */
export interface IdempotencyDoc {
  readonly _id: ObjectId
  readonly userID: ObjectId
  readonly key: string
  /** SHA-256 of the method, the path and the body: the same key with another request is a mistake. */
  readonly request: string
  readonly status: Whole
  /** The answer's data. */
  readonly answer: unknown
  readonly createdAt: Date
}

/** Collection `schedulers`; by the node's name: what its scheduler said last. */
export interface SchedulerDoc {
  readonly _id: string
  readonly podName: string
  readonly startedTime: Large
  /** When it said so. */
  readonly lastSeen: Large
  readonly setVersion: Large
  readonly rootHash: string
  readonly intents: Whole
  readonly metrics?: Readonly<Record<string, number>>
}

/** Collection `set_versions`; by the node's name: the version of the last set of it that was read to be sent. */
export interface SetVersionDoc {
  readonly _id: string
  readonly version: Large
}

/** Collection `leases`; by what it is for: who does what one replica alone is to do. */
export interface LeaseDoc {
  readonly _id: string
  /** Empty: it was given back. */
  readonly owner: string
  /** Counted up each time that another one takes it. */
  readonly term: Large
  /** Counted up by its holder while he lives. Others watch it, each by his own clock. */
  readonly beat: Large
}
