import { z } from 'zod'
import { schedulerErrors } from '../http/errors.js'
import { defineRoute, type Route } from '../http/route.js'
import type { Tokens } from './tokens.js'

/** RFC 7523, 2.2. */
export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

const body = z.object({
  client_assertion_type: z.literal(ASSERTION_TYPE).optional(),
  client_assertion: z.string().min(1).max(8_192).optional(),
  /** What the original takes for a credential. */
  public_key: z.unknown().optional(),
})

export const authRoutes = (tokens: Tokens): readonly Route[] => [
  defineRoute({
    method: 'POST',
    path: '/api/v1/auth/token',
    operationId: 'getToken',
    summary: 'A token for the sched_ext scheduler of this pod, for an assertion that it has signed (RFC 7523)',
    caller: 'anybody',
    body,
    answer: z.object({ token: z.string(), expired_at: z.int().describe('Seconds since 1970') }),
    errors: ['PUBLIC_KEY_REFUSED', 'ASSERTION_REFUSED'],
    async handle({ client_assertion: assertion, public_key: publicKey }) {
      if (assertion === undefined && publicKey !== undefined)
        throw schedulerErrors.error(
          'PUBLIC_KEY_REFUSED',
          'Public key verification failed: everybody may know a public key; sign a client_assertion',
        )
      if (assertion === undefined) throw schedulerErrors.error('INVALID_BODY')
      const { token, expiredAt } = await tokens.grant(assertion)
      return { data: { token, expired_at: expiredAt } }
    },
  }),
]
