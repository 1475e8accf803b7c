import { refuse } from './refusals.js'
import type { Role, User } from './things.js'
import { type Match, type Rule, requireMatch, type World } from './world.js'

/* Users and their passwords (contract 1.4 to 1.6; M2, M3, M5, M7, M9, M11). */

/** The same text, however it was typed. */
const same = (password: string): string => password.normalize('NFC')

const isNew = (password: string): boolean => password.length >= 8

export interface Named {
  readonly name: string
  readonly password: string
}

const view = (user: User) => ({
  user,
  username: user.name,
  roles: user.roles.map(({ name }) => name),
  status: user.status,
  version: user.version,
})

const admins = ({ users }: World): number =>
  users.filter(({ status, roles }) => status !== 2 && roles.some(({ builtIn }) => builtIn)).length

export const login: Rule<{ readonly whom: number; readonly password: string }> = {
  needs: 'anybody',
  noted: 'auth.login',
  names: (world, { whom, password }) => (password === '' ? undefined : world.at(world.users, whom)),
  does: (world, { whom, password }) => {
    if (password === '') refuse('CREDENTIALS_REQUIRED')
    const user = world.at(world.users, whom)
    if (user === undefined || user.status === 2 || user.password !== same(password)) return refuse('LOGIN_FAILED')
    return { data: { user, era: user.era, mustChange: user.status === 3 } }
  },
}

export const createUser: Rule<Named> = {
  needs: 'user.create',
  noted: 'user.create',
  does: (world, { name, password }) => {
    if (name.trim() !== name || name === '' || !isNew(password)) refuse('VALIDATION_FAILED')
    if (world.users.some((user) => user.name === name)) refuse('NAME_TAKEN')
    world.users.push({ name, password: same(password), status: 3, roles: [], version: 1, era: 0 })
    return {}
  },
}

export const getSelf: Rule<object> = {
  needs: 'logged in',
  does: (_world, _input, caller) => ({ data: view(caller), version: caller.version }),
}

export const listUsers: Rule<object> = {
  needs: 'user.read',
  does: ({ users }) => ({ data: users.map(view) }),
}

export const changeOwnPassword: Rule<{ readonly old: string; readonly wanted: string }> = {
  needs: 'logged in',
  noted: 'user.password.change',
  does: (_world, { old, wanted }, caller) => {
    if (old === '' || !isNew(wanted)) refuse('VALIDATION_FAILED')
    if (same(old) !== caller.password) refuse('PASSWORD_WRONG')
    if (same(old) === same(wanted)) refuse('VALIDATION_FAILED')
    Object.assign(caller, { password: same(wanted), status: 1 })
    caller.era++
    caller.version++
    return {}
  },
}

export const resetPassword: Rule<{ readonly whom: number; readonly wanted: string; readonly match: Match }> = {
  needs: 'user.password.reset',
  noted: 'user.password.reset',
  does: (world, { whom, wanted, match }, caller) => {
    if (!isNew(wanted)) refuse('VALIDATION_FAILED')
    const user = world.at(world.users, whom)
    if (!world.acts.mayOn(caller, 'user.password.reset', user)) refuse('NOT_SELF')
    if (user === caller) refuse('OWN_PASSWORD')
    if (user === undefined) return refuse('USER_NOT_FOUND')
    requireMatch(match)
    if (world.acts.firstBeyond(caller, user.roles) !== undefined)
      refuse('GRANT_EXCEEDS_OWN', 'This user may do more than you: you cannot set a password for him.')
    user.password = same(wanted)
    if (user.status !== 2) user.status = 3
    user.era++
    user.version++
    return {}
  },
}

export interface Permissions {
  readonly whom: number
  readonly roles?: readonly number[]
  readonly status?: number
  readonly match: Match
}

export const setUserPermissions: Rule<Permissions> = {
  needs: 'user.permission.update',
  noted: 'user.permission.update',
  does: (world, { whom, roles, status, match }, caller) => {
    if (status === 0) refuse('VALIDATION_FAILED')
    const user = world.at(world.users, whom)
    if (!world.acts.mayOn(caller, 'user.permission.update', user)) refuse('NOT_SELF')
    if (user === undefined) return refuse('USER_NOT_FOUND')
    requireMatch(match)
    if (user !== caller && world.acts.firstBeyond(caller, user.roles) !== undefined)
      refuse('GRANT_EXCEEDS_OWN', 'This user may do more than you: you cannot change his roles or status.')
    const wanted = roles === undefined ? user.roles : rolesOf(world, roles)
    const beyond = world.acts.firstBeyond(
      caller,
      wanted.filter((role) => !user.roles.includes(role)),
    )
    if (beyond !== undefined)
      refuse(
        'GRANT_EXCEEDS_OWN',
        `You can grant only what you hold yourself: the role ${JSON.stringify(beyond.role.name)} has ${beyond.policy.permissionKey}, which you do not have to that extent.`,
      )
    const before = { roles: user.roles, status: user.status }
    const had = admins(world)
    Object.assign(user, { roles: wanted, status: status ?? user.status })
    if (had > 0 && admins(world) === 0) {
      Object.assign(user, before)
      refuse('LAST_ADMIN')
    }
    if (before.status !== 2 && user.status === 2) user.era++
    user.version++
    return {}
  },
}

function rolesOf(world: World, numbers: readonly number[]): readonly Role[] {
  const found = [...new Set(numbers.map((number) => world.at(world.roles, number)))]
  if (found.some((role) => role === undefined || role.gone)) refuse('ROLES_NOT_FOUND')
  return found as Role[]
}
