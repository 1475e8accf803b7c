import { defineErrors } from './define-errors.js'

/** The failures that any HTTP service has. Services add their own tables beside this one. */
export const kitErrors = defineErrors({
  BAD_REQUEST: { status: 400, message: 'The request is not valid.' },
  MALFORMED_HTTP: { status: 400, message: 'The bytes received are not a valid HTTP/1.1 request.' },
  HOST_MISSING: { status: 400, message: 'An HTTP/1.1 request needs exactly one Host header.' },
  MALFORMED_JSON: { status: 400, message: 'The body is not valid JSON.' },
  MALFORMED_PATH: { status: 400, message: 'The path holds an invalid percent-encoding.' },
  BODY_LENGTH_MISMATCH: { status: 400, message: 'The body has another length than Content-Length says.' },
  REQUEST_ABORTED: { status: 400, message: 'The client went away before the request was complete.' },
  UNAUTHENTICATED: { status: 401, message: 'The request carries no valid credentials.' },
  FORBIDDEN: { status: 403, message: 'The caller may not do this.' },
  NOT_FOUND: { status: 404, message: 'There is nothing at this path.' },
  METHOD_NOT_ALLOWED: {
    status: 405,
    message: 'This path does not answer that method; the Allow header lists those it does.',
  },
  REQUEST_TIMEOUT: { status: 408, message: 'The request was not complete within the time allowed.' },
  CONFLICT: { status: 409, message: 'The request contradicts the present state.' },
  BODY_TOO_LARGE: { status: 413, message: 'The body is larger than this service accepts.' },
  URL_TOO_LONG: { status: 414, message: 'The URL is longer than this service accepts.' },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    message: 'The Content-Type, charset or Content-Encoding of the body is not supported.',
  },
  EXPECTATION_FAILED: { status: 417, message: 'The Expect header asks for something other than 100-continue.' },
  TOO_MANY_REQUESTS: { status: 429, message: 'Too many requests; try again later.' },
  HEADERS_TOO_LARGE: { status: 431, message: 'The headers are too many or too large.' },
  INTERNAL: { status: 500, message: 'Something failed inside the service; the request id finds it in the log.' },
  UNAVAILABLE: { status: 503, message: 'The service, or something that it needs, is not available at the moment.' },
  UPSTREAM_TIMEOUT: { status: 504, message: 'Something that the service needs did not answer in time.' },
})
