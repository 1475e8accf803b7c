import type { IncomingMessage } from 'node:http'
import { kitErrors, readBody } from '@bulkhead/service-kit'

/** Memory and time: a description with everything in it that may be has a tenth of it. */
export const MAX_BODY_BYTES = 256 * 1024

const JSON_TYPE = /^application\/(?:[a-z0-9.+-]+\+)?json\s*(?:;\s*charset\s*=\s*"?utf-?8"?\s*)?$/i

/**
 * The JSON that a request brings.
 * @throws ServiceError UNSUPPORTED_MEDIA_TYPE, BODY_TOO_LARGE, MALFORMED_JSON, REQUEST_ABORTED
 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const type = request.headers['content-type']
  if (type === undefined || !JSON_TYPE.test(type.trim()))
    throw kitErrors.error('UNSUPPORTED_MEDIA_TYPE', 'A description is JSON in UTF-8: Content-Type: application/json.')
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity')
    throw kitErrors.error('UNSUPPORTED_MEDIA_TYPE', 'This service takes no Content-Encoding.')
  const bytes = await readBody(request, MAX_BODY_BYTES)
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)) as unknown
  } catch (cause) {
    throw kitErrors.error('MALFORMED_JSON', undefined, { cause })
  }
}
