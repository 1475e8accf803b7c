import type { IncomingMessage } from 'node:http'

/** How a caller shows who he is. */
export interface Credentials {
  /** As an Authorization header has it: the header itself or, where there is none, `Bearer ` and the token of the session's cookie. */
  readonly authorization: string | undefined
  readonly by: 'header' | 'cookie' | 'nothing'
  /** Whether the request came in by https, as far as is known. */
  readonly secure: boolean
  /** Where a browser says that it comes from: a page of this service, of another site, or nobody said. */
  readonly origin: 'own' | 'foreign' | 'unsaid'
}

export interface CredentialsReader {
  /** Reads, and refuses nothing. */
  read(request: IncomingMessage): Credentials
  /**
   * A browser sends a cookie along whoever has made it ask.
   * @throws ServiceError ORIGIN_REFUSED, CSRF_TOKEN_INVALID when it may have been another site's page
   */
  refuseForged(credentials: Credentials, request: IncomingMessage): void
}

/** Programs only: there are no cookies. */
export const headerAlone: CredentialsReader = {
  read: ({ headers: { authorization } }) => ({
    authorization,
    by: authorization === undefined ? 'nothing' : 'header',
    secure: false,
    origin: 'unsaid',
  }),
  refuseForged: () => {},
}
