import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe, it } from 'node:test'
import { createSecureContext, TLSSocket } from 'node:tls'
import type { Observation } from '@bulkhead/scenarios'
import { deserialize, serialize } from 'bson'
import { makeAttempt } from '../attempt.js'
import { meshCa } from '../testing/mesh-ca.js'
import { onRequest, tcpServer } from '../testing/servers.js'

function attempt(kind: 'postgres' | 'mongo', port: number, timeoutMs = 2000): Promise<Observation> {
  return makeAttempt({ kind, to: { ip: '127.0.0.1' }, host: '127.0.0.1', port, timeoutMs })
}

/** A backend's message: type, length, body. */
function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.write(type, 0, 'latin1')
  head.writeInt32BE(4 + body.length, 1)
  return Buffer.concat([head, body])
}

const sasl = message('R', Buffer.from('\0\0\0\x0aSCRAM-SHA-256\0\0', 'latin1'))
const noDatabase = message('E', Buffer.from('SFATAL\0C3D000\0Mdatabase "x" does not exist\0\0', 'latin1'))

describe('a Postgres attempt', () => {
  it('asks for TLS, goes on without it, and says what the server wants', async (t) => {
    const asked: Buffer[] = []
    const port = await tcpServer(
      t,
      onRequest((socket, sslRequest) => {
        asked.push(sslRequest)
        socket.once('data', (startup) => {
          asked.push(startup)
          socket.write(sasl)
        })
        socket.write('N')
      }),
    )
    const seen = await attempt('postgres', port)
    assert.deepEqual([seen.symptom, seen.detail], ['ok', { ssl: 'N', reply: 'R', authentication: 'sasl' }])
    assert.equal(asked[0]?.toString('hex'), '0000000804d2162f')
    assert.equal(asked[1]?.toString('latin1', 8), 'user\0probe\0database\0postgres\0\0')
    assert.equal(asked[1]?.readInt32BE(0), asked[1]?.length)
  })

  it('goes on in TLS where the server has it', async (t) => {
    const { issue } = await meshCa()
    const { certificate, key } = await issue('spiffe://test/db')
    const port = await tcpServer(
      t,
      onRequest((socket) => {
        const secure = new TLSSocket(socket, {
          isServer: true,
          secureContext: createSecureContext({ cert: certificate, key }),
        })
        secure.on('error', () => {})
        secure.once('data', () => secure.write(noDatabase))
        socket.write('S')
      }),
    )
    const seen = await attempt('postgres', port)
    assert.equal(seen.symptom, 'ok')
    assert.deepEqual(seen.detail, { ssl: 'S', reply: 'E', sqlstate: '3D000', message: 'database "x" does not exist' })
  })

  const others: readonly [name: string, serve: (socket: Socket) => void, symptom: string, detail: unknown][] = [
    ['a reset', onRequest((socket) => socket.resetAndDestroy()), 'reset', undefined],
    ['silence', () => {}, 'no-answer', undefined],
    ['a server that is no Postgres', onRequest((socket) => socket.write('HTTP/1.1 400 Bad')), 'ok', { ssl: 'H' }],
    ['a server that closes on the startup', onRequest((socket) => socket.end('N')), 'ok', { ssl: 'N' }],
  ]
  for (const [name, serve, symptom, detail] of others) {
    it(`sees ${name}`, async (t) => {
      const seen = await attempt('postgres', await tcpServer(t, serve), 300)
      assert.deepEqual([seen.symptom, seen.detail], [symptom, detail])
    })
  }
})

describe('a Mongo attempt', () => {
  function reply(document: object): Buffer {
    const body = serialize(document)
    const head = Buffer.alloc(21)
    head.writeInt32LE(21 + body.length, 0)
    head.writeInt32LE(2013, 12)
    return Buffer.concat([head, body])
  }

  it('says hello and brings the fields of the reply, however it is cut', async (t) => {
    let asked: object = {}
    const port = await tcpServer(
      t,
      onRequest((socket, hello) => {
        asked = deserialize(hello.subarray(21))
        const answer = reply({ ok: 1, isWritablePrimary: true, maxWireVersion: 21, setName: 'rs0', hosts: ['x'] })
        socket.write(answer.subarray(0, 30))
        setTimeout(() => socket.write(answer.subarray(30)), 10)
      }),
    )
    const seen = await attempt('mongo', port)
    assert.deepEqual(asked, { hello: 1, $db: 'admin' })
    assert.deepEqual(seen.detail, { ok: 1, isWritablePrimary: true, maxWireVersion: 21, setName: 'rs0' })
    assert.equal(seen.symptom, 'ok')
  })

  const others: readonly [name: string, serve: (socket: Socket) => void, symptom: string, error: string][] = [
    ['a reset', onRequest((socket) => socket.resetAndDestroy()), 'reset', 'ECONNRESET'],
    ['silence', () => {}, 'no-answer', 'TIMEOUT'],
    [
      'a server that is no Mongo',
      onRequest((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n')),
      'ok',
      'BAD_REPLY',
    ],
    ['a reply that is cut off', onRequest((socket) => socket.end(reply({ ok: 1 }).subarray(0, 25))), 'ok', 'EOF'],
    [
      'a reply with a body that is none',
      onRequest((socket) => socket.write(Buffer.concat([reply({ ok: 1 }).subarray(0, 21), Buffer.alloc(40, 7)]))),
      'ok',
      'BAD_REPLY',
    ],
  ]
  for (const [name, serve, symptom, error] of others) {
    it(`sees ${name}`, async (t) => {
      const seen = await attempt('mongo', await tcpServer(t, serve), 300)
      assert.deepEqual([seen.symptom, seen.error?.code], [symptom, error])
    })
  }
})
