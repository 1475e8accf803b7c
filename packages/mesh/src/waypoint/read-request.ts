import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isForwardedByWaypoint } from '@bulkhead/verdict'
import { type ReadRequest, type Refused, readMessage, removeHeader } from '../http/read-request.js'

const SCHEME = /^https?$/i

/**
 * Reads a request as a waypoint's connection manager does, which is no edge: what it is called by and how it came is told by
 * whoever has carried it so far.
 */
export function readRequest(message: IncomingMessage): ReadRequest | Refused {
  const read = readMessage(message, isForwardedByWaypoint)
  if ('why' in read) return read
  const { request, pairs } = read
  const headers: Record<string, string> = request.headers
  const put = (name: string, value: string): void => {
    headers[name] = value
    pairs.push(name, value)
  }
  if (!SCHEME.test(headers['x-forwarded-proto'] ?? '')) {
    removeHeader(headers, pairs, 'x-forwarded-proto')
    put('x-forwarded-proto', 'http')
  }
  if (headers['x-request-id'] === undefined) put('x-request-id', randomUUID())
  return read
}
