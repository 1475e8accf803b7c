import { TOKEN_SECONDS } from '../tokens.js'

/**
 * Over https the name begins with `__Host-`: browsers take such a cookie from this host alone, over https alone, so that no neighbour can
 * plant one. Over plain HTTP, as on one's own machine, they would not take it at all.
 */
export const cookieName = (secure: boolean): string => (secure ? '__Host-bulkhead-session' : 'bulkhead-session')

/** The token of a Cookie header. One that is there twice is none: somebody has planted a second one, and which is which nobody knows. */
export function cookieOf(header: string | undefined, secure: boolean): string | undefined {
  const name = cookieName(secure)
  const found = (header ?? '').split(';').flatMap((pair) => {
    const at = pair.indexOf('=')
    return at !== -1 && pair.slice(0, at).trim() === name ? [pair.slice(at + 1).trim()] : []
  })
  return found.length === 1 && found[0] !== '' ? found[0] : undefined
}

/** Nothing but the browser reads it; it goes to this host alone, and never with what another site's page asks for. */
const written = (value: string, seconds: number, secure: boolean): string =>
  `${cookieName(secure)}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`

export const setCookie = (token: string, secure: boolean): string => written(token, TOKEN_SECONDS, secure)
export const clearCookie = (secure: boolean): string => written('', 0, secure)
