import { createHmac, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto'

/** What a page of this service shows beside the cookie that the browser sends for it: no other site can read it. */
export interface CsrfTokens {
  of(token: string): string
  holds(token: string, shown: string): boolean
}

/** Bound to the session by an HMAC over its token, with a key of its own made of the signing key: every replica makes the same, and none is kept. */
export function createCsrfTokens(key: KeyObject): CsrfTokens {
  const secret = new Uint8Array(
    hkdfSync('sha256', key.export({ type: 'pkcs8', format: 'der' }), '', 'bulkhead manager: CSRF tokens', 32),
  )
  const digest = (token: string): Buffer => createHmac('sha256', secret).update(token).digest()
  return {
    of: (token) => digest(token).toString('base64url'),
    holds: (token, shown) => {
      const given = Buffer.from(shown, 'base64url')
      const expected = digest(token)
      return given.length === expected.length && timingSafeEqual(given, expected)
    },
  }
}
