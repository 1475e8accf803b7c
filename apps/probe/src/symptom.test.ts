import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AttemptKind } from '@bulkhead/scenarios'
import { symptomOf, symptomOfHttp } from './symptom.js'
import { deadlineCode, endedCode, Failure, type Phase } from './trace.js'

interface Case {
  readonly code: string
  readonly phase?: Phase
  readonly kind?: AttemptKind
  readonly bytes?: number
  readonly after?: number
  readonly certificate?: 'none'
  readonly message?: string
}

const judge = (c: Case): string =>
  symptomOf(new Failure(c.code, c.message ?? c.code), {
    attempt: {
      kind: c.kind ?? 'http',
      to: { ip: '10.0.0.1' },
      host: '10.0.0.1',
      port: 80,
      ...(c.certificate === undefined ? {} : { certificate: c.certificate }),
    },
    phase: c.phase ?? 'request',
    bytes: c.bytes ?? 0,
    lateResetMs: 900,
    elapsed: () => c.after ?? 3,
    sinceConnect: () => c.after ?? 3,
  })

describe('the symptom of a failure', () => {
  const cases: readonly (readonly [symptom: string, c: Case])[] = [
    ['ok', { code: 'ECONNRESET', bytes: 1 }],
    ['ok', { code: deadlineCode, phase: 'answer', bytes: 1 }],
    ['dns-not-found', { code: 'ENOTFOUND', phase: 'dns' }],
    ['dns-not-found', { code: 'ENODATA', phase: 'dns', kind: 'dns' }],
    // Happy Eyeballs and capture report a name's failure while the phase is still `connect`.
    ['dns-not-found', { code: 'ENOTFOUND', phase: 'connect' }],
    ['dns-refused', { code: 'EREFUSED', phase: 'dns', kind: 'dns' }],
    // getaddrinfo has one word for both: a refusal comes at once.
    ['dns-refused', { code: 'EAI_AGAIN', phase: 'dns' }],
    ['dns-timeout', { code: 'EAI_AGAIN', phase: 'dns', after: 900 }],
    ['dns-timeout', { code: 'EAI_AGAIN', phase: 'connect', after: 5_000 }],
    ['dns-timeout', { code: 'EAI_AGAIN', phase: 'dns', kind: 'dns' }],
    ['dns-timeout', { code: 'ETIMEOUT', phase: 'dns', kind: 'dns' }],
    ['dns-timeout', { code: deadlineCode, phase: 'dns' }],
    ['timeout', { code: deadlineCode, phase: 'connect' }],
    ['timeout', { code: 'ETIMEDOUT', phase: 'connect' }],
    ['timeout', { code: deadlineCode, kind: 'udp' }],
    ['no-answer', { code: deadlineCode }],
    ['no-answer', { code: deadlineCode, phase: 'tls', kind: 'tls' }],
    ['no-answer', { code: 'ETIMEDOUT' }],
    ['refused', { code: 'ECONNREFUSED', phase: 'connect' }],
    ['refused', { code: 'EHOSTUNREACH', phase: 'connect' }],
    ['refused', { code: 'ECONNREFUSED', kind: 'udp' }],
    ['refused', { code: 'ENOENT', phase: 'connect', kind: 'socket' }],
    ['reset', { code: 'ECONNRESET' }],
    ['reset', { code: endedCode }],
    ['reset', { code: 'EPIPE' }],
    ['reset', { code: 'ECONNRESET', after: 899 }],
    ['late-reset', { code: 'ECONNRESET', after: 900 }],
    ['late-reset', { code: endedCode, after: 10_000 }],
    // A deny by ztunnel, or a server name that Cilium does not allow: one to the client, and late if it is late.
    ['reset', { code: 'ECONNRESET', phase: 'tls', kind: 'tls' }],
    ['reset', { code: endedCode, phase: 'tls', kind: 'tls' }],
    ['late-reset', { code: 'ECONNRESET', phase: 'tls', kind: 'tls', after: 900 }],
    [
      'tls-refused',
      { code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', phase: 'tls', kind: 'hbone', certificate: 'none' },
    ],
    ['tls-refused', { code: 'ERR_TLS_CERT_ALTNAME_INVALID', phase: 'tls' }],
    ['tls-refused', { code: 'DEPTH_ZERO_SELF_SIGNED_CERT', phase: 'tls' }],
    ['tls-refused', { code: 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', phase: 'request', kind: 'tls' }],
    ['tls-refused', { code: 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME', phase: 'tls', kind: 'tls' }],
    ['tls-refused', { code: 'EPROTO', message: 'ssl3_read_bytes: SSL alert number 40', phase: 'tls', kind: 'tls' }],
    ['tls-refused', { code: 'ECONNRESET', phase: 'tls', kind: 'hbone', certificate: 'none' }],
    ['tls-refused', { code: endedCode, phase: 'request', kind: 'hbone' }],
    ['reset', { code: 'CONNECT_401', phase: 'request', kind: 'hbone', certificate: 'none' }],
  ]
  for (const [symptom, c] of cases) {
    it(`${JSON.stringify(c)} is ${symptom}`, () => assert.equal(judge(c), symptom))
  }
})

describe('the symptom of an HTTP answer', () => {
  const envoy = { server: 'istio-envoy' }
  const upstream = { ...envoy, 'x-envoy-upstream-service-time': '3' }
  const location = 'http://a.b/'
  const cases: readonly (readonly [symptom: string, status: number, body: string, headers?: Record<string, string>])[] =
    [
      ['ok', 200, 'RBAC: access denied'],
      ['rbac-403', 403, 'RBAC: access denied', envoy],
      ['rbac-403', 403, 'RBAC: access denied'],
      ['cilium-403', 403, 'Access denied\r\n'],
      ['ok', 403, 'access denied'],
      ['ok', 403, ''],
      ['gateway-503', 503, 'upstream connect error or disconnect/reset before headers. reset reason: x', envoy],
      ['gateway-503', 503, 'no healthy upstream', envoy],
      ['gateway-503', 503, 'no healthy upstream'],
      ['ok', 503, 'no healthy upstream', { server: 'nginx' }],
      ['ok', 503, '{"code":503}', envoy],
      ['gateway-404', 404, '', envoy],
      ['ok', 404, ''],
      ['ok', 404, 'not here', envoy],
      ['ok', 404, '', upstream],
      ['gateway-500', 500, '', envoy],
      ['ok', 500, '', upstream],
      ['ok', 500, '{"code":500}', envoy],
      ['ok', 500, ''],
      ['gateway-504', 504, 'upstream request timeout', envoy],
      ['gateway-504', 504, 'upstream request timeout'],
      ['gateway-504', 504, 'stream timeout', envoy],
      ['ok', 504, 'upstream request timeout', { server: 'nginx' }],
      ['gateway-400', 400, 'refused: two Host headers', envoy],
      ['gateway-400', 501, 'refused: Transfer-Encoding "gzip"', envoy],
      ['ok', 400, 'refused: two Host headers', upstream],
      ['ok', 400, 'refused: two Host headers'],
      ['ok', 504, '', envoy],
      ...[301, 302, 303, 307, 308].map((status) => ['redirected', status, '', { ...envoy, location }] as const),
      ['ok', 300, '', { ...envoy, location }],
      ['ok', 304, '', envoy],
      ['ok', 302, '', envoy],
      ['ok', 302, '', { ...upstream, location }],
      ['ok', 302, '', { location }],
      // What a gateway passes on of a waypoint behind it is denied all the same.
      ['rbac-403', 403, 'RBAC: access denied', upstream],
      ['gateway-503', 503, 'no healthy upstream', upstream],
    ]
  for (const [symptom, status, body, headers = {}] of cases) {
    it(`${status} ${JSON.stringify(body)} ${JSON.stringify(headers)} is ${symptom}`, () => {
      assert.equal(symptomOfHttp({ status, body, headers }), symptom)
    })
  }
})
