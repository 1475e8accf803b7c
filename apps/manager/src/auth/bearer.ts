import { managerErrors } from '../http/errors.js'

/**
 * The token of an Authorization header: `Bearer `, in this spelling, and something after it.
 * @throws ServiceError AUTHORIZATION_MISSING, AUTHORIZATION_MALFORMED
 */
export function bearerOf(header: string | undefined): string {
  if (header === undefined || header === '') throw managerErrors.error('AUTHORIZATION_MISSING')
  const token = header.startsWith('Bearer ') ? header.slice('Bearer '.length).trim() : ''
  if (token === '') throw managerErrors.error('AUTHORIZATION_MALFORMED')
  return token
}
