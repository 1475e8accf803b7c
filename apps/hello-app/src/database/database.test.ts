import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { cleanUp, eventually } from '@bulkhead/testing'
import fc from 'fast-check'
import { codes } from '../checks/codes.js'
import { LATE_MS } from '../checks/network-code.js'
import { createTestCa } from '../testing/certificates.js'
import { errorResponse, message as framed, playing, row, WELCOME } from '../testing/fake-postgres.js'
import { answering, closedPort, postgresTls, tcpServer } from '../testing/servers.js'
import type { DatabaseConfig } from './config.js'
import { DATABASE_TIMEOUT_MS, Database } from './database.js'

const GREETING = row('Hello from PostgreSQL')

function open(
  t: TestContext,
  server: { readonly port: number },
  config: Partial<DatabaseConfig> = {},
  timeoutMs?: number,
): Database {
  const database = new Database(
    {
      host: '127.0.0.1',
      port: server.port,
      user: 'hello',
      password: 'hello',
      database: 'hellodb',
      sslmode: 'disable',
      ...config,
    },
    timeoutMs === undefined ? {} : { timeoutMs },
  )
  cleanUp(t, () => database.close())
  return database
}

test('the greeting: connected, on a connection that is kept for the next check', async (t) => {
  const server = await tcpServer(t, playing(WELCOME, GREETING, GREETING, GREETING))
  const database = open(t, server)
  assert.equal((await database.run()).code, 'connected')
  assert.equal((await database.run()).code, 'connected')
  assert.equal(server.taken(), 1)
  await database.ready()
})

test('checks that are asked for at the same time are one', async (t) => {
  const server = await tcpServer(t, playing(WELCOME, GREETING, GREETING))
  const database = open(t, server)
  const codes = await Promise.all(Array.from({ length: 50 }, async () => (await database.run()).code))
  assert.deepEqual(new Set(codes), new Set(['connected']))
  assert.equal(server.taken(), 1)
})

test('what PostgreSQL says at the door, by its SQLSTATE; its words stay behind', async (t) => {
  for (const [state, code] of [
    ['28P01', 'db-auth-failed'],
    ['28000', 'db-auth-failed'],
    ['3D000', 'db-unknown-database'],
    ['57P03', 'db-starting'],
    ['57P01', 'db-stopping'],
    ['53300', 'db-busy'],
    ['XX000', 'db-error'],
  ] as const) {
    const server = await tcpServer(t, playing(errorResponse(state, 'for user "hello" at 10.244.1.9')))
    const outcome = await open(t, server).run()
    assert.equal(outcome.code, code, state)
    assert.match(String(outcome.cause), /10\.244\.1\.9/, 'the log has it')
  }
})

test('another answer than the greeting is none, and its connection is not kept', async (t) => {
  const server = await tcpServer(t, playing(WELCOME, row('<script>alert(1)</script>')))
  assert.deepEqual(await open(t, server).run(), { code: 'protocol-error' })
  await eventually('closed', () => server.open() === 0)
})

test('what is not PostgreSQL, and a message that claims to be 2 GiB long', async (t) => {
  for (const bytes of ['HTTP/1.1 400 Bad Request\r\n\r\n', 'SSH-2.0-OpenSSH_9.2\r\n', '\0\0\0\0\0\0\0\0'])
    assert.equal((await open(t, await tcpServer(t, answering(bytes))).run()).code, 'protocol-error', bytes)
  const large = Buffer.concat([Buffer.from('E\x7f\xff\xff\xff', 'latin1'), Buffer.alloc(64)])
  const server = await tcpServer(t, playing(large))
  assert.equal((await open(t, server).run()).code, 'protocol-error')
  await eventually('closed', () => server.open() === 0)
})

test('who asks for the password in clear does not get it', async (t) => {
  let heard = ''
  const server = await tcpServer(t, (socket) => {
    socket.on('data', (data) => {
      heard += data.toString('latin1')
    })
    socket.once('data', () => socket.write(framed('R', Buffer.from([0, 0, 0, 3]))))
  })
  assert.equal((await open(t, server, { password: 'the-password' }).run()).code, 'db-password-in-clear')
  await eventually('closed', () => server.open() === 0)
  assert.match(heard, /hello/, 'the user name, which comes first')
  assert.doesNotMatch(heard, /the-password/)
})

test('a password that cannot be used leaves no connection waiting at PostgreSQL', async (t) => {
  const scram = framed('R', Buffer.from('\0\0\0\x0aSCRAM-SHA-256\0\0', 'latin1'))
  const challenge = framed('R', Buffer.from('\0\0\0\x0br=other,s=c2FsdA==,i=4096', 'latin1'))
  const server = await tcpServer(t, playing(scram, challenge))
  assert.equal((await open(t, server, { password: '' }).run()).code, 'db-auth-failed')
  assert.equal((await open(t, server, { password: 'good' }).run()).code, 'db-auth-failed', 'a nonce that is not ours')
  assert.equal(server.taken(), 2)
  await eventually('closed', () => server.open() === 0)
})

test('a greeting that comes a byte at a time is one', async (t) => {
  const server = await tcpServer(t, (socket) => {
    const dribble = async (bytes: Buffer) => {
      for (const byte of bytes) {
        socket.write(Buffer.from([byte]))
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    socket.once('data', () => void dribble(WELCOME).then(() => socket.once('data', () => void dribble(GREETING))))
  })
  assert.equal((await open(t, server).run()).code, 'connected')
})

test('an endless answer to the query is cut', async (t) => {
  let sent = 0
  const server = await tcpServer(t, (socket) => {
    socket.once('data', () => {
      socket.write(WELCOME)
      socket.once('data', () => {
        const chunk = framed('N', Buffer.alloc(16 * 1024, 'Mx\0'))
        const pour = () => {
          while (!socket.destroyed && socket.write(chunk)) sent += chunk.length
          if (!socket.destroyed) socket.once('drain', pour)
        }
        pour()
      })
    })
  })
  const outcome = await open(t, server, {}, 400).run()
  assert.equal(outcome.code, 'protocol-error')
  assert.ok(sent < 8 * 1024 * 1024, `${sent} bytes`)
  await eventually('closed', () => server.open() === 0)
})

test('nothing listens; reset at once; reset after a wait; silence; half an answer', async (t) => {
  assert.equal((await open(t, { port: await closedPort() }).run()).code, 'refused')
  const reset = await tcpServer(t, (socket) => socket.once('data', () => socket.resetAndDestroy()))
  assert.equal((await open(t, reset).run()).code, 'reset')
  const closed = await tcpServer(t, (socket) => socket.once('data', () => socket.end()))
  assert.equal((await open(t, closed).run()).code, 'reset')
  const late = await tcpServer(t, (socket) => void setTimeout(() => socket.resetAndDestroy(), LATE_MS + 100))
  assert.equal((await open(t, late).run()).code, 'late-reset')
  const silent = await tcpServer(t, () => {})
  assert.equal((await open(t, silent, {}, 200).run()).code, 'timeout')
  const half = await tcpServer(t, playing(WELCOME))
  assert.equal((await open(t, half, {}, 200).run()).code, 'slow')
  for (const server of [reset, closed, late, silent, half]) {
    await eventually('no connection is left', () => server.open() === 0)
    assert.equal(server.taken(), 1, 'a check dials once')
  }
})

test('connect and query together stay within two seconds', async (t) => {
  const server = await tcpServer(t, (socket) => {
    socket.once('data', () => setTimeout(() => socket.write(WELCOME), DATABASE_TIMEOUT_MS * 0.75))
  })
  const started = performance.now()
  assert.equal((await open(t, server).run()).code, 'slow')
  assert.ok(performance.now() - started < DATABASE_TIMEOUT_MS + 300)
})

test('a name that is not there', async (t) => {
  assert.equal((await open(t, { port: 5432 }, { host: 'no-such-host.invalid' }).run()).code.slice(0, 4), 'dns-')
})

test('TLS: verified, or not at all', async (t) => {
  const authority = await createTestCa()
  const ask = async (name: string, config: Partial<DatabaseConfig>) => {
    const server = await postgresTls(t, await authority.issue(name), playing(WELCOME, GREETING))
    return (await open(t, server, { host: 'localhost', sslmode: 'verify-full', ...config }).run()).code
  }
  assert.equal(await ask('localhost', { ca: authority.ca }), 'connected')
  assert.equal(await ask('localhost', {}), 'tls-untrusted')
  assert.equal(await ask('postgres.example', { ca: authority.ca }), 'tls-untrusted')
  const plain = await tcpServer(t, playing(Buffer.from('N')))
  assert.equal((await open(t, plain, { sslmode: 'verify-full' }).run()).code, 'tls-missing')
  assert.equal(plain.taken(), 1, 'and no second try without')
})

test('a kept connection that ends by itself ends nothing else', async (t) => {
  const ended: Error[] = []
  const server = await tcpServer(t, playing(WELCOME, GREETING))
  const database = new Database(
    { host: '127.0.0.1', port: server.port, user: 'u', password: 'p', database: 'd', sslmode: 'disable' },
    { onLost: (error) => ended.push(error) },
  )
  cleanUp(t, () => database.close())
  assert.equal((await database.run()).code, 'connected')
  server.closeAll()
  await eventually('told', () => ended.length === 1)
  assert.deepEqual(Object.keys(ended[0] ?? {}), [], 'without its client, which has a secret key: this is logged')
  assert.equal((await database.run()).code, 'connected')
  assert.equal(server.taken(), 2)
})

test('any bytes for an answer: a code, in time, and the app lives', async (t) => {
  const start = Buffer.from('R\0\0\0\x08\0\0\0\0')
  const bytes = fc.uint8Array({ maxLength: 400 })
  const message = fc
    .tuple(fc.constantFrom(...'RSKZETDCNAGHv13'), bytes)
    .map(([type, body]) => framed(type, Buffer.from(body)))
  const answer = fc.oneof(bytes.map(Buffer.from), fc.array(message, { maxLength: 6 }).map(Buffer.concat))
  await fc.assert(
    fc.asyncProperty(answer, fc.boolean(), async (sent, welcomed) => {
      const server = await tcpServer(t, (socket) => {
        socket.once('data', () => socket.end(welcomed ? Buffer.concat([start, sent]) : sent))
      })
      const database = open(t, server, {}, 150)
      const { code } = await database.run()
      assert.ok(code in codes && code !== 'connected' && code !== 'failed', code)
      await eventually('closed', () => server.open() === 0)
    }),
    { numRuns: process.env.BULKHEAD_LONG === '1' ? 5_000 : 150 },
  )
})
