import { type KeyObject, randomUUID } from 'node:crypto'
import { type JWTPayload, jwtVerify, SignJWT } from 'jose'

/*
 * How the manager and the schedulers show each other who they are: a JWT that says so, signed with the sender's private key, in
 * `Authorization: Bearer`. It is good for one node and one direction, and for five minutes.
 */

/** How long an assertion may be shown. */
export const ASSERTION_SECONDS = 300
/** An assertion that would end within this time is made anew (contract M18). */
const RENEW_SECONDS = 60
/** Nodes' clocks may differ by this much. */
export const CLOCK_TOLERANCE_SECONDS = 30

const ALGORITHM = 'RS256'

/** What an assertion says; what it is verified against. */
export interface Statement {
  readonly issuer: string
  readonly subject: string
  readonly audience: string
}

/** Whom an assertion for the scheduler of this node is addressed to: no other one takes it. */
export const audienceOf = (node: string): string => `scheduler:${node}`

/** The manager, to the scheduler of this node. Issuer and subject are the original's (contract 1.12, client_id). */
export const managerTo = (node: string): Statement => ({
  issuer: 'bss-api-server',
  subject: 'manager-client',
  audience: audienceOf(node),
})

/** The scheduler of this node, to the manager. */
export const schedulerOf = (node: string): Statement => ({
  issuer: 'gthulhu-scheduler',
  subject: audienceOf(node),
  audience: 'manager',
})

/** The sched_ext scheduler of this node, to the agent beside it: a client assertion (RFC 7523, 3), good for one token. */
export const schedExtOf = (node: string): Statement => ({
  issuer: 'sched-ext',
  subject: 'sched-ext',
  audience: audienceOf(node),
})

/** Signs a statement, good from now on. @param now milliseconds since 1970 */
export function signStatement(
  key: KeyObject,
  { issuer, subject, audience }: Statement,
  now: number,
  seconds: number = ASSERTION_SECONDS,
): Promise<string> {
  const issuedAt = Math.floor(now / 1000)
  return new SignJWT()
    .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
    .setIssuer(issuer)
    .setSubject(subject)
    .setAudience(audience)
    .setJti(randomUUID())
    .setIssuedAt(issuedAt)
    .setNotBefore(issuedAt)
    .setExpirationTime(issuedAt + seconds)
    .sign(key)
}

/** Signed statements, one per node, kept while they are good. */
export class Assertions {
  readonly #key: KeyObject
  readonly #statement: (node: string) => Statement
  readonly #now: () => number
  readonly #known = new Map<string, { readonly token: Promise<string>; readonly issued: number }>()

  /**
   * @param statement `managerTo` or `schedulerOf`
   * @param now milliseconds since 1970
   */
  constructor(key: KeyObject, statement: (node: string) => Statement, now: () => number = Date.now) {
    this.#key = key
    this.#statement = statement
    this.#now = now
  }

  for(node: string): Promise<string> {
    const now = this.#now()
    const seconds = Math.floor(now / 1000)
    const known = this.#known.get(node)
    // One that is of the future is of before this clock was set back: nobody would take it.
    const age = known === undefined ? Number.POSITIVE_INFINITY : seconds - known.issued
    if (known !== undefined && age >= 0 && age < ASSERTION_SECONDS - RENEW_SECONDS) return known.token
    // Nodes come and go, and a name may be used once only.
    for (const [name, { issued }] of this.#known) if (seconds - issued >= ASSERTION_SECONDS) this.#known.delete(name)
    const token = signStatement(this.#key, this.#statement(node), now)
    this.#known.set(node, { token, issued: seconds })
    return token
  }
}

export interface VerifyOptions {
  /** Milliseconds since 1970. */
  readonly now?: number
  /** How long the longest one that is taken may last, whatever its `exp` says. */
  readonly seconds?: number
}

/**
 * Holds a token against what it has to say: RS256 and nothing else, who says it, of whom, to whom, and when.
 *
 * Whether it was shown before is not asked: one assertion is shown many times by design, whoever could read it on the way could as well
 * change the request that it is on, and what it is shown for says itself which of two is the later one (a set's version).
 *
 * @returns the claims
 * @throws Error whose message says what is wrong with it, and nothing of the key
 */
export async function verifyStatement(
  token: string,
  publicKey: KeyObject,
  { issuer, subject, audience }: Statement,
  { now = Date.now(), seconds = ASSERTION_SECONDS }: VerifyOptions = {},
): Promise<JWTPayload> {
  const { payload } = await jwtVerify(token, publicKey, {
    algorithms: [ALGORITHM],
    issuer,
    subject,
    audience,
    requiredClaims: ['exp', 'nbf', 'iat', 'jti'],
    maxTokenAge: seconds,
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    currentDate: new Date(now),
  })
  // A list of audiences would make it good elsewhere too.
  if (payload.aud !== audience) throw new Error('"aud" is not this one alone')
  return payload
}
