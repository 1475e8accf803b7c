import assert from 'node:assert/strict'
import { lookup as systemLookup } from 'node:dns'
import type { Socket } from 'node:net'
import { before, type TestContext, test } from 'node:test'
import { cleanUp, eventually } from '@bulkhead/testing'
import fc from 'fast-check'
import { createTestCa, type TestCa } from '../testing/certificates.js'
import {
  answering,
  closedPort,
  failingLookup,
  here,
  type TestServer,
  tcpServer,
  tlsServer,
} from '../testing/servers.js'
import type { Outcome } from './check.js'
import { codes } from './codes.js'
import { LATE_MS } from './network-code.js'
import { type OutsideOptions, outsideCheck } from './outside.js'
import { cloudflare, github, outsideHosts } from './outside-hosts.js'

const HOST = 'api.github.com'
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'
let authority: TestCa

before(async () => {
  authority = await createTestCa()
})

const ask = (server: { readonly port: number }, options: Partial<OutsideOptions> = {}): Promise<Outcome> =>
  outsideCheck({
    id: 'github',
    name: 'GitHub API',
    host: HOST,
    path: '/',
    judge: github,
    port: server.port,
    ca: authority.ca,
    lookup: here,
    ...options,
  }).run()

const speaking = async (t: TestContext, onSocket: (socket: Socket) => void): Promise<TestServer> =>
  tlsServer(t, await authority.issue(HOST), onSocket)

/** What came of it, and that it came in time and left no connection. */
async function codeOf(server: TestServer, options: Partial<OutsideOptions> = {}): Promise<string> {
  const { timeoutMs = 3_000 } = options
  const started = performance.now()
  const { code } = await ask(server, options)
  const took = performance.now() - started
  // Whoever it asks would go on for ever: its own deadline ended it, or it had its answer before.
  assert.ok(took < timeoutMs + 5_000, `${code} took ${took} ms`)
  await eventually('its connection is closed', () => server.open() === 0)
  return code
}

test('an answer over verified TLS: the request that the contract names, and nothing kept', async (t) => {
  let asked = ''
  const server = await speaking(t, (socket) =>
    socket.once('data', (data) => {
      asked = data.toString()
      socket.write(OK)
    }),
  )
  assert.deepEqual(await ask(server), { code: 'connected', status: 200 })
  assert.match(asked, /^GET \/ HTTP\/1\.1\r\n/)
  assert.match(asked, new RegExp(`^host: ${HOST.replaceAll('.', '\\.')}(:\\d+)?\r$`, 'im'))
  assert.match(asked, /^user-agent: hello-app\/1\.0\r$/m)
  await eventually('the connection is not kept', () => server.open() === 0)
  assert.equal(server.taken(), 1)
})

test('the two hosts, and what each status means there', () => {
  assert.deepEqual(
    outsideHosts.map(({ host, port, path, lookup, ca }) => [host, port, path, lookup, ca]),
    [
      ['api.github.com', 443, '/', undefined, undefined],
      ['api.cloudflare.com', 443, '/client/v4/', undefined, undefined],
    ],
  )
  const all = [200, 204, 301, 400, 401, 403, 404, 429, 500]
  assert.deepEqual(all.map(github), [
    'connected',
    ...[undefined, undefined, undefined, undefined],
    'limited',
    undefined,
    'limited',
    undefined,
  ])
  assert.deepEqual(all.map(cloudflare), [
    'connected',
    'connected',
    undefined,
    'connected',
    'connected',
    'connected',
    undefined,
    undefined,
    undefined,
  ])
})

test('a status that was not expected is told; a redirect is one, and is not followed', async (t) => {
  const other = await tcpServer(t, () => {})
  const server = await speaking(
    t,
    answering(`HTTP/1.1 302 Found\r\nlocation: https://127.0.0.1:${other.port}/\r\ncontent-length: 0\r\n\r\n`),
  )
  assert.deepEqual(await ask(server), { code: 'status-unexpected', status: 302 })
  assert.equal(other.taken(), 0)
  const failing = await speaking(t, answering('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n'))
  assert.deepEqual(await ask(failing), { code: 'status-unexpected', status: 502 })
})

test('an answer without an end is cut: its head has said what there is to know', async (t) => {
  let sent = 0
  const server = await speaking(t, (socket) =>
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10737418240\r\n\r\n')
      const pour = () => {
        while (!socket.destroyed && socket.write(Buffer.alloc(16 * 1024))) sent += 16 * 1024
        if (!socket.destroyed) socket.once('drain', pour)
      }
      pour()
    }),
  )
  assert.equal(await codeOf(server), 'connected')
  assert.ok(sent < 8 * 1024 * 1024, `${sent} bytes were taken, most of them into the system's buffers`)
})

test('a head without an end, in one flood or a byte at a time', async (t) => {
  const flood = await speaking(t, (socket) =>
    socket.once('data', () => socket.write(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(64 * 1024)}`)),
  )
  assert.equal(await codeOf(flood), 'protocol-error')
  const trickle = await speaking(t, (socket) => {
    const timer = setInterval(() => socket.write('H'), 20)
    socket.once('close', () => clearInterval(timer))
    socket.write('HTTP/1.1 200 OK\r\nx-')
  })
  assert.equal(await codeOf(trickle, { timeoutMs: 300 }), 'slow')
})

test('garbage inside TLS, and in its place', async (t) => {
  assert.equal(await codeOf(await speaking(t, answering('\0\x01\x02 this is not HTTP\r\n\r\n'))), 'protocol-error')
  assert.equal(await codeOf(await tcpServer(t, answering('HTTP/1.1 200 OK\r\n\r\n'))), 'protocol-error')
  assert.equal(await codeOf(await tcpServer(t, answering('SSH-2.0-OpenSSH_9.2\r\n'))), 'protocol-error')
})

test('a reset on the ClientHello, at once: a rule on TLS server names; a FIN is the same', async (t) => {
  const reset = await tcpServer(t, (socket) => socket.once('data', () => socket.resetAndDestroy()))
  assert.equal(await codeOf(reset), 'tls-reset')
  const closed = await tcpServer(t, (socket) => socket.once('data', () => socket.destroy()))
  assert.equal(await codeOf(closed), 'tls-reset')
  assert.equal(reset.taken() + closed.taken(), 2, 'a check dials once')
})

test('a reset after a wait, without a byte: a dropped packet behind the mesh', async (t) => {
  const server = await tcpServer(t, (socket) => {
    setTimeout(() => socket.resetAndDestroy(), LATE_MS + 100)
  })
  assert.equal(await codeOf(server), 'late-reset')
})

test('a connection that opens and stays silent, until the deadline', async (t) => {
  assert.equal(await codeOf(await tcpServer(t, () => {}), { timeoutMs: 200 }), 'timeout')
  const silent = await speaking(t, () => {})
  assert.equal(await codeOf(silent, { timeoutMs: 300 }), 'slow', 'the handshake was an answer')
})

test('a reset after the handshake', async (t) => {
  const server = await speaking(t, (socket) => socket.once('data', () => socket.destroy()))
  assert.equal(await codeOf(server), 'reset')
})

test('certificates that do not fit, whatever the environment says', async (t) => {
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
  cleanUp(t, () => delete process.env.NODE_TLS_REJECT_UNAUTHORIZED)
  let asked = 0
  const count = (socket: Socket) => socket.on('data', () => asked++)
  const stranger = await createTestCa()
  for (const certificate of [
    await stranger.issue(HOST),
    await authority.issue('api.example.com'),
    await authority.issue(HOST, { expired: true }),
  ]) {
    assert.equal(await codeOf(await tlsServer(t, certificate, count)), 'tls-untrusted')
  }
  assert.equal(asked, 0, 'nothing is sent to a stranger')
  assert.equal(await codeOf(await speaking(t, answering(OK))), 'connected', 'the control')
})

test('a TLS alert in answer to the ClientHello', async (t) => {
  // alert(21), TLS 1.2, two bytes: fatal(2), unrecognized_name(112)
  const server = await tcpServer(t, (socket) =>
    socket.once('data', () => socket.end(Buffer.from([21, 3, 3, 0, 2, 2, 112]))),
  )
  assert.equal(await codeOf(server), 'tls-refused')
})

test('names: refused at once, not answered, not there', async () => {
  const named = async (lookup: OutsideOptions['lookup'], timeoutMs = 3_000) =>
    (await ask({ port: 443 }, { timeoutMs, ...(lookup === undefined ? {} : { lookup }) })).code
  assert.equal(await named(failingLookup('EAI_AGAIN')), 'dns-refused')
  assert.equal(await named(failingLookup('EREFUSED')), 'dns-refused')
  assert.equal(await named(failingLookup('EAI_AGAIN', LATE_MS + 50)), 'dns-timeout')
  assert.equal(await named(failingLookup(undefined), 150), 'dns-timeout')
  assert.equal(await named(failingLookup('ENOTFOUND')), 'dns-not-found')
})

test('nothing listens there', async () => {
  assert.equal((await ask({ port: await closedPort() })).code, 'refused')
  assert.equal((await ask({ port: await closedPort() }, { host: 'localhost', lookup: systemLookup })).code, 'refused')
})

test('any bytes for an answer, inside TLS or in its place: a code, in time', async (t) => {
  const certificate = await authority.issue(HOST)
  const bytes = fc.uint8Array({ maxLength: 400 }).map((array) => Buffer.from(array))
  const line = fc.constantFrom(
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.1 103\r\n',
    'transfer-encoding: chunked\r\n',
    'content-length: -1\r\n',
    '\r\n',
  )
  const head = fc
    .array(
      fc.oneof(
        bytes,
        line.map((text) => Buffer.from(text)),
      ),
      { maxLength: 6 },
    )
    .map(Buffer.concat)
  await fc.assert(
    fc.asyncProperty(head, fc.boolean(), async (sent, inside) => {
      const answer = (socket: Socket) => socket.once('data', () => socket.end(sent))
      const server = inside ? await tlsServer(t, certificate, answer) : await tcpServer(t, answer)
      const code = await codeOf(server, { timeoutMs: 300 })
      assert.ok(code in codes && code !== 'failed', code)
      if (!inside) assert.notEqual(code, 'connected')
    }),
    { numRuns: process.env.BULKHEAD_LONG === '1' ? 5_000 : 100 },
  )
})
