import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { Farewell } from './farewell.js'
import { QUIET_MS } from './http/limits.js'
import { pair } from './http/pair.js'
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
    const alive = setInterval(() => undefined, QUIET_MS)
    t.after(() => clearInterval(alive))
    await joint.asked(request)
    joint.words.begin()
    let ended = false
    joint.client.once('end', () => {
      ended = true
      joint.client.end()
    })
    await new Promise((resolve) => setTimeout(resolve, 2 * QUIET_MS))
    assert.equal(ended, false)
    // In order for the client, which reads no reset; the app has nobody to tell any more.
    joint.app.once('error', () => undefined)
    joint.client.once('error', (error) => assert.fail(error))
    assert.equal(await answered(joint, answer), last)
    await joint.over
    assert.equal(ended, true)
  })
})
