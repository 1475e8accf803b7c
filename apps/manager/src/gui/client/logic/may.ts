import type { Policy, Session } from '../api/types.js'
import type { Where } from './where.js'

export const mustChangePassword = ({ user }: Pick<Session, 'user'>): boolean => user.status === 3

/** Whether any role of the caller grants this, at least for some namespace. What it says is decided by the service, each time. */
export const may = ({ permissions }: Pick<Session, 'permissions'>, ...keys: readonly string[]): boolean =>
  keys.some((key) => permissions.some(({ permissionKey }) => permissionKey === key))

type Screen = Where['screen']

/** What somebody needs for a screen to be offered: one of these. */
export const needed: Readonly<Partial<Record<Screen, readonly string[]>>> = {
  strategies: ['schedule_strategy.read', 'schedule_strategy.create'],
  strategy: ['schedule_strategy.read'],
  'strategy-new': ['schedule_strategy.create'],
  intents: ['schedule_intent.read'],
  nodes: ['pod_pid_mapping.read'],
  node: ['pod_pid_mapping.read'],
  users: ['user.read', 'user.create'],
  roles: ['role.read', 'role.create'],
  role: ['role.read'],
  'role-new': ['role.create'],
  audit: ['audit.read'],
}

export const mayOpen = (session: Pick<Session, 'permissions'>, screen: Screen): boolean => {
  const keys = needed[screen]
  return keys === undefined || may(session, ...keys)
}

/** What a policy of a permission may be limited to. The service refuses limits that would limit nothing. */
export type Limit = 'self' | 'k8sNamespace' | 'policyNamespace'
const scheduling: readonly Limit[] = ['k8sNamespace', 'policyNamespace']

export function limitsOf(key: string): readonly Limit[] {
  if (/^schedule_(strategy|intent)\./.test(key)) return scheduling
  if (key === 'pod_pid_mapping.read') return ['k8sNamespace']
  if (key === 'user.password.reset' || key === 'user.permission.update') return ['self']
  return []
}

/** A policy in words, without its key. */
export function limitWords({ self, k8sNamespace, policyNamespace }: Policy): string {
  const words = [
    ...(self ? ['own account only'] : []),
    ...(k8sNamespace === '' ? [] : [`pods of ${k8sNamespace}`]),
    ...(policyNamespace === '' ? [] : [`strategies of ${policyNamespace}`]),
  ]
  return words.join(', ')
}
