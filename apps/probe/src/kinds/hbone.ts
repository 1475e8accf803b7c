import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { exchange, open } from '../connection.js'
import { asFailure, endedCode, Failure, type Trace } from '../trace.js'
import type { Kind } from './kind.js'
import { textOf } from './tcp.js'
import { handshake } from './tls.js'

const defaultHbonePort = 15008
/** How long the server's first frame is waited for before ours are sent. */
const firstFrameMs = 300

/** The HBONE port, dialled past the mesh: TLS with whatever certificate the attempt says, then CONNECT for the target. */
export const hbone: Kind = async (trace) => {
  const { attempt } = trace
  const raw = await open(trace, { host: attempt.host, port: attempt.hbonePort ?? defaultHbonePort })
  if (attempt.certificate === undefined) {
    const { answer, cut } = await exchange(trace, raw, textOf(attempt))
    if (answer[0] !== 0x15 || answer[1] !== 0x03) return { detail: { text: answer.toString('utf8') }, cut, open: raw }
    // The TLS record of an alert: level and description. Not a byte of it is the application's.
    trace.bytes = 0
    throw new Failure('TLS_ALERT', `TLS alert ${answer[6] ?? 'cut short'} in answer to plaintext`)
  }
  const { forge } = await import('../certificates.js')
  const shown = await forge(attempt)
  const secure = await handshake(trace, raw, { ...shown, ALPNProtocols: ['h2'], minVersion: 'TLSv1.3' })
  await accepted(trace, secure)
  trace.phase = 'request'
  const session = connect(`https://${attempt.host}`, { createConnection: () => secure })
  session.on('error', () => {})
  try {
    const tunnel = await connectTo(trace, session, `${attempt.host}:${attempt.port}`)
    const { answer, cut } = await exchange(trace, tunnel, textOf(attempt))
    return { detail: { connect: 200, text: answer.toString('utf8') }, cut, open: tunnel }
  } catch (error) {
    session.destroy()
    throw error
  }
}

/**
 * In TLS 1.3 a client's handshake is over before the server has looked at its certificate, so the refusal comes as the
 * first thing that is read. Nothing is sent until then: on a connection with unread data the alert could be lost to a
 * reset.
 */
function accepted(trace: Trace, secure: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: unknown): void => {
      clearTimeout(timer)
      trace.signal.removeEventListener('abort', late)
      secure.off('readable', ready).off('error', done).off('end', ended).off('close', ended)
      if (error === undefined) resolve()
      else reject(asFailure(error))
    }
    const ready = (): void => {
      // At the end of a stream `readable` is told too, with nothing to read.
      if (secure.readableLength > 0) done()
    }
    const ended = (): void => done(new Failure(endedCode, 'the far side closed the connection after the handshake'))
    const late = (): void => done(trace.signal.reason)
    const timer = setTimeout(() => done(), firstFrameMs)
    trace.signal.addEventListener('abort', late, { once: true })
    secure.on('readable', ready).on('error', done).on('end', ended).on('close', ended)
  })
}

function connectTo(trace: Trace, session: ClientHttp2Session, authority: string): Promise<ClientHttp2Stream> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':method': 'CONNECT', ':authority': authority }, { endStream: false })
    const late = (): void => fail(trace.signal.reason)
    const fail = (error: unknown): void => {
      trace.signal.removeEventListener('abort', late)
      reject(asFailure(error))
    }
    trace.signal.addEventListener('abort', late, { once: true })
    session.once('error', fail)
    session.once('close', () => fail(new Failure(endedCode, 'the far side closed the HTTP/2 session')))
    stream.once('error', fail)
    stream.once('close', () => fail(new Failure(endedCode, 'the far side closed the stream')))
    stream.once('response', (headers) => {
      trace.signal.removeEventListener('abort', late)
      const status = Number(headers[':status'])
      // ztunnel says 401 for a policy, 400 for a target that is not this pod.
      if (status === 200) resolve(stream)
      else fail(new Failure(`CONNECT_${status}`, `CONNECT ${authority} was answered ${status}`))
    })
  })
}
