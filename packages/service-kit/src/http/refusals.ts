import type { IncomingMessage } from 'node:http'
import type { ServiceError } from '../errors/define-errors.js'
import { kitErrors } from '../errors/kit-errors.js'
import type { Limits } from './limits.js'

/** Why a request is refused before any route sees it, if it is. */
export function refusal(request: IncomingMessage, limits: Limits): ServiceError | undefined {
  const url = request.url ?? ''
  if (url.length > limits.maxUrlChars) {
    return kitErrors.error(
      'URL_TOO_LONG',
      `The URL has ${url.length} characters; this service accepts ${limits.maxUrlChars}.`,
    )
  }
  const headers = request.rawHeaders.length / 2
  if (headers > limits.maxHeaders) {
    return kitErrors.error(
      'HEADERS_TOO_LARGE',
      `The request has ${headers} headers; this service accepts ${limits.maxHeaders}.`,
    )
  }
  // Of two, Node tells the first and others the last: what one of them let pass, the other would answer.
  const hosts = count(request.rawHeaders, 'host')
  if (hosts > 1 || (hosts === 0 && request.httpVersionMinor === 1)) return kitErrors.error('HOST_MISSING')
  const length = request.headers['content-length']
  if (length !== undefined && Number(length) > limits.maxBodyBytes) return bodyTooLarge(limits.maxBodyBytes)
  return undefined
}

function count(rawHeaders: readonly string[], name: string): number {
  let found = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const header = rawHeaders[index] as string
    if (header.length === name.length && header.toLowerCase() === name) found++
  }
  return found
}

export function bodyTooLarge(limit: number): ServiceError {
  return kitErrors.error('BODY_TOO_LARGE', `The body is larger than the ${limit} bytes that this service accepts.`)
}

/** What the HTTP parser, or Node's timeouts, say of bytes that never became a request. Undefined when there is nobody left to tell. */
export function wireRefusal(error: Error & { code?: string }): ServiceError | undefined {
  const { code = '' } = error
  if (code === 'HPE_HEADER_OVERFLOW') return kitErrors.error('HEADERS_TOO_LARGE', undefined, { cause: error })
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return kitErrors.error('BODY_TOO_LARGE', undefined, { cause: error })
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return kitErrors.error('REQUEST_TIMEOUT', undefined, { cause: error })
  if (code.startsWith('HPE_')) return kitErrors.error('MALFORMED_HTTP', undefined, { cause: error })
  return undefined
}
