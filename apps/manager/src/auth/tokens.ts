import { createPublicKey, type KeyObject, randomUUID } from 'node:crypto'
import { type JWTPayload, jwtVerify, SignJWT } from 'jose'
import { managerErrors } from '../http/errors.js'
import { OBJECT_ID } from '../http/ids.js'

/** `iss` of every token, as the original has it. */
export const ISSUER = 'bss-api-server'

/** `aud` of a user's token: what is signed with this key for schedulers is good for nothing here, and the other way round. */
export const AUDIENCE = 'manager'

/** How long a login lasts. */
export const TOKEN_SECONDS = 3 * 60 * 60

/** Two replicas' clocks may differ by this much. */
const CLOCK_TOLERANCE_SECONDS = 5

const ALGORITHM = 'RS256'

/** How many tokens are kept as read: about a kilobyte each. */
const KEPT_TOKENS = 2_000

/** What a token says of its bearer. All but the id may be out of date: the database is asked at every request. */
export interface TokenClaims {
  /** 24 hex digits. */
  readonly uid: string
  readonly needChangePassword: boolean
  /** The user's token version when it was made: another one now, and the token is dead. */
  readonly tv: number
}

/** One login, so that it can be ended without the others of the same user. */
export interface TokenSession {
  /** `jti` of its token. */
  readonly id: string
  /** When its token ends by itself, in seconds since 1970. */
  readonly until: number
}

export interface VerifiedClaims extends TokenClaims {
  /** Absent in tokens that were made before logins had a name. */
  readonly session?: TokenSession
}

export interface Tokens {
  sign(claims: TokenClaims): Promise<string>
  /** @throws ServiceError TOKEN_INVALID, whatever is wrong with it */
  verify(token: string): Promise<VerifiedClaims>
  /** Whose token it is or once was: its end is not looked at. Undefined when it never was one of ours. */
  ownerOf(token: string): Promise<string | undefined>
}

/** A token whose signature was right: that does not change, its time does. */
interface Read {
  readonly claims: VerifiedClaims
  /** Seconds. */
  readonly from: number
  readonly until: number
}

/** Tokens of this private RSA key; `now` in milliseconds. */
export function createTokens(key: KeyObject, now: () => number = Date.now): Tokens {
  const publicKey = createPublicKey(key)
  // A client sends the same token with each request, and an RSA signature costs as much to check as half a database call.
  const kept = new Map<string, Read>()

  const read = async (token: string, at: number, extra: { readonly maxAge?: number } = {}): Promise<JWTPayload> => {
    const { payload } = await jwtVerify(token, publicKey, {
      algorithms: [ALGORITHM],
      issuer: ISSUER,
      audience: AUDIENCE,
      requiredClaims: ['exp', 'nbf', 'iat', 'sub'],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(at),
      ...extra,
    })
    return payload
  }

  return {
    sign: ({ uid, needChangePassword, tv }) => {
      const issuedAt = Math.floor(now() / 1000)
      return new SignJWT({ uid, needChangePassword, tv })
        .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
        .setIssuer(ISSUER)
        .setSubject(uid)
        .setJti(randomUUID())
        .setAudience(AUDIENCE)
        .setIssuedAt(issuedAt)
        .setNotBefore(issuedAt)
        .setExpirationTime(issuedAt + TOKEN_SECONDS)
        .sign(key)
    },
    verify: async (token) => {
      const known = kept.get(token)
      if (known !== undefined) {
        const seconds = now() / 1000
        if (seconds >= known.from && seconds < known.until) return known.claims
        kept.delete(token)
      }
      let payload: JWTPayload
      try {
        payload = await read(token, now())
      } catch (cause) {
        throw managerErrors.error('TOKEN_INVALID', undefined, { cause })
      }
      const { jti: id, exp: until = 0 } = payload
      const claims = { ...claimsOf(payload), ...(id === undefined ? {} : { session: { id, until } }) }
      kept.set(token, { claims, from: payload.nbf ?? Number.POSITIVE_INFINITY, until: payload.exp ?? 0 })
      if (kept.size > KEPT_TOKENS) {
        const oldest = kept.keys().next()
        if (!oldest.done) kept.delete(oldest.value)
      }
      return claims
    },
    ownerOf: async (token) => {
      try {
        // Judged as of the moment it was made, so that an expired one is still somebody's.
        const [, body = ''] = token.split('.')
        const { iat } = JSON.parse(Buffer.from(body, 'base64url').toString()) as { iat?: unknown }
        if (typeof iat !== 'number' || !Number.isFinite(iat)) return undefined
        return claimsOf(await read(token, iat * 1000)).uid
      } catch {
        return undefined
      }
    },
  }
}

function claimsOf({ uid, sub, needChangePassword, tv }: JWTPayload): TokenClaims {
  if (
    typeof uid !== 'string' ||
    !OBJECT_ID.test(uid) ||
    sub !== uid ||
    typeof needChangePassword !== 'boolean' ||
    typeof tv !== 'number' ||
    !Number.isSafeInteger(tv)
  )
    throw managerErrors.error('TOKEN_INVALID')
  return { uid, needChangePassword, tv }
}
