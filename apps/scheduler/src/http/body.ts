import type { IncomingMessage } from 'node:http'
import { kitErrors } from '@bulkhead/service-kit'
import { schedulerErrors } from './errors.js'

/**
 * The JSON value that a request brings, whatever its Content-Type says; nothing at all is `{}`.
 * @throws ServiceError INVALID_BODY, BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, REQUEST_ABORTED
 */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity')
    throw kitErrors.error('UNSUPPORTED_MEDIA_TYPE', 'This service takes no Content-Encoding.')
  const bytes = await readBytes(request, maxBytes)
  if (bytes.length === 0) return {}
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return JSON.parse(text)
  } catch (cause) {
    throw schedulerErrors.error('INVALID_BODY', undefined, { cause })
  }
}

const tooLarge = (maxBytes: number) =>
  kitErrors.error('BODY_TOO_LARGE', `The body is larger than the ${maxBytes} bytes that are accepted here.`)

function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) {
      reject(tooLarge(maxBytes))
      return
    }
    const chunks: Buffer[] = []
    let seen = 0
    request.on('data', (chunk: Buffer) => {
      seen += chunk.length
      if (seen <= maxBytes) {
        chunks.push(chunk)
        return
      }
      request.removeAllListeners('data')
      request.pause()
      reject(tooLarge(maxBytes))
    })
    request.once('end', () => resolve(Buffer.concat(chunks)))
    request.once('error', (cause) => reject(kitErrors.error('REQUEST_ABORTED', undefined, { cause })))
    request.once('close', () => reject(kitErrors.error('REQUEST_ABORTED')))
  })
}
