import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ServiceError } from '../errors/define-errors.js'
import { type RenderError, renderEnvelope } from '../errors/envelope.js'

/** Answers with a whole text body. Does nothing once the client is gone. */
export function send(response: ServerResponse, status: number, type: string, body: string): void {
  if (response.destroyed) return
  response.statusCode = status
  response.setHeader('content-type', type)
  response.setHeader('content-length', Buffer.byteLength(body))
  response.end(body)
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  send(response, status, 'application/json; charset=utf-8', JSON.stringify(body))
}

/** Answers with the error envelope; a response that has begun cannot be taken back, so its connection is cut instead. */
export function sendError(
  response: ServerResponse,
  error: ServiceError,
  requestId: string,
  render: RenderError = renderEnvelope,
): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  // What the handler had prepared belonged to the answer that will not be given.
  for (const name of ['content-encoding', 'content-disposition', 'etag', 'last-modified']) response.removeHeader(name)
  // A 404 or 405 may be kept by whoever is on the way, unless it says otherwise (RFC 9110, 15.1).
  response.setHeader('cache-control', 'no-store')
  for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value)
  // A body that was refused is not read: the connection has no further use.
  if (error.status === 413 || error.status === 408) response.setHeader('connection', 'close')
  const { type, body } = render(error, requestId)
  send(response, error.status, type, body)
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Payload Too Large',
  431: 'Request Header Fields Too Large',
}

/** The same envelope where there is no response object: the bytes did not make a request. The connection ends with it. */
export function writeRawError(
  socket: Duplex,
  error: ServiceError,
  requestId: string,
  render: RenderError = renderEnvelope,
): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const { type, body } = render(error, requestId)
  const head = [
    `HTTP/1.1 ${error.status} ${REASONS[error.status] ?? 'Error'}`,
    `content-type: ${type}`,
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}
