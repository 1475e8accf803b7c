import assert from 'node:assert/strict'
import { createServer as createHttps } from 'node:https'
import type { Socket } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { createServer, type TlsOptions } from 'node:tls'
import type { Observation, ResolvedAttempt } from '@bulkhead/scenarios'
import { makeAttempt } from '../attempt.js'
import { meshCa } from '../testing/mesh-ca.js'
import { listen, onRequest, tcpServer } from '../testing/servers.js'

const { issue } = await meshCa()
const { certificate: cert, key } = await issue('spiffe://test/outside')

function attempt(port: number, changes: Partial<ResolvedAttempt> = {}): Promise<Observation> {
  return makeAttempt({
    kind: 'tls',
    to: { host: 'a.example' },
    host: '127.0.0.1',
    port,
    tls: { sni: 'a.example' },
    timeoutMs: 2000,
    ...changes,
  })
}

async function tlsServer(t: TestContext, options: TlsOptions, asked: string[] = []): Promise<number> {
  const SNICallback: TlsOptions['SNICallback'] = (name, done) => {
    asked.push(name)
    done(null)
  }
  const server = createServer({ cert, key, ...options, SNICallback }, (socket) => void socket.on('error', () => {}))
  server.on('tlsClientError', () => {})
  return listen(t, server)
}

describe('a TLS attempt', () => {
  it('names the host that it was told to, and calls the handshake an answer', async (t) => {
    const asked: string[] = []
    const seen = await attempt(await tlsServer(t, {}, asked), { tls: { sni: 'lying.example' } })
    assert.equal(seen.symptom, 'ok')
    assert.deepEqual(asked, ['lying.example'])
    assert.equal(seen.detail?.names, 'URI:spiffe://test/outside')
    assert.ok(seen.bytes > 0)
    assert.ok(Number(seen.timings.tls) >= Number(seen.timings.connect))
  })

  it('makes its request inside', async (t) => {
    const server = createHttps({ cert, key }, (request, response) => void response.end(`at ${request.url}`))
    const seen = await attempt(await listen(t, server), { http: { method: 'GET', path: '/x' } })
    assert.deepEqual([seen.symptom, seen.http?.body], ['ok', 'at /x'])
  })

  it('sees the alert of a server that wants a certificate', async (t) => {
    const port = await tlsServer(t, { requestCert: true, rejectUnauthorized: true, maxVersion: 'TLSv1.2' })
    const seen = await attempt(port)
    assert.deepEqual([seen.symptom, seen.phase, seen.bytes], ['tls-refused', 'tls', 0])
    assert.match(seen.error?.code ?? '', /ALERT/)
  })

  const failures: readonly [name: string, serve: (socket: Socket) => void, sees: readonly unknown[]][] = [
    ['a reset on the ClientHello', onRequest((socket) => socket.resetAndDestroy()), ['reset', 'tls', 0]],
    ['an end on the ClientHello', onRequest((socket) => socket.end()), ['reset', 'tls', 0]],
    ['silence', () => {}, ['no-answer', 'tls', 0]],
    [
      'a server that speaks no TLS',
      onRequest((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
      ['ok', 'tls', 28],
    ],
  ]
  for (const [name, serve, sees] of failures) {
    it(`sees ${name}`, async (t) => {
      const seen = await attempt(await tcpServer(t, serve), { timeoutMs: 300 })
      assert.deepEqual([seen.symptom, seen.phase, seen.bytes], sees)
      assert.ok(seen.error)
    })
  }
})
