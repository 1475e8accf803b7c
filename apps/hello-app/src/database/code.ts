import type { Code } from '../checks/codes.js'
import { type Evidence, networkCode } from '../checks/network-code.js'
import { NotPostgres, PasswordInClear } from './messages.js'

/** SQLSTATE codes, and classes of them (PostgreSQL's manual, appendix A). */
const SQLSTATE: Readonly<Record<string, Code>> = {
  '28': 'db-auth-failed',
  '3D': 'db-unknown-database',
  '57P01': 'db-stopping',
  '57P02': 'db-stopping',
  '57P03': 'db-starting',
  '57P05': 'db-stopping',
  '53300': 'db-busy',
  '57014': 'slow',
}

/** pg's words, which have no code, for messages that it did not expect. */
const NOT_ITS_PROTOCOL = /^(received (invalid|unexpected)|There was an error establishing an SSL connection)/i

/** The code of whatever pg threw. */
export function databaseCode(thrown: unknown, evidence: Evidence): Code {
  if (thrown instanceof PasswordInClear) return 'db-password-in-clear'
  if (thrown instanceof NotPostgres) return 'protocol-error'
  const { code, message } = thrown as { readonly code?: unknown; readonly message?: unknown }
  const text = typeof message === 'string' ? message : ''
  if (NOT_ITS_PROTOCOL.test(text)) return 'protocol-error'
  if (text.startsWith('The server does not support SSL')) return 'tls-missing'
  // Scram: a server that does not know the password either, or a password that is empty.
  if (text.startsWith('SASL')) return 'db-auth-failed'
  const network = networkCode(thrown, evidence)
  if (network !== undefined) return network
  if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code))
    return SQLSTATE[code] ?? SQLSTATE[code.slice(0, 2)] ?? 'db-error'
  return 'failed'
}
