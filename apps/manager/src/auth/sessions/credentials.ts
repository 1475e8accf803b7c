import type { IncomingMessage } from 'node:http'
import type { Credentials, CredentialsReader } from '../../http/credentials.js'
import { managerErrors } from '../../http/errors.js'
import { cookieOf } from './cookie.js'
import type { CsrfTokens } from './csrf.js'

export interface CookieCredentialsDeps {
  readonly csrf: CsrfTokens
  /** Whether a request came in by https. */
  readonly secure: (request: IncomingMessage) => boolean
}

/** RFC 9110, 9.2.1: what changes nothing. */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD'])
const BEARER = 'Bearer '

/**
 * Callers with a token in a header, and browsers with one in a cookie. Where both are there the header counts, and the cookie is not
 * looked at, not even when the header is wrong: no page can have a browser send that header without knowing the token.
 */
export function cookieCredentials({ csrf, secure: cameSecurely }: CookieCredentialsDeps): CredentialsReader {
  return {
    read: (request) => {
      const { authorization, cookie } = request.headers
      const secure = cameSecurely(request)
      const rest = { secure, origin: originOf(request, secure) }
      if (authorization !== undefined) return { authorization, by: 'header', ...rest }
      const token = cookieOf(cookie, secure)
      return token === undefined
        ? { authorization: undefined, by: 'nothing', ...rest }
        : { authorization: `${BEARER}${token}`, by: 'cookie', ...rest }
    },
    refuseForged: ({ by, origin, authorization = '' }, { method = '', headers }) => {
      if (by !== 'cookie') return
      const safe = SAFE.has(method)
      if (origin === 'foreign' || (origin === 'unsaid' && !safe)) throw managerErrors.error('ORIGIN_REFUSED')
      const shown = headers['x-csrf-token']
      if (!safe && !(typeof shown === 'string' && csrf.holds(authorization.slice(BEARER.length), shown)))
        throw managerErrors.error('CSRF_TOKEN_INVALID')
    },
  }
}

/**
 * Fetch Metadata where the browser sends it (to https and to one's own machine), and the Origin of what changes something. An Origin that
 * names this host by http is a stranger's on the way, where this request came by https.
 */
function originOf({ headers }: IncomingMessage, secure: boolean): Credentials['origin'] {
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return 'foreign'
  if (headers.origin === undefined) return 'unsaid'
  const { host = '' } = headers
  const own = headers.origin === `https://${host}` || (!secure && headers.origin === `http://${host}`)
  return host !== '' && own ? 'own' : 'foreign'
}
