import { ObjectId } from 'mongodb'
import { Denied } from '../http/denied.js'
import { managerErrors } from '../http/errors.js'
import type { Guard } from '../http/mount.js'
import type { Caller } from '../http/route.js'
import { type UserDoc, type UserStatus, userStatus } from '../store/documents.js'
import type { Store } from '../store/types.js'
import { bearerOf } from './bearer.js'
import { policiesByKey } from './rbac.js'
import type { Tokens } from './tokens.js'

/** What is read of a user at each request. */
const seen = { username: 1, status: 1, roleIds: 1, tokenVersion: 1, endedSessions: 1 } as const
type Seen = Pick<UserDoc, '_id' | keyof typeof seen>

/**
 * Lets requests in, in the contract's order. The token says who; whether he is still active, whether the token is still
 * good, and what he may do, is asked of the database each time: a change is in force with the next request.
 */
export function createGuard({ store, tokens }: { readonly store: Store; readonly tokens: Tokens }): Guard {
  return async ({ permission }, authorization) => {
    const claims = await tokens.verify(bearerOf(authorization))
    const user = await store.users.findOne<Seen>({ _id: new ObjectId(claims.uid) }, { projection: seen })
    if (user === null) throw managerErrors.error(permission === 'token' ? 'UNAUTHORIZED' : 'TOKEN_OF_NOBODY')
    const status = Number(user.status) as UserStatus
    if (status === userStatus.inactive || Number(user.tokenVersion) !== claims.tv)
      throw managerErrors.error('TOKEN_INVALID')
    if (user.endedSessions?.some(({ id }) => id === claims.session?.id)) throw managerErrors.error('TOKEN_INVALID')

    const caller = (policies: Caller['policies']): Caller => ({
      id: user._id,
      username: user.username,
      status,
      policies,
    })
    if (permission === 'token') return { caller: caller(new Map()), granted: [] }
    if (claims.needChangePassword || status === userStatus.mustChangePassword)
      throw new Denied('PASSWORD_CHANGE_REQUIRED', caller(new Map()))
    const roles = user.roleIds.length === 0 ? [] : await store.roles.find({ _id: { $in: [...user.roleIds] } }).toArray()
    const policies = policiesByKey(roles)
    const granted = policies.get(permission) ?? []
    if (granted.length === 0) throw new Denied('PERMISSION_DENIED', caller(policies))
    return { caller: caller(policies), granted }
  }
}
