import { ServiceError } from './define-errors.js'
import { kitErrors } from './kit-errors.js'

type KitCode = keyof typeof kitErrors.table

/** What body-parser says of a body, by its documented `type`. */
const BODY_PROBLEMS: Readonly<Record<string, KitCode>> = {
  'charset.unsupported': 'UNSUPPORTED_MEDIA_TYPE',
  'encoding.unsupported': 'UNSUPPORTED_MEDIA_TYPE',
  'entity.parse.failed': 'MALFORMED_JSON',
  'entity.too.large': 'BODY_TOO_LARGE',
  'parameters.too.many': 'BODY_TOO_LARGE',
  'querystring.parse.rangeError': 'BODY_TOO_LARGE',
  'request.aborted': 'REQUEST_ABORTED',
  'request.size.invalid': 'BODY_LENGTH_MISMATCH',
}

/**
 * Whatever a handler threw, as an error that may be shown to the caller. What is not known by its code becomes INTERNAL,
 * with the original as its cause: the caller learns nothing of it, the log everything.
 */
export function toServiceError(thrown: unknown): ServiceError {
  if (thrown instanceof ServiceError) return thrown
  if (thrown instanceof Error) {
    const { type, status } = thrown as { type?: unknown; status?: unknown }
    const known = typeof type === 'string' ? BODY_PROBLEMS[type] : undefined
    if (known !== undefined) return kitErrors.error(known, undefined, { cause: thrown })
    // Express, for a route parameter that does not decode.
    if (thrown instanceof URIError && status === 400)
      return kitErrors.error('MALFORMED_PATH', undefined, { cause: thrown })
    // zlib, for a compressed body that is not one.
    const { code } = thrown as { code?: unknown }
    if (status === 400 && typeof code === 'string' && code.startsWith('Z_')) {
      return kitErrors.error('BAD_REQUEST', 'The body does not decompress.', { cause: thrown })
    }
  }
  return kitErrors.error('INTERNAL', undefined, { cause: thrown })
}
