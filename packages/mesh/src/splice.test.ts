import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectHttp2, createServer as createHttp2, type ServerHttp2Stream } from 'node:http2'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { cleanUp } from '@bulkhead/testing'
import { resettable, splice } from './splice.js'

/** Both ends of a TCP connection. */
async function pair(t: TestContext): Promise<[Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const near = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true })
  const [far] = await once(server, 'connection')
  server.close()
  cleanUp(t, () => {
    near.destroy()
    far.destroy()
  })
  return [near, far.on('error', () => {})]
}

/** Both ends of an HTTP/2 stream. */
async function stream(t: TestContext) {
  const server = createHttp2().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  cleanUp(t, () => {
    session.destroy()
    server.close()
  })
  const client = session.request({ ':method': 'CONNECT', ':authority': 'x:1' }, { endStream: false })
  const [own]: ServerHttp2Stream[] = await once(server, 'stream')
  assert.ok(own)
  own.respond({ ':status': 200 })
  await once(client, 'response')
  return { client: client.on('error', () => {}), own }
}

describe('splice', () => {
  for (const ended of [false, true])
    it(`takes the reset of a stream for no orderly end${ended ? ', even if its peer has ended its half before' : ''}`, async (t) => {
      const { client, own } = await stream(t)
      const [near, far] = await pair(t)
      const over = splice(resettable(own), { stream: near, reset: () => void near.resetAndDestroy() })
      let heard = ''
      far.on('data', (chunk: Buffer) => {
        heard += chunk
      })
      far.on('end', () => {
        heard += ' end'
      })
      client.write('hello')
      if (ended) client.end()
      const said = ended ? 'hello end' : 'hello'
      while (heard !== said) await new Promise(setImmediate)
      client.destroy(new Error('reset'))
      const { cut, sent } = await over
      assert.deepEqual([cut, sent], ['a', 5])
      assert.ok(near.destroyed && own.destroyed)
      // A reset, then, which one who has heard the end already learns when it speaks.
      far.write('x')
      await new Promise((resolve) => far.once('close', resolve))
      assert.equal(heard, said)
    })

  it('ends each direction for itself, and is over when both are', async (t) => {
    const { client, own } = await stream(t)
    const [near, far] = await pair(t)
    const over = splice(resettable(own), resettable(near))
    client.end('question')
    let text = ''
    far.on('data', (chunk: Buffer) => {
      text += chunk
    })
    await once(far, 'end')
    assert.equal(text, 'question')
    far.end('answer')
    client.resume()
    assert.deepEqual(await over, { sent: 8, received: 6 })
  })
})
