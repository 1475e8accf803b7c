import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { describe, it } from 'node:test'
import type { Observation, ResolvedAttempt } from '@bulkhead/scenarios'
import { makeAttempt } from '../attempt.js'
import { closedPort, listen, onRequest, tcpServer } from '../testing/servers.js'

const head = 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n'

function attempt(port: number, changes: Partial<ResolvedAttempt> = {}, onHeld?: () => void): Promise<Observation> {
  return makeAttempt(
    { kind: 'http', to: { ip: '127.0.0.1' }, host: '127.0.0.1', port, timeoutMs: 2000, ...changes },
    onHeld,
  )
}

describe('an HTTP attempt', () => {
  it('brings the answer, its bytes as they were on the wire, and when each phase ended', async (t) => {
    const answer = `${head}0123456789`
    let asked = ''
    const port = await tcpServer(
      t,
      onRequest((socket, request) => {
        asked = request.toString()
        socket.end(answer)
      }),
    )
    const { timings, ...seen } = await attempt(port, { http: { method: 'GET', path: '/x?y', headers: { 'x-a': 'b' } } })
    assert.deepEqual(seen, {
      symptom: 'ok',
      phase: 'answer',
      bytes: answer.length,
      http: { status: 200, headers: { 'content-length': '10' }, body: '0123456789' },
    })
    assert.match(asked, /^GET \/x\?y HTTP\/1.1\r\n/)
    assert.match(asked, new RegExp(`\r\nhost: 127.0.0.1:${port}\r\n`, 'i'))
    assert.match(asked, /\r\nx-a: b\r\n/)
    const order = [timings.connect, timings.firstByte, timings.end].map(Number)
    assert.deepEqual(
      order,
      [...order].sort((a, b) => a - b),
    )
  })

  it('sends a body', async (t) => {
    const server = createServer((request, response) => void request.pipe(response))
    const seen = await attempt(await listen(t, server), { http: { method: 'POST', path: '/', body: 'grüße' } })
    assert.equal(seen.http?.body, 'grüße')
  })

  it('sees a name resolved', async (t) => {
    const server = createServer((_, response) => void response.end('x'))
    const seen = await attempt(await listen(t, server), { host: 'localhost' })
    assert.equal(seen.symptom, 'ok')
    assert.ok(seen.timings.dns !== undefined && seen.timings.dns <= Number(seen.timings.connect))
  })

  it('is refused where nothing listens', async () => {
    const seen = await attempt(await closedPort())
    assert.deepEqual(
      [seen.symptom, seen.phase, seen.bytes, seen.error?.code],
      ['refused', 'connect', 0, 'ECONNREFUSED'],
    )
  })

  const failures: readonly {
    name: string
    serve: Parameters<typeof tcpServer>[1]
    changes?: Partial<ResolvedAttempt>
    sees: readonly unknown[]
  }[] = [
    {
      name: 'a reset in answer to the request',
      serve: onRequest((socket) => socket.resetAndDestroy()),
      sees: ['reset', 'request', 0, 'ECONNRESET'],
    },
    {
      name: 'an end without a byte',
      serve: onRequest((socket) => socket.end()),
      sees: ['reset', 'request', 0, 'ECONNRESET'],
    },
    {
      name: 'a reset after a long silence',
      serve: onRequest((socket) => setTimeout(() => socket.resetAndDestroy(), 60)),
      changes: { lateResetMs: 50 },
      sees: ['late-reset', 'request', 0, 'ECONNRESET'],
    },
    {
      name: 'silence',
      serve: onRequest(() => {}),
      changes: { timeoutMs: 60 },
      sees: ['no-answer', 'request', 0, 'TIMEOUT'],
    },
    {
      name: 'half an answer, then a reset',
      serve: onRequest((socket) => socket.write(`${head}012`, () => setTimeout(() => socket.resetAndDestroy(), 20))),
      sees: ['ok', 'answer', head.length + 3, 'ECONNRESET'],
    },
    {
      name: 'half an answer, then silence',
      serve: onRequest((socket) => socket.write(`${head}012`)),
      changes: { timeoutMs: 80 },
      sees: ['ok', 'answer', head.length + 3, 'TIMEOUT'],
    },
    {
      name: 'half a status line',
      serve: onRequest((socket) => socket.end('HTTP/1.')),
      sees: ['ok', 'answer', 7, 'ECONNRESET'],
    },
    {
      name: 'something that is no HTTP',
      serve: onRequest((socket) => socket.end('SSH-2.0-x\r\n')),
      sees: ['ok', 'answer', 11, 'HPE_INVALID_CONSTANT'],
    },
  ]
  for (const { name, serve, changes, sees } of failures) {
    it(`sees ${name}`, async (t) => {
      const seen = await attempt(await tcpServer(t, serve), changes)
      assert.deepEqual([seen.symptom, seen.phase, seen.bytes, seen.error?.code], sees)
    })
  }

  it('keeps what had arrived of half an answer', async (t) => {
    const port = await tcpServer(
      t,
      onRequest((socket) => socket.write(`${head}012`)),
    )
    const seen = await attempt(port, { timeoutMs: 80 })
    assert.deepEqual(seen.http, { status: 200, headers: { 'content-length': '10' }, body: '012' })
  })

  it('counts no byte of a refusal that a proxy wrote', async (t) => {
    const server = createServer((_, response) => {
      response.writeHead(403, { server: 'istio-envoy' }).end('RBAC: access denied')
    })
    const seen = await attempt(await listen(t, server))
    assert.deepEqual([seen.symptom, seen.bytes, seen.http?.status], ['rbac-403', 0, 403])
  })

  it('is not drowned by an answer without an end', async (t) => {
    const port = await tcpServer(
      t,
      onRequest((socket) => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        const pour = (): void => void (socket.writable && socket.write(Buffer.alloc(65_536, 'x'), pour))
        pour()
      }),
    )
    const seen = await attempt(port, { timeoutMs: 150 })
    assert.equal(seen.symptom, 'ok')
    assert.equal(seen.http?.body.length, 256 * 1024)
    assert.ok(seen.bytes > 256 * 1024)
  })
})

describe('a held HTTP attempt', () => {
  it('is told when the first answer is there, and sees the connection closed', async (t) => {
    const server = createServer((request, response) => {
      response.end('hello')
      request.socket.once('x-close', () => request.socket.resetAndDestroy())
    })
    server.keepAliveTimeout = 60_000
    let close = (): void => {}
    server.on('connection', (socket) => {
      close = () => void socket.emit('x-close')
    })
    const port = await listen(t, server)
    const seen = await attempt(port, { hold: true }, () => close())
    assert.deepEqual([seen.symptom, seen.phase, seen.error?.code], ['reset', 'held', 'ECONNRESET'])
    assert.equal(seen.http?.body, 'hello')
  })

  it('is ok when it stays open until the time is over', async (t) => {
    const server = createServer((_, response) => void response.end('hello'))
    server.keepAliveTimeout = 60_000
    let held = 0
    const seen = await attempt(await listen(t, server), { hold: true, timeoutMs: 150 }, () => held++)
    assert.deepEqual([seen.symptom, seen.phase, seen.error, held], ['ok', 'held', undefined, 1])
  })

  it('is not held when it is refused', async (t) => {
    let held = 0
    const port = await tcpServer(
      t,
      onRequest((socket) => socket.resetAndDestroy()),
    )
    const seen = await attempt(port, { hold: true }, () => held++)
    assert.deepEqual([seen.symptom, seen.phase, held], ['reset', 'request', 0])
  })
})
