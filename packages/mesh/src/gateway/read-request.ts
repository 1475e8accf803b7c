import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { forwardedFor, isForwarded } from '@bulkhead/verdict'
import { type ReadRequest, type Refused, readMessage, removeHeader } from '../http/read-request.js'

const keeps = (name: string): boolean => name !== 'x-forwarded-proto' && isForwarded(name)

/** Reads a request as a gateway's connection manager does: who asks is put on, and what only proxies say is taken off. */
export function readRequest(message: IncomingMessage, client: string): ReadRequest | Refused {
  const read = readMessage(message, keeps)
  if ('why' in read) return read
  const { pairs } = read
  const headers: Record<string, string> = read.request.headers
  const before = headers['x-forwarded-for']
  if (before !== undefined) removeHeader(headers, pairs, 'x-forwarded-for')
  const put = (name: string, value: string): void => {
    headers[name] = value
    pairs.push(name, value)
  }
  put('x-forwarded-for', forwardedFor(before, client))
  put('x-forwarded-proto', 'http')
  put('x-request-id', randomUUID())
  return read
}
