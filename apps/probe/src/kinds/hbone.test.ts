import assert from 'node:assert/strict'
import { createSecureServer } from 'node:http2'
import { describe, it, type TestContext } from 'node:test'
import type { TLSSocket } from 'node:tls'
import type { Observation, ResolvedAttempt } from '@bulkhead/scenarios'
import { makeAttempt } from '../attempt.js'
import { otherDomain } from '../certificates.js'
import { meshCa } from '../testing/mesh-ca.js'
import { listen, onRequest, tcpServer } from '../testing/servers.js'

const mesh = await meshCa()
const identity = 'spiffe://cluster.local/ns/shop/sa/sleep'
const server = await mesh.issue('spiffe://cluster.local/ns/shop/sa/web-api')

interface Port {
  readonly port: number
  /** `:authority` of each CONNECT that was let in, and who opened it. */
  readonly tunnels: string[]
  /** Why handshakes failed. */
  readonly refused: string[]
  /** What unverified clients showed. */
  readonly shown: string[]
}

/** A pod's HBONE port, as far as a caller sees it. `lax` takes every certificate and notes what it names. */
async function hbonePort(t: TestContext, { status = 200, lax = false } = {}): Promise<Port> {
  const tunnels: string[] = []
  const refused: string[] = []
  const shown: string[] = []
  const http2 = createSecureServer({
    cert: server.certificate,
    key: server.key,
    ca: mesh.root,
    requestCert: true,
    rejectUnauthorized: !lax,
    minVersion: 'TLSv1.3',
  })
  http2.on('tlsClientError', (error: NodeJS.ErrnoException) => refused.push(error.code ?? error.message))
  http2.on('stream', (stream, headers) => {
    const socket = stream.session?.socket as TLSSocket
    const peer = socket.getPeerCertificate()
    shown.push(`${peer.subjectaltname} ${socket.authorizationError ?? 'verified'}`)
    tunnels.push(String(headers[':authority']))
    stream.on('error', () => {})
    stream.respond({ ':status': status }, { endStream: status !== 200 })
    if (status === 200) stream.once('data', () => stream.end('HTTP/1.1 200 OK\r\n\r\nhello'))
  })
  return { port: await listen(t, http2), tunnels, refused, shown }
}

function attempt(port: number, changes: Partial<ResolvedAttempt>): Promise<Observation> {
  return makeAttempt({
    kind: 'hbone',
    to: { workload: 'shop/web-api' },
    host: '127.0.0.1',
    port: 8080,
    hbonePort: port,
    claim: identity,
    timeoutMs: 3000,
    ...changes,
  })
}

describe('an attempt at the HBONE port', () => {
  it('gets through with a certificate that is good, so that the others fail for what they show', async (t) => {
    const { port, tunnels } = await hbonePort(t)
    const material = await mesh.issue(identity)
    const seen = await attempt(port, { certificate: 'expired', material })
    assert.deepEqual([seen.symptom, seen.detail?.text], ['ok', 'HTTP/1.1 200 OK\r\n\r\nhello'])
    assert.deepEqual(tunnels, ['127.0.0.1:8080'])
  })

  const forged: readonly [certificate: NonNullable<ResolvedAttempt['certificate']>, refused: RegExp][] = [
    ['none', /PEER_DID_NOT_RETURN_A_CERTIFICATE/],
    ['self-signed', /SELF_SIGNED|UNABLE_TO|ECONNRESET/],
    ['other-domain', /UNABLE_TO|ECONNRESET/],
    ['expired', /CERT_HAS_EXPIRED|ECONNRESET/],
    // Up to OpenSSL 3.4, and from 3.5 (Node 22) on.
    ['stolen', /^ERR_SSL_(BAD_SIGNATURE|PROVIDER_SIGNATURE_FAILURE)$/],
  ]
  for (const [certificate, why] of forged) {
    it(`is refused with a certificate that is ${certificate}`, async (t) => {
      const { port, tunnels, refused } = await hbonePort(t)
      const lasts = certificate === 'expired' ? { from: -3, to: -2 } : undefined
      const { certificate: pem, key } = await mesh.issue(identity, lasts)
      const material = certificate === 'stolen' ? { certificate: pem } : { certificate: pem, key }
      const seen = await attempt(port, { certificate, material })
      assert.deepEqual([seen.symptom, seen.phase, seen.bytes], ['tls-refused', 'tls', 0])
      assert.deepEqual(tunnels, [])
      assert.match(refused.join(), why)
    })
  }

  const named: readonly [certificate: 'self-signed' | 'other-domain', shown: RegExp][] = [
    ['self-signed', /^URI:spiffe:\/\/cluster.local\/ns\/shop\/sa\/sleep DEPTH_ZERO_SELF_SIGNED_CERT$/],
    ['other-domain', new RegExp(`^URI:spiffe://${otherDomain}/ns/shop/sa/sleep UNABLE_TO_VERIFY_LEAF_SIGNATURE$`)],
  ]
  for (const [certificate, what] of named) {
    it(`claims an identity in a ${certificate} certificate`, async (t) => {
      const { port, shown } = await hbonePort(t, { lax: true })
      const seen = await attempt(port, { certificate })
      assert.equal(seen.symptom, 'ok')
      assert.match(shown.join(), what)
    })
  }

  it('is a reset to the caller when the tunnel is denied', async (t) => {
    const { port } = await hbonePort(t, { status: 401 })
    const seen = await attempt(port, { certificate: 'expired', material: await mesh.issue(identity) })
    assert.deepEqual([seen.symptom, seen.phase, seen.bytes, seen.error?.code], ['reset', 'request', 0, 'CONNECT_401'])
  })

  it('is refused in plain text, whether the server says so in an alert or just closes', async (t) => {
    const alert = Buffer.from('15030300020232', 'hex')
    for (const last of [alert, Buffer.alloc(0)]) {
      const port = await tcpServer(
        t,
        onRequest((socket) => socket.end(last)),
      )
      const seen = await attempt(port, {})
      assert.deepEqual([seen.symptom, seen.bytes], ['tls-refused', 0])
    }
    const { port, tunnels } = await hbonePort(t)
    assert.equal((await attempt(port, {})).symptom, 'tls-refused')
    assert.deepEqual(tunnels, [])
  })

  it('gets through in plain text where no TLS is asked for', async (t) => {
    const port = await tcpServer(
      t,
      onRequest((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n')),
    )
    const seen = await attempt(port, {})
    assert.deepEqual([seen.symptom, seen.bytes], ['ok', 19])
  })

  it('cannot be made without what it is to be made with', async (t) => {
    const { port } = await hbonePort(t)
    await assert.rejects(attempt(port, { certificate: 'stolen' }), /needs "material"/)
    await assert.rejects(attempt(port, { certificate: 'expired', material: { certificate: 'PEM' } }), /its key/)
  })
})
