import type { ResolvedAttempt } from '@bulkhead/scenarios'
import { exchange, open } from '../connection.js'
import type { Kind } from './kind.js'

/** Text in, text out. With `http` and no `send`, the request is written by hand. */
export const tcp: Kind = async (trace) => {
  const { attempt } = trace
  const socket = await open(trace, { host: attempt.host, port: attempt.port })
  const { answer, cut } = await exchange(trace, socket, textOf(attempt))
  return { detail: { text: answer.toString('utf8') }, cut, open: socket }
}

/** The same on a unix socket: `host` is its path. */
export const socket: Kind = async (trace) => {
  const { attempt } = trace
  const stream = await open(trace, { path: attempt.host })
  const { answer, cut } = await exchange(trace, stream, textOf(attempt))
  return { detail: { text: answer.toString('utf8') }, cut, open: stream }
}

export function textOf(attempt: ResolvedAttempt): string {
  if (attempt.send !== undefined) return attempt.send
  const { method, path, headers = {}, body = '' } = attempt.http ?? { method: 'GET', path: '/' }
  const lines = Object.entries({ host: attempt.host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}
