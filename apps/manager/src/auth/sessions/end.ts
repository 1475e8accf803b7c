import { Int32, type ObjectId } from 'mongodb'
import type { Store } from '../../store/types.js'
import type { TokenSession } from '../tokens.js'

/** So many logins of one user that were ended are remembered; each is forgotten when its token would have ended by itself. */
const MOST_ENDED = 200

/**
 * Ends one login: its token is refused from the next request on, by every replica. A login without a name, and one too many to be remembered,
 * ends with all others of the user: rather too much than a token that goes on.
 */
export async function endSession(
  { users }: Pick<Store, 'users'>,
  userId: ObjectId,
  session: TokenSession | undefined,
  now: number,
): Promise<void> {
  const _id = userId
  if (session !== undefined) {
    await users.updateOne({ _id }, { $pull: { endedSessions: { until: { $lte: new Date(now) } } } })
    const { id, until } = session
    const { matchedCount } = await users.updateOne(
      { _id, [`endedSessions.${MOST_ENDED - 1}`]: { $exists: false } },
      { $push: { endedSessions: { id, until: new Date((until + SPARE_SECONDS) * 1_000) } } },
    )
    if (matchedCount > 0) return
  }
  await users.updateOne({ _id }, { $inc: { tokenVersion: new Int32(1) }, $unset: { endedSessions: 1 } })
}

/** Another replica's clock may be behind: to it the token is still good for as long. */
const SPARE_SECONDS = 60
