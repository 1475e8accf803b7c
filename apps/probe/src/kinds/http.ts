import { type IncomingMessage, request } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Observation, ResolvedAttempt } from '@bulkhead/scenarios'
import { keptBytes, open } from '../connection.js'
import { symptomOfHttp } from '../symptom.js'
import { asFailure, type Failure, type Trace } from '../trace.js'
import type { Got, Kind } from './kind.js'

export const http: Kind = async (trace) => {
  const { host, port, tls } = trace.attempt
  const socket = await open(trace, { host, port })
  if (tls === undefined) return httpOver(trace, socket, socket)
  // Loaded when it is used: most attempts are plain.
  const { https } = await import('./https.js')
  return https(trace, socket, tls)
}

/** One request on an open connection. `raw` is the socket whose bytes are counted. */
export function httpOver(trace: Trace, stream: Duplex, raw: Socket): Promise<Got> {
  const { attempt } = trace
  const { method, path, headers = {}, body } = attempt.http ?? { method: 'GET', path: '/' }
  const { token } = attempt
  const before = raw.bytesRead
  let counted = 0
  const count = (): void => {
    const news = raw.bytesRead - before - counted
    counted += news
    trace.received(news)
  }
  return new Promise((resolve, reject) => {
    const kept: Buffer[] = []
    let response: IncomingMessage | undefined
    let size = 0
    let settled = false
    const finish = (cut?: Failure): void => {
      if (settled) return
      settled = true
      trace.signal.removeEventListener('abort', late)
      count()
      if (counted === 0 && cut !== undefined) {
        reject(cut)
        return
      }
      const http = response === undefined ? undefined : answerOf(response, kept)
      const symptom = http === undefined ? 'ok' : symptomOfHttp(http)
      // A proxy's own answer holds no byte of the application's.
      if (symptom !== 'ok') trace.bytes = 0
      const again = (): Promise<Got> => {
        trace.bytes = 0
        return httpOver(trace, stream, raw)
      }
      resolve({
        symptom,
        open: stream,
        again,
        ...(http === undefined ? {} : { http }),
        ...(cut === undefined ? {} : { cut }),
      })
    }
    const late = (): void => finish(asFailure(trace.signal.reason))
    const fail = (error: unknown): void => finish(asFailure(error))
    const ask = request({
      method,
      path,
      headers: {
        host: authority(attempt),
        'user-agent': 'bulkhead-probe',
        ...headers,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        connection: attempt.hold === true ? 'keep-alive' : 'close',
        ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
      },
      setHost: false,
      createConnection: () => stream,
    })
    trace.signal.addEventListener('abort', late, { once: true })
    ask.on('error', fail)
    ask.on('response', (incoming) => {
      response = incoming
      count()
      incoming.on('data', (chunk: Buffer) => {
        if (size < keptBytes) kept.push(chunk.subarray(0, keptBytes - size))
        size += chunk.length
        count()
      })
      incoming.on('error', fail)
      incoming.on('end', () => finish())
    })
    ask.end(body)
    if (trace.signal.aborted) late()
  })
}

function authority({ kind, host, port, tls }: ResolvedAttempt): string {
  return port === (kind === 'http' && tls !== undefined ? 443 : 80) ? host : `${host}:${port}`
}

function answerOf(response: IncomingMessage, kept: readonly Buffer[]): NonNullable<Observation['http']> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(response.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return { status: response.statusCode ?? 0, headers, body: Buffer.concat(kept).toString('utf8') }
}
