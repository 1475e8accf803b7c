import type { Code } from './codes.js'

/** How far a connection came, and what was heard on it. */
export interface Evidence {
  /** What was being waited for. */
  phase: 'name' | 'connect' | 'handshake' | 'answer'
  /** Whether the peer sent a byte. */
  heard: boolean
  /** Since the connection opened, or since the dial while it has not. */
  waitedMs: number
}

/**
 * From here on a reset is a late one, and a failed name resolution one that nobody answered. A refusal takes one round
 * trip, some 300 ms around the world; the mesh gives up dialling after 10 s on a cluster, and after 1 s on a laptop.
 */
export const LATE_MS = 500

interface NetError {
  readonly code?: unknown
  readonly name?: unknown
  readonly message?: unknown
  readonly errors?: readonly unknown[]
}

const RESET = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'UND_ERR_SOCKET'])
/** OpenSSL's words for what it found in a certificate, as Node hands them on. */
const UNTRUSTED =
  /^(ERR_TLS_CERT|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_(CA|PURPOSE)|PATH_LENGTH_)/

const ERRNO: Readonly<Record<string, Code>> = {
  EREFUSED: 'dns-refused',
  ETIMEOUT: 'dns-timeout',
  ENOTFOUND: 'dns-not-found',
  ENODATA: 'dns-not-found',
  ECONNREFUSED: 'refused',
  ENOENT: 'refused', // a unix socket that is not there
  EHOSTUNREACH: 'no-route',
  ENETUNREACH: 'no-route',
  EADDRNOTAVAIL: 'no-route',
  EACCES: 'no-route',
  EPERM: 'no-route',
  ETIMEDOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_OVERFLOW: 'protocol-error',
  EPROTO: 'protocol-error',
}

/** The code of a connection that failed; undefined for an error that is none of the network's. */
export function networkCode(thrown: unknown, evidence: Evidence): Code | undefined {
  const error = last(thrown)
  const code = typeof error.code === 'string' ? error.code : ''
  const message = typeof error.message === 'string' ? error.message : ''
  // getaddrinfo has one word for "refused" and for "no answer". Only the time tells them apart.
  if (code === 'EAI_AGAIN') return evidence.waitedMs < LATE_MS ? 'dns-refused' : 'dns-timeout'
  if (RESET.has(code) || message.startsWith('Connection terminated')) return resetCode(evidence)
  if (UNTRUSTED.test(code)) return 'tls-untrusted'
  // OpenSSL's names for the alerts that a peer sends.
  if (/^ERR_SSL_(SSLV3_ALERT|TLSV1|TLSV13)_/.test(code)) return 'tls-refused'
  if (code.startsWith('ERR_SSL_') || code.startsWith('HPE_') || error.name === 'HTTPParserError')
    return 'protocol-error'
  return ERRNO[code]
}

/** The code of a connection that was given up at the check's deadline. */
export function deadlineCode({ phase, heard }: Evidence): Code {
  if (phase === 'name') return 'dns-timeout'
  return heard ? 'slow' : 'timeout'
}

function resetCode({ phase, heard, waitedMs }: Evidence): Code {
  if (!heard && waitedMs >= LATE_MS) return 'late-reset'
  return phase === 'handshake' ? 'tls-reset' : 'reset'
}

/** Node tries a name's addresses in turn, and reports all failures: the last one is as good as any. */
function last(thrown: unknown): NetError {
  const error = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as NetError
  const inner = Array.isArray(error.errors) ? (error.errors.at(-1) as NetError | undefined) : undefined
  return inner ?? error
}
