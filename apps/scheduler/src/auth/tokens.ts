import { createPublicKey, type KeyObject } from 'node:crypto'
import {
  ASSERTION_SECONDS,
  audienceOf,
  CLOCK_TOLERANCE_SECONDS,
  type Statement,
  schedExtOf,
  signStatement,
  verifyStatement,
} from '@bulkhead/intents'
import { kitErrors } from '@bulkhead/service-kit'
import { schedulerErrors } from '../http/errors.js'
import { reasonOf } from './guard.js'

/** How long a token of the sched_ext scheduler is good: it asks every five seconds, and gets another one in time. */
export const TOKEN_SECONDS = 600

/** Assertions that are remembered as used; more than 30 a second, for as long as they would be good, is nobody who means well. */
const MOST_USED = 10_000

export interface Token {
  readonly token: string
  /** Seconds since 1970. */
  readonly expiredAt: number
}

/** The tokens of the sched_ext scheduler beside this one. */
export interface Tokens {
  /** `iss` of a token: the original's. */
  readonly issuer: string
  /**
   * A token, for an assertion that is signed with this pod's key and was not shown before (RFC 7523, 3).
   * @throws ServiceError ASSERTION_REFUSED, TOO_MANY_REQUESTS
   */
  grant(assertion: string): Promise<Token>
  /** @throws Error that says what is wrong with it */
  verify(token: string): Promise<void>
}

/** @param key the scheduler's own; the sched_ext scheduler has it from the same Secret */
export function createTokens(
  node: string,
  key: KeyObject,
  now: () => number = Date.now,
  mostUsed: number = MOST_USED,
): Tokens {
  const publicKey = createPublicKey(key)
  const client = schedExtOf(node)
  const own: Statement = { issuer: 'decision-maker-service', subject: client.subject, audience: audienceOf(node) }
  /** Until when each is remembered, in the order in which they came; ms. */
  const used = new Map<string, number>()

  const once = (id: string, at: number): void => {
    for (const [known, until] of used) {
      if (until > at) break
      used.delete(known)
    }
    if (used.has(id)) throw schedulerErrors.error('ASSERTION_REFUSED', 'The client assertion was shown before.')
    if (used.size >= mostUsed)
      throw kitErrors.error('TOO_MANY_REQUESTS', undefined, { headers: { 'retry-after': '60' } })
    used.set(id, at + (ASSERTION_SECONDS + 2 * CLOCK_TOLERANCE_SECONDS) * 1000)
  }

  return {
    issuer: own.issuer,
    async grant(assertion) {
      const at = now()
      let id: string | undefined
      try {
        id = (await verifyStatement(assertion, publicKey, client, { now: at })).jti
      } catch (cause) {
        throw schedulerErrors.error('ASSERTION_REFUSED', `The client assertion is not valid: ${reasonOf(cause)}`)
      }
      if (typeof id !== 'string' || id.length > 256)
        throw schedulerErrors.error('ASSERTION_REFUSED', 'The client assertion is not valid: its "jti" is too long')
      once(id, at)
      return {
        token: await signStatement(key, own, at, TOKEN_SECONDS),
        expiredAt: Math.floor(at / 1000) + TOKEN_SECONDS,
      }
    },
    async verify(token) {
      await verifyStatement(token, publicKey, own, { now: now(), seconds: TOKEN_SECONDS })
    },
  }
}
