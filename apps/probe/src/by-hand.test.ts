import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { startTestMongo } from '@bulkhead/pocket-mongo/testing'
import { cleanUp } from '@bulkhead/testing'
import { login, send } from './by-hand.js'
import { postgresServer } from './testing/postgres-server.js'
import { closedPort, tcpServer } from './testing/servers.js'

describe('a login by hand', () => {
  const url = (port: number, password: string) =>
    `postgres://hello:${encodeURIComponent(password)}@127.0.0.1:${port}/hellodb`

  it('says as whom, and what the database answered', async (t) => {
    const told: string[] = []
    const port = await tcpServer(t, postgresServer('p/w:@', 'Hello from PostgreSQL', told))
    assert.deepEqual(await login(url(port, 'p/w:@'), {}), {
      text: `logged in at 127.0.0.1:${port} as hello: Hello from PostgreSQL`,
      code: 0,
    })
    assert.match(told[0] ?? '', /user hello database hellodb/)
  })

  it('takes what is not given from the environment, as hello-app has it', async (t) => {
    const port = await tcpServer(t, postgresServer('p', 'Hello'))
    const env = { DB_HOST: '127.0.0.1', DB_PORT: String(port), DB_USER: 'a', DB_PASSWORD: 'p', DB_NAME: 'b' }
    assert.deepEqual(await login(undefined, env), { text: `logged in at 127.0.0.1:${port} as a: Hello`, code: 0 })
  })

  it('tells a wrong password, and one that is missing, from nobody who answers', async (t) => {
    const port = await tcpServer(t, postgresServer('another', 'x'))
    assert.deepEqual(await login(url(port, 'p'), {}), {
      text: `127.0.0.1:${port} answers, and refuses the login: password authentication failed`,
      code: 1,
    })
    assert.deepEqual(await login(`postgres://127.0.0.1:${port}`, {}), {
      text: `127.0.0.1:${port} answers, and is no Postgres`,
      code: 1,
    })
    // To an SSLRequest: no; to the startup message: AuthenticationSASL.
    const real = await tcpServer(t, (socket) => {
      socket.on('data', (got: Buffer) => {
        socket.write(got.length === 8 ? 'N' : Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 10]))
      })
    })
    assert.deepEqual(await login(`postgres://127.0.0.1:${real}`, {}), {
      text: `127.0.0.1:${real} answers, and asks for a password`,
      code: 1,
    })
    const closing = await tcpServer(t, (socket) => socket.end())
    assert.match(
      (await login(url(closing, 'p'), {})).text,
      /^no answer from 127\.0\.0\.1:\d+: the connection was closed$/,
    )
    assert.match((await login(url(await closedPort(), 'p'), {})).text, /: connection refused$/)
  })

  it('is one at a MongoDB too', async (t) => {
    const mongo = await startTestMongo({ root: { user: 'admin', password: 'p/w:@' } })
    cleanUp(t, () => mongo.close())
    const url = (password: string) => `mongodb://admin:${encodeURIComponent(password)}@127.0.0.1:${mongo.port}/admin`
    const told = await login(url('p/w:@'), {})
    assert.match(told.text, /^logged in at 127\.0\.0\.1:\d+ as admin: collections of admin: /)
    assert.equal(told.code, 0)
    assert.match((await login(url('p'), {})).text, /answers, and refuses the login: /)
    const nobody = `127.0.0.1:${mongo.port}`
    assert.deepEqual(await login(`mongodb://${nobody}`, {}), {
      text: `${nobody} answers, and asks for a password`,
      code: 1,
    })
    const reset = await tcpServer(t, (socket) => void socket.once('data', () => socket.resetAndDestroy()))
    assert.match((await login(`mongodb://127.0.0.1:${reset}`, {})).text, /: the connection was closed$/)
  })

  it('says what it cannot read, and shows no password', async () => {
    for (const text of ['', 'postgres:5432', 'http://a:secret@b', 'postgres://a:secret@b:99999999'])
      await assert.rejects(
        login(text, {}),
        (error: Error) => /write postgres:/.test(error.message) && !/secret/.test(error.message),
      )
    await assert.rejects(login(undefined, {}), /no DB_HOST/)
    await assert.rejects(login(undefined, { DB_HOST: 'a', DB_PORT: 'x' }), /DB_PORT is "x"/)
  })
})

describe('a datagram by hand', () => {
  it('shows what comes back', async (t) => {
    const server = createSocket('udp4')
    server.on('message', (message, { port, address }) => server.send(`got ${String(message)}`, port, address))
    server.bind(0, '127.0.0.1')
    await once(server, 'listening')
    cleanUp(t, () => server.close())
    assert.deepEqual(await send(`127.0.0.1:${server.address().port}`, 'a b'), { text: 'got a b', code: 0 })
  })

  it('says so when nothing does', async (t) => {
    const silent = createSocket('udp4')
    silent.bind(0, '127.0.0.1')
    await once(silent, 'listening')
    cleanUp(t, () => silent.close())
    const place = `127.0.0.1:${silent.address().port}`
    assert.deepEqual(await send(place, 'a'), { text: `no answer from ${place} within 2 s`, code: 1 })
  })

  it('wants a place', async () => {
    for (const place of [undefined, 'collector', 'collector:0', 'a b:1'])
      await assert.rejects(send(place, ''), /HOST:PORT/)
  })
})
