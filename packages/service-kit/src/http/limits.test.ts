import assert from 'node:assert/strict'
import { type AddressInfo, connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { cleanUp } from '@bulkhead/testing'
import express from 'express'
import type { ErrorEnvelope } from '../errors/envelope.js'
import { createLog } from '../log/logger.js'
import { createService, type Service } from '../service.js'
import type { Limits } from './limits.js'
import { discardBody, readBody } from './read-body.js'

interface Raw {
  readonly status: number
  readonly head: string
  readonly body: string
}

async function start(t: TestContext, limits: Partial<Limits> = {}): Promise<{ service: Service; port: number }> {
  const service = createService({
    log: createLog({ name: 'demo', write: () => {} }),
    limits,
    routes: (app) => {
      app.get(
        '/',
        (req, res) =>
          void res.json({
            prototypes: [Object.getPrototypeOf(req) === app.request, Object.getPrototypeOf(res) === app.response],
          }),
      )
      app.post('/json', express.json(), (req, res) => void res.json(req.body))
      app.post('/discard', async (req, res) => {
        await discardBody(req, 100)
        res.json('ok')
      })
      app.post('/read', async (req, res) => {
        res.json((await readBody(req, 100)).toString())
      })
    },
  })
  const { port } = await service.listen({ host: '127.0.0.1', port: 0 })
  cleanUp(t, () => service.close({ timeoutMs: 500 }))
  return { service, port }
}

/** Sends bytes and takes what comes back until the server ends the connection, which it must. */
function raw(port: number, ...chunks: readonly string[]): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    let text = ''
    socket.setTimeout(8_000, () => socket.destroy(new Error(`no end after ${JSON.stringify(text.slice(0, 100))}`)))
    socket.on('data', (data) => {
      text += data.toString()
    })
    socket.on('error', reject)
    socket.on('end', () => {
      socket.destroy()
      const [head = '', body = ''] = text.split('\r\n\r\n', 2)
      resolve({ status: Number(head.split(' ')[1]), head, body })
    })
    for (const chunk of chunks) socket.write(chunk)
  })
}

const code = (answer: Raw): string => (JSON.parse(answer.body) as ErrorEnvelope).error.code
const HOST = 'Host: x\r\nConnection: close\r\n'

test('the prototypes are Express’s own before Express sets them', async (t) => {
  const { service, port } = await start(t)
  const before: unknown[] = []
  service.server.prependListener('request', (req, res) =>
    before.push(Object.getPrototypeOf(req), Object.getPrototypeOf(res)),
  )
  const after: unknown[] = []
  service.server.on('request', (req, res) => after.push(Object.getPrototypeOf(req), Object.getPrototypeOf(res)))
  assert.equal((await raw(port, `GET / HTTP/1.1\r\n${HOST}\r\n`)).status, 200)
  assert.equal(before.length, 2)
  for (const [index, prototype] of before.entries()) assert.equal(prototype, after[index])
})

/** What is sent, and the status and code that come back. */
const REFUSED: readonly (readonly [string, string, number, string])[] = [
  ['bytes that are no HTTP', 'hello\r\n\r\n', 400, 'MALFORMED_HTTP'],
  ['a TLS handshake', '\u0016\u0003\u0001\u0002', 400, 'MALFORMED_HTTP'],
  [
    'two framings at once',
    `POST /json HTTP/1.1\r\n${HOST}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
    'MALFORMED_HTTP',
  ],
  ['a header with a line break', `GET / HTTP/1.1\r\n${HOST}X: a\nb\r\n\r\n`, 400, 'MALFORMED_HTTP'],
  ['no Host', 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'HOST_MISSING'],
  ['two Hosts', 'GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\nConnection: close\r\n\r\n', 400, 'HOST_MISSING'],
  ['a long URL', `GET /${'x'.repeat(8200)} HTTP/1.1\r\n${HOST}\r\n`, 414, 'URL_TOO_LONG'],
  ['large headers', `GET / HTTP/1.1\r\n${HOST}X: ${'x'.repeat(17_000)}\r\n\r\n`, 431, 'HEADERS_TOO_LARGE'],
  ['many headers', `GET / HTTP/1.1\r\n${HOST}${'a: b\r\n'.repeat(120)}\r\n`, 431, 'HEADERS_TOO_LARGE'],
  ['a large body, announced', `POST /json HTTP/1.1\r\n${HOST}Content-Length: 1048577\r\n\r\n`, 413, 'BODY_TOO_LARGE'],
  [
    'a large body where none is read',
    `GET / HTTP/1.1\r\n${HOST}Content-Length: 1048577\r\n\r\n`,
    413,
    'BODY_TOO_LARGE',
  ],
  [
    'a large body, announced and asked for',
    `POST /json HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 1048577\r\n\r\n`,
    413,
    'BODY_TOO_LARGE',
  ],
  [
    'a body larger than it is read',
    `POST /discard HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n80\r\n${'x'.repeat(128)}\r\n`,
    413,
    'BODY_TOO_LARGE',
  ],
  ['another expectation', `GET / HTTP/1.1\r\n${HOST}Expect: tea\r\n\r\n`, 417, 'EXPECTATION_FAILED'],
  ['CONNECT', 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n', 405, 'METHOD_NOT_ALLOWED'],
]

for (const [what, bytes, status, expected] of REFUSED) {
  test(`${what}: ${status} ${expected}, in the envelope`, async (t) => {
    const { port } = await start(t)
    const answer = await raw(port, bytes)
    assert.equal(answer.status, status)
    assert.equal(code(answer), expected)
    assert.match(answer.head, /content-type: application\/json; charset=utf-8/i)
    const id = /x-request-id: (\S+)/.exec(answer.head)?.[1]
    assert.equal((JSON.parse(answer.body) as ErrorEnvelope).error.requestId, id)
    assert.equal((await raw(port, `GET /livez HTTP/1.1\r\n${HOST}\r\n`)).status, 200, 'and the service goes on')
  })
}

test('100-continue is answered where the body may come', async (t) => {
  const { port } = await start(t)
  const answer = await raw(
    port,
    `POST /json HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n`,
    '{}',
  )
  assert.equal(answer.status, 100)
})

test('a head, and a body, that do not end: 408', async (t) => {
  const { port } = await start(t, { headersTimeoutMs: 100, requestTimeoutMs: 200 })
  const [head, body] = await Promise.all([
    raw(port, 'GET / HTTP/1.1\r\nHost: x\r\nX-Slow'),
    raw(port, 'POST /json HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{'),
  ])
  for (const answer of [head, body]) {
    assert.equal(answer.status, 408)
    assert.equal(code(answer), 'REQUEST_TIMEOUT')
  }
})

test('connections above the limit are refused, and those below go on', async (t) => {
  const { service, port } = await start(t, { maxConnections: 1 })
  const first = connect(port, '127.0.0.1')
  cleanUp(t, () => first.destroy())
  await new Promise((resolve) => service.server.once('connection', resolve))
  const dropped = new Promise((resolve) => service.server.once('drop', resolve))
  const second = connect(port, '127.0.0.1')
  second.on('error', () => {})
  await Promise.all([dropped, new Promise((resolve) => second.once('close', resolve))])
  const answered = new Promise((resolve) => first.once('data', resolve))
  first.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n')
  assert.match(String(await answered), /^HTTP\/1\.1 200/)
  assert.equal((service.server.address() as AddressInfo).port, port)
})

test('a body is read whole, or refused: by the length that it says, and by the bytes that come', async (t) => {
  const { port } = await start(t)
  const read = (head: string, ...chunks: readonly string[]) =>
    raw(port, `POST /read HTTP/1.1\r\n${HOST}${head}\r\n\r\n`, ...chunks)
  const whole = 'x'.repeat(100)
  const served = await read('Content-Length: 100', whole.slice(0, 60), whole.slice(60))
  assert.deepEqual([served.status, JSON.parse(served.body)], [200, whole])
  for (const refused of [
    await read('Content-Length: 101'),
    await read('Transfer-Encoding: chunked', `80\r\n${'x'.repeat(128)}\r\n`),
  ])
    assert.deepEqual([refused.status, code(refused)], [413, 'BODY_TOO_LARGE'])
})
