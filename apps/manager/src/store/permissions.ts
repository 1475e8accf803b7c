import type { PermissionKey } from '../http/route.js'
import type { PermissionDoc } from './documents.js'

type Row = readonly [resource: string, action: string, description: string]

/** What there is to be granted, in the order that it is listed in (the contract's 1.5, and one for the audit log). */
const rows: Readonly<Record<PermissionKey, Row>> = {
  'user.create': ['user', 'create', 'Create users'],
  'user.read': ['user', 'read', 'See all users'],
  'user.password.reset': ['user', 'update', "Reset another user's password"],
  'user.permission.update': ['user.permission', 'update', "Change a user's roles and status"],
  'role.create': ['role', 'create', 'Create roles'],
  'role.read': ['role', 'read', 'See all roles'],
  'role.update': ['role', 'update', 'Change what roles permit'],
  'role.delete': ['role', 'delete', 'Delete roles'],
  'permission.read': ['permission', 'read', 'See what there is to be granted'],
  'schedule_strategy.create': ['schedule_strategy', 'create', 'Create scheduling strategies'],
  'schedule_strategy.read': ['schedule_strategy', 'read', "See one's scheduling strategies"],
  'schedule_strategy.update': ['schedule_strategy', 'update', "Change one's scheduling strategies"],
  'schedule_strategy.delete': ['schedule_strategy', 'delete', "Delete one's scheduling strategies"],
  'schedule_intent.read': ['schedule_intent', 'read', "See the intents of one's strategies"],
  'schedule_intent.delete': ['schedule_intent', 'delete', "Delete intents of one's strategies"],
  'pod_pid_mapping.read': ['pod_pid_mapping', 'read', 'See nodes, and the processes of their pods'],
  'audit.read': ['audit', 'read', 'See the audit log'],
}

export const permissionDocuments: readonly Omit<PermissionDoc, '_id'>[] = Object.entries(rows).map(
  ([key, [resource, action, description]]) => ({ key, resource, action, description }),
)

/** The one role that the migrations make, with every permission. */
export const ADMIN_ROLE = 'admin'
export const ADMIN_ROLE_DESCRIPTION = 'Administrator role with all permissions'
