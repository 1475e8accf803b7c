import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import { cleanUp } from '@bulkhead/testing'
import { Farewell } from './farewell.js'
import { pair } from './http/pair.js'
import { LOOK_MS, QUIET_LOOKS } from './looks.js'
import { resettable, splice } from './splice.js'

/** A client and an app, joined as a tunnel joins them. */
function joined() {
  const [client, near] = pair()
  const [far, app] = pair()
  const words = new Farewell(near, far)
  const over = splice(resettable(near), resettable(far), (sent, received) => words.heard(sent, received))
  const heard = async () => String((await once(client, 'data'))[0])
  const asked = async (text: string) => {
    const came = once(app, 'data')
    client.write(text)
    assert.equal(String((await came)[0]), text)
  }
  return { client, app, words, over, heard, asked }
}

/** Longer than quiet connections are left alone. */
const LONG_MS = 2 * LOOK_MS * QUIET_LOOKS

const request = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'
const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'
const last = 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok'

async function answered(joint: ReturnType<typeof joined>, text: string): Promise<string> {
  const heard = joint.heard()
  joint.app.write(text)
  return heard
}

describe('a connection that may not stay', () => {
  it('is the last one by the answer to what was asked before, or is asked next', async () => {
    for (const before of [true, false]) {
      const joint = joined()
      if (!before) joint.words.begin()
      await joint.asked(request)
      if (before) joint.words.begin()
      assert.equal(await answered(joint, answer), last)
      for (const end of [joint.client, joint.app]) end.destroy()
      await joint.over
    }
  })

  it('leaves an answer that has begun, one that is not the last word, and what is no HTTP', async () => {
    const joint = joined()
    await joint.asked(request)
    const head = 'HTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\n'
    assert.equal(await answered(joint, head), head)
    joint.words.begin()
    // Of a body that looks like a head.
    assert.equal(await answered(joint, answer), answer)
    await joint.asked(request)
    const early = 'HTTP/1.1 100 Continue\r\n\r\n'
    assert.equal(await answered(joint, early), early)
    assert.equal(await answered(joint, answer), last)
    await joint.asked('*1\r\n')
    assert.equal(await answered(joint, '+PONG\r\n'), '+PONG\r\n')
    for (const end of [joint.client, joint.app]) end.destroy()
    await joint.over
  })

  it('ends in order when it is quiet, and not while somebody waits', async (t) => {
    const joint = joined()
    // Its own clock keeps no process alive.
    const alive = setInterval(() => undefined, LONG_MS)
    cleanUp(t, () => clearInterval(alive))
    await joint.asked(request)
    joint.words.begin()
    let ended = false
    joint.client.once('end', () => {
      ended = true
      joint.client.end()
    })
    await new Promise((resolve) => setTimeout(resolve, LONG_MS))
    assert.equal(ended, false)
    // In order for the client, which reads no reset; the app has nobody to tell any more.
    joint.app.once('error', () => undefined)
    joint.client.once('error', (error) => assert.fail(error))
    assert.equal(await answered(joint, answer), last)
    await joint.over
    assert.equal(ended, true)
  })
  it('is not quiet while the process stands still: what has come meanwhile is read before', async (t) => {
    const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
    cleanUp(t, () => server.close())
    await once(server, 'listening')
    const address = server.address()
    assert.ok(typeof address === 'object' && address !== null)
    const client = connect({ port: address.port, host: '127.0.0.1' })
    const [near] = (await once(server, 'connection')) as [Socket]
    const [far, app] = pair()
    const words = new Farewell(near, far)
    const over = splice(resettable(near), resettable(far), (sent, received) => words.heard(sent, received))
    words.begin()
    client.write(request)
    // The request is in the kernel, and every timer is due before it is read.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LONG_MS)
    assert.equal(String((await once(app, 'data'))[0]), request)
    const heard = once(client, 'data')
    app.write(answer)
    assert.equal(String((await heard)[0]), last)
    for (const end of [client, app]) end.destroy()
    await over
  })
})
