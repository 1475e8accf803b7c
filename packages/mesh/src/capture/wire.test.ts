import assert from 'node:assert/strict'
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Server } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Listener, Listeners } from './listeners.js'
import { admit } from './preload/admit.cjs'
import { lineReader } from './preload/lines.cjs'
import { PREAMBLE_BYTES, readPreamble, writePreamble } from './preload/preamble.cjs'
import { readUp } from './up.js'

test('lines come out as they went in, however the bytes are cut', () => {
  const seed = Date.now() % 2 ** 31
  const lines = fc.array(fc.string().map((text) => text.replaceAll('\n', '')))
  const property = fc.property(lines, fc.array(fc.nat(20)), (wanted, cuts) => {
    const text = wanted.map((line) => `${line}\n`).join('')
    const got: string[] = []
    const read = lineReader(1_000, (line) => got.push(line), assert.fail)
    let at = 0
    for (const cut of cuts) {
      read(text.slice(at, at + cut))
      at += cut
    }
    read(text.slice(at))
    assert.deepEqual(got, wanted)
  })
  fc.assert(property, { seed })
})

test('a line that is too long ends the reading, whether it ends or not', () => {
  for (const text of ['ok\n12345678901\nno\n', 'ok\n12345678901']) {
    const got: string[] = []
    const read = lineReader(
      10,
      (line) => got.push(line),
      () => got.push('OVER'),
    )
    for (const char of text) read(char)
    read('more\n')
    assert.deepEqual(got, ['ok', 'OVER'])
  }
})

test('a preamble says what was written, and only with its token', () => {
  const token = randomBytes(32)
  const wanted = { conn: 4_000_000_000, ip: '10.244.1.255', port: 65_535 }
  const bytes = writePreamble(token, wanted)
  assert.equal(bytes.length, PREAMBLE_BYTES)
  assert.deepEqual(readPreamble(bytes, token, timingSafeEqual), wanted)
  assert.equal(readPreamble(bytes, randomBytes(32), timingSafeEqual), undefined)
  assert.equal(readPreamble(bytes.subarray(1), token, timingSafeEqual), undefined)
  for (let i = 0; i < 36; i++) {
    const broken = Buffer.from(bytes)
    broken[i] = (broken[i] ?? 0) ^ 1
    assert.equal(readPreamble(broken, token, timingSafeEqual), undefined, `byte ${i}`)
  }
})

/** A server that admits, and what came of its connections. */
async function admitting(
  token: Buffer,
  deadlineMs: number,
): Promise<{ server: Server; port: number; admitted: string[] }> {
  const admitted: string[] = []
  const server = createServer((socket) => {
    admit(
      socket,
      token,
      ({ ip }) => {
        admitted.push(ip)
        socket.pipe(socket)
      },
      deadlineMs,
    )
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return { server, port: typeof address === 'object' && address !== null ? address.port : 0, admitted }
}

test('a preamble may come byte by byte, and what follows it belongs to the app', async () => {
  const token = randomBytes(32)
  const { server, port, admitted } = await admitting(token, 5_000)
  const socket = connect(port, '127.0.0.1').setNoDelay(true)
  const bytes = Buffer.concat([writePreamble(token, { conn: 1, ip: '10.0.0.1', port: 1 }), Buffer.from('hello')])
  for (const byte of bytes) {
    socket.write(Buffer.from([byte]))
    await new Promise((resolve) => setImmediate(resolve))
  }
  socket.end()
  let text = ''
  for await (const chunk of socket) text += chunk
  assert.deepEqual([text, admitted], ['hello', ['10.0.0.1']])
  server.close()
})

test('who stays silent is closed at the deadline', async () => {
  const { server, port, admitted } = await admitting(randomBytes(32), 30)
  const socket = connect(port, '127.0.0.1')
  socket.write('half')
  socket.resume()
  await once(socket, 'close')
  assert.deepEqual(admitted, [])
  server.close()
})

test('no line of any kind is taken for one of the preload, or throws', () => {
  const seed = Date.now() % 2 ** 31
  const json = fc.oneof(
    fc.string(),
    fc.json(),
    fc.record({ op: fc.constantFrom('dial', 'listen', 'toString'), id: fc.anything() }).map((v) => JSON.stringify(v)),
  )
  fc.assert(
    fc.property(json, (line) => readUp(line) === undefined),
    { seed, numRuns: 1_000 },
  )
  assert.deepEqual(readUp('{"op":"gone","id":3}'), { op: 'gone', id: 3 })
})

test('ports: one holder or one group, which takes turns; loopback is loopback', () => {
  const listeners = new Listeners()
  const make = (port: number, scope: 'pod' | 'loopback', group?: string): Listener => ({
    port,
    scope,
    path: '',
    token: Buffer.alloc(0),
    ...(group === undefined ? {} : { group }),
    resetAccepted: () => {},
    opened: () => {},
  })
  const [a, b, c] = [make(80, 'pod', 'g'), make(80, 'pod', 'g'), make(81, 'loopback')]
  assert.deepEqual(
    [a, b, c].map((listener) => listeners.claim(listener)),
    [true, true, true],
  )
  assert.deepEqual(
    [make(80, 'pod'), make(80, 'pod', 'h'), make(81, 'pod')].map((listener) => listeners.claim(listener)),
    [false, false, false],
  )
  assert.deepEqual(listeners.ports(), [80])
  const from = { ip: '10.0.0.1', port: 1 }
  assert.deepEqual(
    [1, 2, 3].map(() => listeners.pick(80, from)),
    [a, b, a],
  )
  assert.equal(listeners.pick(81, from), undefined)
  assert.equal(listeners.pick(81, { ip: '127.0.0.1', port: 1 }), c)
  listeners.release(a)
  assert.deepEqual(
    [1, 2].map(() => listeners.pick(80, from)),
    [b, b],
  )
  listeners.release(b)
  assert.equal(listeners.pick(80, from), undefined)
})
