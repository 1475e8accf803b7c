import type { Observation } from '@bulkhead/scenarios'
import type { Symptom } from '@bulkhead/verdict'
import { deadlineCode, type Failure, type Trace } from './trace.js'

const nameless = new Set(['ENOTFOUND', 'ENODATA', 'ENONAME', 'EAI_NODATA'])
const nameRefused = new Set(['EREFUSED', 'ESERVFAIL'])
/** What getaddrinfo says for a refusal and for silence alike, and what c-ares says for silence. */
const nameAgain = 'EAI_AGAIN'
const nameSilent = 'ETIMEOUT'
const never = new Set([deadlineCode, 'ETIMEDOUT'])
/** What `connect` answers at once. An unreachable host and a closed door are one exit code to curl (7). */
const refused = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENOENT', 'EACCES', 'EPERM'])

/** A TLS alert that the far side sent. OpenSSL's names differ by version; all but one say ALERT. */
export function isTlsAlert(failure: Failure): boolean {
  return /ALERT|UNRECOGNIZED_NAME/.test(failure.code) || /alert number \d+/.test(failure.message)
}

/** A certificate that the client does not take: OpenSSL's words for why, and Node's for another name in it. */
export function isUntrusted({ code }: Failure): boolean {
  return /^(CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|ERR_TLS_CERT_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)/.test(
    code,
  )
}

/** The symptom of an attempt that failed, from how far it had come. In the order in which a connection can fail. */
export function symptomOf(
  failure: Failure,
  trace: Pick<Trace, 'attempt' | 'phase' | 'bytes' | 'lateResetMs' | 'elapsed' | 'sinceConnect'>,
): Symptom {
  const { phase, attempt } = trace
  // Half an answer is an answer: the caller was let in, whatever happened to the rest.
  if (trace.bytes > 0) return 'ok'

  if (nameless.has(failure.code)) return 'dns-not-found'
  if (nameRefused.has(failure.code)) return 'dns-refused'
  if (failure.code === nameSilent) return 'dns-timeout'
  // A refusal comes at once; silence ends when the resolver gives up.
  if (failure.code === nameAgain)
    return attempt.kind === 'dns' || trace.elapsed() >= trace.lateResetMs ? 'dns-timeout' : 'dns-refused'
  if (phase === 'dns') return never.has(failure.code) ? 'dns-timeout' : 'dns-refused'

  // A datagram that nobody answers looks like a SYN that nobody answers.
  if (never.has(failure.code)) return phase === 'connect' || attempt.kind === 'udp' ? 'timeout' : 'no-answer'
  if (refused.has(failure.code)) return 'refused'

  if (isTlsAlert(failure) || isUntrusted(failure)) return 'tls-refused'
  // A server may close without an alert on a certificate that it does not accept, or on plain text; before its first
  // frame nothing else closes a connection to the HBONE port.
  if (attempt.kind === 'hbone' && (phase === 'tls' || attempt.certificate === undefined)) return 'tls-refused'
  // On a ClientHello too: who sent the reset, a ztunnel that denies or a rule on server names, no client can tell.
  return trace.sinceConnect() >= trace.lateResetMs ? 'late-reset' : 'reset'
}

type HttpAnswer = NonNullable<Observation['http']>

const envoys = new Set(['envoy', 'istio-envoy'])

const redirects = new Set([301, 302, 303, 307, 308])

/**
 * Whether an HTTP answer is a proxy's own. Envoy's RBAC filter and Cilium's say 403 with a body of their own; a gateway
 * says 503 and 504 in fixed sentences, 404 without a body when no route matches, 500 without one when a route leads
 * nowhere, and redirects where a route says so. A waypoint may leave `server` out, so where the body is telling, the
 * header is only asked not to contradict it. Where it is not, `server` alone does not tell: a gateway puts its own name
 * over the application's. What came from an upstream says how long that took.
 */
export function symptomOfHttp(answer: HttpAnswer): Symptom {
  const body = answer.body.trim()
  const server = answer.headers.server?.toLowerCase()
  if (answer.status === 403 && body === 'RBAC: access denied') return 'rbac-403'
  if (answer.status === 403 && body === 'Access denied') return 'cilium-403'
  if (answer.status === 503 && /^(upstream connect error or disconnect|no healthy upstream)/.test(body)) {
    return server === undefined || envoys.has(server) ? 'gateway-503' : 'ok'
  }
  if (answer.status === 504 && (body === 'upstream request timeout' || body === 'stream timeout')) {
    return server === undefined || envoys.has(server) ? 'gateway-504' : 'ok'
  }
  const own =
    server !== undefined && envoys.has(server) && answer.headers['x-envoy-upstream-service-time'] === undefined
  if (!own) return 'ok'
  // The local target's gateway says so; Envoy answers the same with bodies that differ by version.
  if (answer.status >= 400 && body.startsWith('refused: ')) return 'gateway-400'
  if (body !== '') return 'ok'
  if (answer.status === 404) return 'gateway-404'
  if (answer.status === 500) return 'gateway-500'
  return redirects.has(answer.status) && answer.headers.location !== undefined ? 'redirected' : 'ok'
}
