import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { Observation, ResolvedAttempt } from '@bulkhead/scenarios'
import { temporaryFolder, wholeSuite } from '@bulkhead/testing'
import { makeAttempt } from '../attempt.js'
import { meshCa } from '../testing/mesh-ca.js'
import { listen, onRequest, tcpServer } from '../testing/servers.js'

const { root, issue } = await meshCa()
const folder = temporaryFolder(wholeSuite())
const trusted = join(folder, 'ca.pem')
await writeFile(trusted, root)

const main = join(import.meta.dirname, '../main.js')

/** In a process of its own: which authorities Node trusts is settled at its start. */
async function attempt(port: number, tls: ResolvedAttempt['tls'], trust = true): Promise<Observation> {
  const env = { PATH: process.env.PATH, ...(trust ? { NODE_EXTRA_CA_CERTS: trusted } : {}) }
  const child = spawn(process.execPath, [main, 'attempt'], { env })
  const resolved: ResolvedAttempt = {
    kind: 'http',
    to: { host: 'localhost' },
    host: 'localhost',
    port,
    timeoutMs: 4000,
    http: { method: 'GET', path: '/x' },
    ...(tls === undefined ? {} : { tls }),
  }
  child.stdin.end(JSON.stringify(resolved))
  let out = ''
  child.stdout.on('data', (chunk) => (out += String(chunk)))
  await once(child, 'close')
  return JSON.parse(out) as Observation
}

interface Asked {
  readonly name: string | undefined
  readonly path: string | undefined
  readonly host: string | undefined
}

async function site(t: TestContext, name: string, asked: Asked[] = []): Promise<number> {
  const { certificate, key } = await issue(name)
  const server = createServer({ cert: certificate, key }, (request, response) => {
    const { servername } = request.socket as Socket & { servername?: string }
    asked.push({ name: servername, path: request.url, host: request.headers.host })
    response.end('inside')
  })
  server.on('tlsClientError', () => {})
  return listen(t, server)
}

describe('an HTTPS attempt', () => {
  it('asks inside of TLS, for the name that it dials, of a server that shows a certificate for it', async (t) => {
    const asked: Asked[] = []
    const port = await site(t, 'localhost', asked)
    const seen = await attempt(port, {})
    assert.deepEqual([seen.symptom, seen.http?.status, seen.http?.body], ['ok', 200, 'inside'])
    assert.deepEqual(asked, [{ name: 'localhost', path: '/x', host: `localhost:${port}` }])
    assert.ok(Number(seen.timings.tls) >= Number(seen.timings.connect))
  })

  it('does not take a certificate that nobody it trusts has signed, nor one of another name', async (t) => {
    const stranger = await attempt(await site(t, 'localhost'), {}, false)
    assert.deepEqual([stranger.symptom, stranger.phase, stranger.bytes], ['tls-refused', 'tls', 0])
    assert.match(stranger.error?.code ?? '', /^UNABLE_TO_|^SELF_SIGNED_/)
    const other = await attempt(await site(t, 'other.example'), {})
    assert.deepEqual([other.symptom, other.error?.code], ['tls-refused', 'ERR_TLS_CERT_ALTNAME_INVALID'])
  })

  it('takes any when it is told to', async (t) => {
    const seen = await attempt(await site(t, 'other.example'), { insecure: true }, false)
    assert.deepEqual([seen.symptom, seen.http?.body], ['ok', 'inside'])
  })

  it('that lies about the name wants the certificate of the name that it sent', async (t) => {
    const asked: Asked[] = []
    const believed = await attempt(await site(t, 'other.example', asked), { sni: 'other.example' })
    assert.equal(believed.symptom, 'ok')
    assert.equal(asked[0]?.name, 'other.example')
    const caught = await attempt(await site(t, 'localhost'), { sni: 'other.example' })
    assert.deepEqual([caught.symptom, caught.error?.code], ['tls-refused', 'ERR_TLS_CERT_ALTNAME_INVALID'])
  })

  const failures: readonly [name: string, serve: (socket: Socket) => void, sees: readonly unknown[]][] = [
    ['a reset on the ClientHello', onRequest((socket) => socket.resetAndDestroy()), ['reset', 'tls', 0]],
    ['an end on the ClientHello', onRequest((socket) => socket.end()), ['reset', 'tls', 0]],
    ['silence', () => {}, ['no-answer', 'tls', 0]],
    ['a server that speaks no TLS', onRequest((socket) => socket.end('HTTP/1.1 400 Bad\r\n\r\n')), ['ok', 'tls', 20]],
  ]
  for (const [name, serve, sees] of failures) {
    it(`sees ${name}`, async (t) => {
      const port = await tcpServer(t, serve)
      const to = { ip: '127.0.0.1' }
      const seen = await makeAttempt({ kind: 'http', to, host: '127.0.0.1', port, tls: {}, timeoutMs: 300 })
      assert.deepEqual([seen.symptom, seen.phase, seen.bytes], sees)
    })
  }

  it('sends no name with an address', async (t) => {
    const asked: Asked[] = []
    const port = await site(t, 'localhost', asked)
    const to = { ip: '127.0.0.1' }
    const seen = await makeAttempt({ kind: 'http', to, host: '127.0.0.1', port, tls: { insecure: true } })
    assert.equal(seen.symptom, 'ok')
    assert.ok(asked[0]?.name === undefined || asked[0].name === '' || (asked[0].name as unknown) === false)
  })
})
