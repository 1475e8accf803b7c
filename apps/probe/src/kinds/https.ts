import { isIP, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Attempt } from '@bulkhead/scenarios'
import type { Trace } from '../trace.js'
import { httpOver } from './http.js'
import type { Got } from './kind.js'
import { answeredOtherwise, handshake } from './tls.js'

/**
 * One request over TLS. The server's certificate is verified, against the name that was sent: who lies about the name in
 * the ClientHello must want an answer of whoever that is. An address has no name to send (RFC 6066).
 */
export async function https(trace: Trace, raw: Socket, tls: NonNullable<Attempt['tls']>): Promise<Got> {
  const { host, authorities } = trace.attempt
  const name = tls.sni ?? (isIP(host) === 0 ? host : undefined)
  let secure: TLSSocket
  try {
    secure = await handshake(trace, raw, {
      ...(name === undefined ? { host } : { servername: name }),
      rejectUnauthorized: tls.insecure !== true,
      ...(authorities !== undefined && { ca: authorities }),
      ALPNProtocols: ['http/1.1'],
    })
  } catch (error) {
    return answeredOtherwise(trace, raw, error)
  }
  trace.phase = 'request'
  return httpOver(trace, secure, raw)
}
