import { refuse } from './refusals.js'
import type { Policy, User } from './things.js'
import { type Match, type Rule, requireMatch, type World } from './world.js'

/* Roles, and what they permit (contract 1.5, 1.6; M10, M11). */

/** What there is to be granted: the contract's sixteen, and one for the audit log. */
export const permissionKeys = [
  'user.create',
  'user.read',
  'user.password.reset',
  'user.permission.update',
  'role.create',
  'role.read',
  'role.update',
  'role.delete',
  'permission.read',
  'schedule_strategy.create',
  'schedule_strategy.read',
  'schedule_strategy.update',
  'schedule_strategy.delete',
  'schedule_intent.read',
  'schedule_intent.delete',
  'pod_pid_mapping.read',
  'audit.read',
]

const aboutOnePerson = ['user.password.reset', 'user.permission.update']

/** Without the limits that mean nothing to its permission (1.5, M12): no role may have them. */
export function meant({ permissionKey, self, k8sNamespace, policyNamespace }: Policy): Policy {
  const scheduling = permissionKey.startsWith('schedule_')
  return {
    permissionKey,
    self: self && aboutOnePerson.includes(permissionKey),
    k8sNamespace: scheduling || permissionKey === 'pod_pid_mapping.read' ? k8sNamespace : '',
    policyNamespace: scheduling ? policyNamespace : '',
  }
}

const written = (policy: Policy): string =>
  [policy.permissionKey, policy.self, policy.k8sNamespace, policy.policyNamespace].join(' ')

/** Whether there are such permissions, and all that comes or goes is the caller's own; what was there before may stay. */
function checkPolicies(world: World, caller: User, wanted: readonly Policy[], before: readonly Policy[]): void {
  if (wanted.some(({ permissionKey }) => !permissionKeys.includes(permissionKey))) refuse('VALIDATION_FAILED')
  if (wanted.some((policy) => written(policy) !== written(meant(policy)))) refuse('VALIDATION_FAILED')
  const own = (verb: string, those: readonly Policy[], others: readonly Policy[]): void => {
    const same = new Set(others.map(written))
    const beyond = world.acts.firstNotHeld(
      caller,
      those.filter((policy) => !same.has(written(policy))),
    )
    if (beyond !== undefined)
      refuse(
        'GRANT_EXCEEDS_OWN',
        `You can ${verb} only what you hold yourself: you do not have ${beyond.permissionKey} to that extent.`,
      )
  }
  own('grant', wanted, before)
  own('take away', before, wanted)
}

const isTaken = ({ roles }: World, name: string): boolean => roles.some((role) => !role.gone && role.name === name)

export const createRole: Rule<{ readonly name: string; readonly policies: readonly Policy[] }> = {
  needs: 'role.create',
  noted: 'role.create',
  does: (world, { name, policies }, caller) => {
    if (name === '') refuse('VALIDATION_FAILED')
    checkPolicies(world, caller, policies, [])
    if (isTaken(world, name)) refuse('NAME_TAKEN')
    world.roles.push({ name, description: '', policies, builtIn: false, version: 1, gone: false })
    return {}
  },
}

export interface RoleChange {
  readonly role: number
  readonly name?: string
  readonly description?: string
  readonly policies?: readonly Policy[]
  readonly match: Match
}

export const updateRole: Rule<RoleChange> = {
  needs: 'role.update',
  noted: 'role.update',
  does: (world, { role: number, name, description, policies, match }, caller) => {
    const role = world.at(world.roles, number)
    if (role === undefined || role.gone) return refuse('ROLE_UNKNOWN')
    requireMatch(match)
    const renamed = name !== undefined && name !== role.name
    if (role.builtIn && (renamed || policies !== undefined)) refuse('ROLE_BUILT_IN')
    if (renamed && world.acts.firstNotHeld(caller, role.policies) !== undefined)
      refuse('GRANT_EXCEEDS_OWN', 'This role holds more than you do: you cannot give it another name.')
    if (policies !== undefined) checkPolicies(world, caller, policies, role.policies)
    if (renamed && isTaken(world, name)) refuse('NAME_TAKEN')
    Object.assign(role, {
      name: name ?? role.name,
      description: description ?? role.description,
      policies: policies ?? role.policies,
    })
    role.version++
    return {}
  },
}

export const deleteRole: Rule<{ readonly role: number; readonly match: Match }> = {
  needs: 'role.delete',
  noted: 'role.delete',
  does: (world, { role: number, match }) => {
    const role = world.at(world.roles, number)
    if (role === undefined || role.gone) return refuse('ROLE_NOT_FOUND')
    requireMatch(match)
    if (role.builtIn) refuse('ROLE_BUILT_IN')
    if (world.users.some(({ roles }) => roles.includes(role))) refuse('ROLE_IN_USE')
    role.gone = true
    return {}
  },
}

export const listRoles: Rule<object> = {
  needs: 'role.read',
  does: ({ roles }) => ({
    data: roles
      .filter(({ gone }) => !gone)
      .map((role) => ({
        role,
        name: role.name,
        description: role.description,
        rolePolicy: role.policies,
        builtIn: role.builtIn,
        version: role.version,
      })),
  }),
}

export const listPermissions: Rule<object> = {
  needs: 'permission.read',
  does: () => ({ data: permissionKeys }),
}
