import type { Socket } from 'node:net'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { exchange, open } from '../connection.js'
import { asFailure, endedCode, Failure, type Trace } from '../trace.js'
import { httpOver } from './http.js'
import type { Got, Kind } from './kind.js'

/** A handshake on an open connection. Nothing is verified unless `options` say so: an attacker takes whatever answers. */
export function handshake(trace: Trace, raw: Socket, options: ConnectionOptions): Promise<TLSSocket> {
  trace.phase = 'tls'
  return new Promise((resolve, reject) => {
    const secure = connect({ rejectUnauthorized: false, ...options, socket: raw })
    const late = (): void => fail(trace.signal.reason)
    const fail = (error: unknown): void => {
      trace.signal.removeEventListener('abort', late)
      secure.destroy()
      reject(asFailure(error))
    }
    const ended = (): void => fail(new Failure(endedCode, 'the far side closed the connection during the handshake'))
    trace.signal.addEventListener('abort', late, { once: true })
    secure.once('error', fail).once('end', ended).once('close', ended)
    secure.once('secureConnect', () => {
      trace.signal.removeEventListener('abort', late)
      secure.off('error', fail).off('end', ended).off('close', ended)
      secure.on('error', () => {})
      trace.mark('tls')
      resolve(secure)
    })
    if (trace.signal.aborted) late()
  })
}

const notTls = new Set(['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG', 'ERR_SSL_HTTP_REQUEST'])

/** Something that answered, only not in TLS: the caller was let in. Throws what is no answer. */
export function answeredOtherwise(trace: Trace, raw: Socket, error: unknown): Got {
  const cut = asFailure(error)
  if (!notTls.has(cut.code)) throw cut
  trace.received(raw.bytesRead)
  return { cut }
}

export const tls: Kind = async (trace) => {
  const { attempt } = trace
  const raw = await open(trace, { host: attempt.host, port: attempt.port })
  let secure: TLSSocket
  try {
    secure = await handshake(trace, raw, {
      ...(attempt.tls?.sni === undefined ? {} : { servername: attempt.tls.sni }),
      ALPNProtocols: ['http/1.1'],
    })
  } catch (error) {
    return answeredOtherwise(trace, raw, error)
  }
  const detail = {
    protocol: secure.getProtocol(),
    alpn: secure.alpnProtocol,
    names: secure.getPeerCertificate().subjectaltname,
  }
  trace.phase = 'request'
  if (attempt.send !== undefined) {
    const { answer, cut } = await exchange(trace, secure, attempt.send)
    return { detail: { ...detail, text: answer.toString('utf8') }, cut, open: secure }
  }
  if (attempt.http !== undefined) return { ...(await httpOver(trace, secure, raw)), detail }
  // The server's half of the handshake is the application's answer.
  trace.received(raw.bytesRead)
  return { detail, open: secure }
}
