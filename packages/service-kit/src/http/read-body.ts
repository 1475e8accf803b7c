import type { IncomingMessage } from 'node:http'
import { kitErrors } from '../errors/kit-errors.js'
import { bodyTooLarge } from './refusals.js'

/** Whether this request has a body still to come. Nearly all have none, and are not waited for. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}

/**
 * The bytes of a body.
 * @throws ServiceError BODY_TOO_LARGE, before anything is read where the request itself says so; REQUEST_ABORTED when the client goes away in the middle
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw bodyTooLarge(maxBytes)
  const chunks: Buffer[] = []
  await takeIn(request, maxBytes, (chunk) => chunks.push(chunk))
  return Buffer.concat(chunks)
}

/**
 * Takes in a body that nobody wants, so that the connection can be used again, up to a limit.
 * @throws ServiceError BODY_TOO_LARGE, or REQUEST_ABORTED when the client goes away in the middle
 */
export function discardBody(request: IncomingMessage, maxBytes: number): Promise<void> {
  return takeIn(request, maxBytes, () => {})
}

function takeIn(request: IncomingMessage, maxBytes: number, take: (chunk: Buffer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = 0
    request.on('data', (chunk: Buffer) => {
      seen += chunk.length
      if (seen <= maxBytes) {
        take(chunk)
        return
      }
      request.removeAllListeners('data')
      request.pause()
      reject(bodyTooLarge(maxBytes))
    })
    request.once('end', () => resolve())
    request.once('error', (cause) => reject(kitErrors.error('REQUEST_ABORTED', undefined, { cause })))
    request.once('close', () => reject(kitErrors.error('REQUEST_ABORTED')))
  })
}
