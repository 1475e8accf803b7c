import type { ObjectId } from 'mongodb'
import { Int32 } from 'mongodb'
import { managerErrors } from '../http/errors.js'
import { changed, ONE } from '../store/changes.js'
import type { UserDoc, UserStatus } from '../store/documents.js'
import type { Store } from '../store/types.js'

/** Writes a password, unless the user has changed since he was read: then what was checked about him may be wrong. Ends his sessions. */
export async function setPassword(
  store: Store,
  user: Pick<UserDoc, '_id' | 'version'>,
  {
    phc,
    status,
    by,
    now,
  }: { readonly phc: string; readonly status: UserStatus; readonly by: ObjectId; readonly now: number },
): Promise<void> {
  const { matchedCount } = await store.users.updateOne(
    { _id: user._id, version: user.version },
    {
      $set: { password: phc, status: new Int32(status), ...changed(by, now) },
      $inc: { tokenVersion: ONE, version: ONE },
    },
  )
  if (matchedCount === 0) throw managerErrors.error('VERSION_CONFLICT')
}
