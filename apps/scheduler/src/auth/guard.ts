import type { KeyObject } from 'node:crypto'
import { managerTo, verifyStatement } from '@bulkhead/intents'
import { schedulerErrors } from '../http/errors.js'
import type { Caller, Route } from '../http/route.js'
import type { Tokens } from './tokens.js'

/** Lets in who may call a route of this kind. @throws ServiceError 401 or 403 */
export type Guard = (caller: Route['caller'], authorization: string | undefined) => Promise<void>

export interface GuardOptions {
  readonly node: string
  readonly managerKey: KeyObject
  readonly tokens: Pick<Tokens, 'issuer' | 'verify'>
  readonly now?: () => number
}

/**
 * The manager shows an assertion that it has signed for this node, the sched_ext scheduler a token that it has got here. Neither may do
 * what the other may: a stolen one opens half of the door.
 */
export function createGuard({ node, managerKey, tokens, now = Date.now }: GuardOptions): Guard {
  const manager = managerTo(node)

  const callerOf = async (token: string): Promise<Caller> => {
    try {
      // Whose it says it is decides which key it is held against, and nothing else.
      if (issuerOf(token) === tokens.issuer) {
        await tokens.verify(token)
        return 'sched-ext'
      }
      await verifyStatement(token, managerKey, manager, { now: now() })
      return 'manager'
    } catch (cause) {
      throw schedulerErrors.error('TOKEN_INVALID', `Invalid or expired token: ${reasonOf(cause)}`)
    }
  }

  return async (caller, authorization) => {
    if (caller === 'anybody') return
    const found = await callerOf(bearerOf(authorization))
    if (found !== caller)
      throw schedulerErrors.error('CALLER_REFUSED', `This is for ${wordsOf[caller]}, and ${wordsOf[found]} calls.`)
  }
}

const wordsOf: Readonly<Record<Caller, string>> = {
  manager: 'the manager',
  'sched-ext': 'the sched_ext scheduler of this node',
}

/** What is wrong with a token, as jose or `verifyStatement` says it: it quotes nothing of the token. */
export const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : 'it cannot be read')

function bearerOf(header: string | undefined): string {
  if (header === undefined || header === '') throw schedulerErrors.error('AUTHORIZATION_MISSING')
  const token = header.startsWith('Bearer ') ? header.slice('Bearer '.length).trim() : ''
  if (token === '') throw schedulerErrors.error('AUTHORIZATION_MALFORMED')
  return token
}

/** @throws Error for what is no token */
function issuerOf(token: string): unknown {
  const [, body = ''] = token.split('.')
  let claims: unknown
  try {
    claims = JSON.parse(Buffer.from(body, 'base64url').toString())
  } catch {
    throw new Error('it is no JWT')
  }
  return typeof claims === 'object' && claims !== null && 'iss' in claims ? claims.iss : undefined
}
