import type { Whole } from '../store/documents.js'
import { managerErrors } from './errors.js'

/** The version of a document as an entity tag. */
export const etagOf = (version: Whole): string => `"${Number(version)}"`

/**
 * The version that an If-Match header asks for; undefined when it asks for none (`*`, or no header).
 * @throws ServiceError INVALID_HEADER for what is no entity tag of this API
 */
export function parseIfMatch(header: string | undefined): number | undefined {
  if (header === undefined || header.trim() === '*') return undefined
  const version = /^\s*"(\d{1,9})"\s*$/.exec(header)?.[1]
  if (version === undefined)
    throw managerErrors.error(
      'INVALID_HEADER',
      `If-Match ${JSON.stringify(header.slice(0, 64))} is no entity tag of this API; it is the ETag of an answer, such as "3".`,
    )
  return Number(version)
}

/** @throws ServiceError VERSION_CONFLICT when the caller has read another version than there is */
export function requireVersion(ifMatch: number | undefined, version: Whole): void {
  if (ifMatch !== undefined && ifMatch !== Number(version)) throw managerErrors.error('VERSION_CONFLICT')
}

/** Printable ASCII, as the draft for the header has it; long enough for any UUID. */
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,128}$/

/** @throws ServiceError INVALID_HEADER */
export function parseIdempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  if (!IDEMPOTENCY_KEY.test(header))
    throw managerErrors.error('INVALID_HEADER', 'Idempotency-Key has 1 to 128 printable characters without blanks.')
  return header
}
