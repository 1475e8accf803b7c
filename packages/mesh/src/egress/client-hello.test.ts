import assert from 'node:assert/strict'
import { Duplex } from 'node:stream'
import { describe, it } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { clientHello, record } from '../testing/client-hello.js'
import { MAX_HELLO_BYTES, readHello } from './client-hello.js'

/** What this Node's own TLS says first. */
async function realHello(servername: string | undefined): Promise<Buffer> {
  const chunks: Buffer[] = []
  const wire = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk)
      done()
    },
  })
  const socket = connectTls({
    socket: wire,
    ...(servername !== undefined && { servername }),
    rejectUnauthorized: false,
  })
  socket.on('error', () => {})
  while (chunks.length === 0) await new Promise((resolve) => setImmediate(resolve))
  socket.destroy()
  return Buffer.concat(chunks)
}

describe('a ClientHello', () => {
  it('of a real client tells the name that it asks for, or that it asks for none', async () => {
    assert.deepEqual(readHello(await realHello('API.github.com')), { kind: 'tls', sni: 'api.github.com' })
    assert.deepEqual(readHello(await realHello(undefined)), { kind: 'tls' })
  })

  it('is awaited byte by byte, in one record or in many, and what follows it does not matter', async () => {
    const whole = await realHello('api.github.com')
    for (let end = 0; end < whole.length; end += 1) assert.equal(readHello(whole.subarray(0, end)), undefined)
    const body = whole.subarray(5)
    const pieces = Buffer.concat(Array.from({ length: body.length }, (_, i) => record(body.subarray(i, i + 1))))
    assert.deepEqual(readHello(pieces), { kind: 'tls', sni: 'api.github.com' })
    assert.equal(readHello(pieces.subarray(0, -1)), undefined)
    assert.deepEqual(readHello(Buffer.concat([whole, Buffer.from('more')])), { kind: 'tls', sni: 'api.github.com' })
  })

  it('that is none is said at the first byte that is wrong', () => {
    const wrong = [
      'GET / HTTP/1.1',
      '\x16\x02',
      '\x15\x03\x01',
      '\x16\x03\x01\0\0',
      '\x16\x03\x01\xff\xff',
      '\x16\x03\x01\0\x05\x02',
      '\x16\x03\x01\0\x05\x01\xff\xff\xff',
    ]
    for (const text of wrong)
      assert.deepEqual(readHello(Buffer.from(text, 'latin1')), { kind: 'other' }, JSON.stringify(text))
    for (const text of ['', '\x16', '\x16\x03', '\x16\x03\x01\0\x05'])
      assert.equal(readHello(Buffer.from(text, 'latin1')), undefined, JSON.stringify(text))
  })

  it('with two names, a name that is none, or lengths that do not fit is not believed', () => {
    assert.deepEqual(readHello(clientHello({ names: ['ok.example'] })), { kind: 'tls', sni: 'ok.example' })
    assert.deepEqual(readHello(clientHello({ names: [] })), { kind: 'tls' })
    const broken = [
      clientHello({ names: ['ok.example', 'other.example'] }),
      clientHello({ names: [['ok.example', 'other.example']] }),
      clientHello({ names: ['ok.example\0.attacker.example'] }),
      clientHello({ names: [''] }),
      clientHello({ names: ['x'.repeat(256)] }),
      clientHello({ names: ['ok.example'], nameType: 1 }),
      clientHello({ names: ['ok.example'], trailing: 1 }),
    ]
    for (const hello of broken) assert.deepEqual(readHello(hello), { kind: 'other' })
  })

  it('has an end', () => {
    const endless = record(Buffer.concat([Buffer.from([1, 0, 0x3f, 0xfc]), Buffer.alloc(MAX_HELLO_BYTES - 4)]))
    assert.equal(readHello(endless.subarray(0, MAX_HELLO_BYTES - 1)), undefined)
    assert.deepEqual(readHello(endless.subarray(0, MAX_HELLO_BYTES)), { kind: 'other' })
  })
})
