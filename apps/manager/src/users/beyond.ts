import type { ClientSession } from 'mongodb'
import { notHeld } from '../auth/rbac.js'
import { managerErrors } from '../http/errors.js'
import type { Caller } from '../http/route.js'
import type { UserDoc } from '../store/documents.js'
import type { Store } from '../store/types.js'

/**
 * Refuses what is to be done to a user whose roles hold more than the caller does: who can log in as him, or decide what he is, has what he has.
 * What somebody does to himself is not refused here.
 *
 * @param words what the caller cannot do, for the message
 * @throws ServiceError GRANT_EXCEEDS_OWN
 */
export async function refuseBeyond(
  { roles }: Pick<Store, 'roles'>,
  { caller, user, words }: { readonly caller: Caller; readonly user: UserDoc; readonly words: string },
  session?: ClientSession,
): Promise<void> {
  if (user._id.equals(caller.id) || user.roleIds.length === 0) return
  const held = await roles.find({ _id: { $in: [...user.roleIds] } }, session && { session }).toArray()
  if (held.some(({ policies }) => notHeld(caller.policies, policies).length > 0))
    throw managerErrors.error('GRANT_EXCEEDS_OWN', `This user may do more than you: ${words}.`)
}
