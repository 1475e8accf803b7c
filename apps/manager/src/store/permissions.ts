import type { PermissionKey } from '../http/route.js'
import type { PermissionDoc, PolicyDoc } from './documents.js'

/** What a policy may be limited to. */
export const limits = ['self', 'k8sNamespace', 'policyNamespace'] as const
export type Limit = (typeof limits)[number]

/** With the limits that its routes look at. */
type Row = readonly [resource: string, action: string, description: string, limits?: readonly Limit[]]

const onePerson = ['self'] as const
const pods = ['k8sNamespace'] as const
const strategies = ['k8sNamespace', 'policyNamespace'] as const

/** What there is to be granted, in the order that it is listed in (the contract's 1.5, and one for the audit log). */
const rows: Readonly<Record<PermissionKey, Row>> = {
  'user.create': ['user', 'create', 'Create users'],
  'user.read': ['user', 'read', 'See all users'],
  'user.password.reset': ['user', 'update', "Reset another user's password", onePerson],
  'user.permission.update': ['user.permission', 'update', "Change a user's roles and status", onePerson],
  'role.create': ['role', 'create', 'Create roles'],
  'role.read': ['role', 'read', 'See all roles'],
  'role.update': ['role', 'update', 'Change what roles permit'],
  'role.delete': ['role', 'delete', 'Delete roles'],
  'permission.read': ['permission', 'read', 'See what there is to be granted'],
  'schedule_strategy.create': ['schedule_strategy', 'create', 'Create scheduling strategies', strategies],
  'schedule_strategy.read': ['schedule_strategy', 'read', "See one's scheduling strategies", strategies],
  'schedule_strategy.update': ['schedule_strategy', 'update', "Change one's scheduling strategies", strategies],
  'schedule_strategy.delete': ['schedule_strategy', 'delete', "Delete one's scheduling strategies", strategies],
  'schedule_intent.read': ['schedule_intent', 'read', "See the intents of one's strategies", strategies],
  'schedule_intent.delete': ['schedule_intent', 'delete', "Delete intents of one's strategies", strategies],
  'pod_pid_mapping.read': ['pod_pid_mapping', 'read', 'See nodes, and the processes of their pods', pods],
  'audit.read': ['audit', 'read', 'See the audit log'],
}

export const permissionDocuments: readonly Omit<PermissionDoc, '_id'>[] = Object.entries(rows).map(
  ([key, [resource, action, description]]) => ({ key, resource, action, description }),
)

const looksAt: ReadonlyMap<string, readonly Limit[]> = new Map(
  Object.entries(rows).map(([key, [, , , limits = []]]) => [key, limits]),
)

/** The permissions that look at this limit. */
export const limitedBy = (limit: Limit): readonly string[] =>
  [...looksAt].filter(([, limits]) => limits.includes(limit)).map(([key]) => key)

/** Of the limits that a policy sets, those that its permission does not look at: they would limit nothing. Nothing is said of a key that there is not. */
export function idleLimits(policy: PolicyDoc): readonly Limit[] {
  const looked = looksAt.get(policy.permissionKey) ?? limits
  return limits.filter((limit) => policy[limit] !== false && policy[limit] !== '' && !looked.includes(limit))
}

/** The one role that the migrations make, with every permission. */
export const ADMIN_ROLE = 'admin'
export const ADMIN_ROLE_DESCRIPTION = 'Administrator role with all permissions'
