import type { Duplex } from 'node:stream'
import { exchange, open } from '../connection.js'
import { asFailure } from '../trace.js'
import type { Kind } from './kind.js'
import { handshake } from './tls.js'

const sslRequestCode = 80877103
const protocol3 = 196608

/** Without a login to make: SSLRequest, TLS if the server wants it, then StartupMessage; reports the type of the reply. */
export const postgres: Kind = async (trace) => {
  if (trace.attempt.postgres !== undefined) {
    const { login } = await import('./postgres-login.js')
    return login(trace, trace.attempt.postgres)
  }
  const raw = await open(trace, { host: trace.attempt.host, port: trace.attempt.port })
  const asked = await exchange(trace, raw, sslRequest(), (got) => got.length >= 1)
  const ssl = asked.answer.toString('latin1', 0, 1)
  // Any other byte is not PostgreSQL, or one older than SSL: an error message in the old form.
  if (ssl !== 'S' && ssl !== 'N') return { detail: { ssl }, cut: asked.cut, open: raw }
  let stream: Duplex = raw
  if (ssl === 'S') stream = await handshake(trace, raw, {})
  trace.phase = 'answer'
  try {
    const { answer, cut } = await exchange(trace, stream, startup('probe', 'postgres'), whole)
    return { detail: { ssl, ...replyOf(answer) }, cut, open: stream }
  } catch (error) {
    // The server spoke, and then closed.
    return { detail: { ssl }, cut: asFailure(error), open: stream }
  }
}

function sslRequest(): Buffer {
  const message = Buffer.alloc(8)
  message.writeInt32BE(8, 0)
  message.writeInt32BE(sslRequestCode, 4)
  return message
}

function startup(user: string, database: string): Buffer {
  const body = Buffer.from(`user\0${user}\0database\0${database}\0\0`, 'latin1')
  const head = Buffer.alloc(8)
  head.writeInt32BE(8 + body.length, 0)
  head.writeInt32BE(protocol3, 4)
  return Buffer.concat([head, body])
}

/** A backend message is a type byte, a length that counts itself, and the body. */
function whole(got: Buffer): boolean {
  return got.length >= 5 && got.length >= 1 + got.readInt32BE(1)
}

const authentication: Readonly<Record<number, string>> = { 0: 'ok', 3: 'cleartext', 5: 'md5', 10: 'sasl' }

function replyOf(message: Buffer): Record<string, unknown> {
  const reply = message.toString('latin1', 0, 1)
  if (reply === 'R' && message.length >= 9) {
    const code = message.readInt32BE(5)
    return { reply, authentication: authentication[code] ?? code }
  }
  if (reply !== 'E') return { reply }
  const fields: Record<string, string> = {}
  for (const field of message.toString('utf8', 5).split('\0')) {
    if (field.length > 1) fields[field.slice(0, 1)] = field.slice(1)
  }
  return { reply, sqlstate: fields.C, message: fields.M }
}
