import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { MAX_SET_BYTES } from '@bulkhead/intents'
import fc from 'fast-check'
import { SMALL_BODY_BYTES } from '../http/mount.js'
import { intent, startScheduler, type TestScheduler } from '../testing/scheduler.js'

/*
 * D9, and whatever else may come to the listener: it is answered with a 4xx in the envelope, or the connection ends; and after each of
 * them the service answers as before.
 */

async function listening(t: TestContext): Promise<{ scheduler: TestScheduler; port: number }> {
  const scheduler = startScheduler(t)
  const { port } = await scheduler.service.listen({ host: '127.0.0.1', port: 0 })
  return { scheduler, port }
}

/** Sends bytes, and nothing more if they end there, and gives what came back when the other side has closed. */
async function raw(port: number, bytes: string | Uint8Array, ends = false): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => {})
  let text = ''
  socket.on('data', (data) => {
    text += data.toString('latin1')
    // Where the service would take another request, there is none.
    if (!socket.writableEnded) socket.end()
  })
  socket.once('end', () => socket.writableEnded || socket.end())
  if (ends) socket.end(bytes)
  else socket.write(bytes)
  await once(socket, 'close')
  return text
}

const refused = /^HTTP\/1\.1 4\d\d /

test('bytes that are no request are refused, and the service goes on', async (t) => {
  const { scheduler, port } = await listening(t)
  const token = await scheduler.asManager()
  const head = `PUT /api/v1/intents HTTP/1.1\r\nHost: x\r\nAuthorization: ${token}\r\n`
  for (const [what, bytes] of [
    ['another protocol', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['zeros', '\0'.repeat(10_000)],
    ['two lengths', `${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`],
    [
      'two framings',
      `${head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /api/v1/pods/pids HTTP/1.1\r\n\r\n`,
    ],
    ['a negative length', `${head}Content-Length: -1\r\n\r\n`],
    ['a length that is none', `${head}Content-Length: 0x10\r\n\r\n`],
    ['a chunk that is none', `${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n`],
    ['a framing nobody knows', `${head}Transfer-Encoding: gzip\r\n\r\n`],
    ['no host', 'GET /health HTTP/1.1\r\n\r\n'],
    ['two hosts', 'GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
    ['a folded header', 'GET /health HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n'],
    ['a header with a NUL', 'GET /health HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n'],
    ['headers without end', `GET /health HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`],
    ['a path without end', `GET /${'x'.repeat(10_000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
    ['a path that does not decode', 'GET /api/%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
    ['a method nobody knows', 'BREW /health HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a tunnel', 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a body of other words', `${head}Content-Encoding: gzip\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`],
    ['a body that says it is too long', `${head}Content-Length: ${MAX_SET_BYTES + 1}\r\n\r\n`],
    ['an expectation', `${head}Expect: a-reply\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`],
  ] as const) {
    const text = await raw(port, bytes)
    assert.match(text, refused, what)
    assert.match(text, /"success":false,/, what)
  }
  for (const bytes of ['', 'GET /hea', `${head}Content-Length: 100\r\n\r\n{"version"`]) {
    const text = await raw(port, bytes, true)
    assert.ok(text === '' || refused.test(text), text)
  }
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
      // A NUL before it: whatever follows, it is no request that could be a good one.
      assert.match(await raw(port, Buffer.concat([Buffer.from([0]), bytes])), refused)
    }),
    { numRuns: 50 },
  )
  const { headersTimeout, requestTimeout, timeout, maxConnections } = scheduler.service.server
  assert.ok([headersTimeout, requestTimeout, timeout, maxConnections].every((bound) => bound > 0))
  await scheduler.agent.get('/livez').expect(200)
  assert.equal((await scheduler.put(1, [intent()])).status, 200)
})

test('D9: a body above the bound of its route is a 413, whether it says its length or not', async (t) => {
  const { scheduler, port } = await listening(t)
  const { agent } = scheduler
  const large = `{"x":"${'x'.repeat(SMALL_BODY_BYTES)}"}`
  for (const [path, authorization] of [
    ['/api/v1/auth/token', ''],
    ['/api/v1/metrics', await scheduler.asSchedExt()],
  ] as const) {
    const { body } = await agent
      .post(path)
      .set('authorization', authorization)
      .set('content-type', 'application/json')
      .send(large)
      .expect(413)
    assert.deepEqual([body.success, body.code], [false, 'BODY_TOO_LARGE'])
  }
  const chunked = await raw(
    port,
    `DELETE /api/v1/intents HTTP/1.1\r\nHost: x\r\nAuthorization: ${await scheduler.asManager()}\r\nTransfer-Encoding: chunked\r\n\r\n${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n`,
  )
  assert.match(chunked, /^HTTP\/1\.1 413 /)
  const set = `{"version":1,"intents":[],"x":"${'x'.repeat(MAX_SET_BYTES)}"}`
  await agent
    .put('/api/v1/intents')
    .set('authorization', await scheduler.asManager())
    .set('content-type', 'application/json')
    .send(set)
    .expect(413)
})
