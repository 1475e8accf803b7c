import type { IncomingMessage } from 'node:http'
import { kitErrors, readBody } from '@bulkhead/service-kit'
import { schedulerErrors } from './errors.js'

/**
 * The JSON value that a request brings, whatever its Content-Type says; nothing at all is `{}`.
 * @throws ServiceError INVALID_BODY, BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, REQUEST_ABORTED
 */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity')
    throw kitErrors.error('UNSUPPORTED_MEDIA_TYPE', 'This service takes no Content-Encoding.')
  const bytes = await readBody(request, maxBytes)
  if (bytes.length === 0) return {}
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return JSON.parse(text)
  } catch (cause) {
    throw schedulerErrors.error('INVALID_BODY', undefined, { cause })
  }
}
