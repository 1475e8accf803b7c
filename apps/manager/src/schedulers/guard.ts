import type { KeyObject } from 'node:crypto'
import { schedulerOf, verifyStatement } from '@bulkhead/intents'
import { bearerOf } from '../auth/bearer.js'
import { DeniedScheduler } from '../http/denied.js'
import { managerErrors } from '../http/errors.js'
import type { Guard } from '../http/mount.js'

/** How a scheduler's `sub` begins; the node's name follows. */
const SUBJECT = 'scheduler:'

/**
 * Lets in the scheduler of the node that the path names, by an assertion of the schedulers' key. They have one key between them, so one
 * that was taken over can say that it is another; what that gains it is in docs/decisions/0041. A user's token is signed with another key
 * and says other things: it is refused as every wrong assertion is.
 *
 * @param key the public half; without one nobody can be told from a stranger
 * @param now milliseconds since 1970
 */
export function createSchedulerGuard(key: KeyObject | undefined, now: () => number = Date.now): Guard {
  return async (_route, authorization, { node = '' }) => {
    const token = bearerOf(authorization)
    if (key === undefined)
      throw managerErrors.error('SCHEDULERS_UNKNOWN', undefined, { headers: { 'retry-after': '60' } })
    const own = nodeIn(token)
    if (own === '') throw managerErrors.error('TOKEN_INVALID')
    try {
      await verifyStatement(token, key, schedulerOf(own), { now: now() })
    } catch (cause) {
      throw managerErrors.error('TOKEN_INVALID', undefined, { cause })
    }
    if (own !== node) throw new DeniedScheduler(own)
    return { granted: [] }
  }
}

/** The node that an assertion says it is of, before anybody has looked whether it is true: what it is verified against. */
function nodeIn(token: string): string {
  const [, body = ''] = token.split('.')
  try {
    const { sub } = JSON.parse(Buffer.from(body, 'base64url').toString()) as { readonly sub?: unknown }
    if (typeof sub === 'string' && sub.startsWith(SUBJECT)) return sub.slice(SUBJECT.length)
  } catch {
    // It is no assertion: the verification says so.
  }
  return ''
}
