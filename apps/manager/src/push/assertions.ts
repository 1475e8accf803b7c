import { type KeyObject, randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import { ISSUER } from '../auth/tokens.js'

/** How long a scheduler may be shown the same assertion. */
const ASSERTION_SECONDS = 300
/** An assertion that would end within this time is made anew (contract M18). */
const RENEW_SECONDS = 60

/** Who the manager is to its schedulers (contract 1.12, client_id). */
export const CLIENT_ID = 'manager-client'

/** To whom an assertion for the scheduler of this node is addressed: no other one takes it. */
export const audienceOf = (node: string): string => `scheduler:${node}`

/** Signed statements of the manager that it is the manager, one per node, kept while they are good. */
export class Assertions {
  readonly #key: KeyObject
  readonly #now: () => number
  readonly #known = new Map<string, { readonly token: Promise<string>; readonly expires: number }>()

  /** @param now milliseconds since 1970 */
  constructor(key: KeyObject, now: () => number = Date.now) {
    this.#key = key
    this.#now = now
  }

  for(node: string): Promise<string> {
    const now = Math.floor(this.#now() / 1000)
    const known = this.#known.get(node)
    if (known !== undefined && now < known.expires - RENEW_SECONDS) return known.token
    // Nodes come and go, and a name may be used once only.
    for (const [name, { expires }] of this.#known) if (now >= expires) this.#known.delete(name)
    const expires = now + ASSERTION_SECONDS
    const token = new SignJWT()
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
      .setIssuer(ISSUER)
      .setSubject(CLIENT_ID)
      .setAudience(audienceOf(node))
      .setJti(randomUUID())
      .setIssuedAt(now)
      .setNotBefore(now)
      .setExpirationTime(expires)
      .sign(this.#key)
    this.#known.set(node, { token, expires })
    return token
  }
}
