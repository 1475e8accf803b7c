import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { eventually } from '@bulkhead/testing'
import type { HttpRequest } from '@bulkhead/verdict'
import { Client } from 'undici'
import { forward, identityOf, type Rules, shop } from '../testing/fake-snapshot.js'
import { recordOf, startRig } from '../testing/harness.js'
import { door, say, serve, text } from '../testing/http.js'

const HEAD = 'HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\n'

/** A gateway that has a connection to the app open, on which one request has been answered. */
async function start(t: TestContext, rules: Rules['gateway'] = {}) {
  const rig = await startRig(t, { snapshot: shop({ gateway: rules }) })
  const asked: string[] = []
  const sockets = new Set<Socket>()
  await serve(rig, 'shop/web-api', async (message, response) => {
    asked.push(`${message.method} ${message.url}`)
    sockets.add(message.socket)
    // Once some of the body has come, if there is one.
    if (message.url === '/break' && message.headers['content-length'] === '10')
      return void message.once('data', () => message.socket.destroy())
    if (message.url === '/break') return void message.socket.destroy()
    response.end(`served ${await text(message)}`)
  })
  const first = await door(t, rig, 'first')
  assert.match(await say(t, first.port, `GET /first ${HEAD}\r\n`), /^HTTP\/1.1 200 /)
  const { port } = await door(t, rig)
  return { rig, port, asked, sockets }
}

/**
 * The app closes its connections just when the next request has been given to one of them, before anything of it is
 * written: the request waits until the end has come.
 */
function closeUnderTheNext(t: TestContext, sockets: ReadonlySet<Socket>): () => number {
  const dispatch = Client.prototype.dispatch
  let dispatched = 0
  t.mock.method(Client.prototype, 'dispatch', function (this: Client, ...given: Parameters<typeof dispatch>): boolean {
    dispatched += 1
    if (dispatched > 1) return dispatch.apply(this, given)
    this.once('disconnect', () => dispatch.apply(this, given))
    for (const socket of sockets) socket.destroy()
    return true
  })
  return () => dispatched
}

describe('a request whose connection was kept, and is dead', () => {
  for (const [method, rest] of [
    ['GET', '\r\n'],
    ['POST', 'content-length: 3\r\n\r\nabc'],
  ] as const)
    it(`is asked once more, on a new one, when nothing of it was sent: ${method}`, async (t) => {
      const { rig, port, asked, sockets } = await start(t)
      const dispatched = closeUnderTheNext(t, sockets)
      const answer = await say(t, port, `${method} /again ${HEAD}${rest}`)
      assert.match(answer, /^HTTP\/1.1 200 /)
      assert.ok(answer.endsWith(method === 'GET' ? 'served ' : 'served abc'), answer)
      // Twice to a connection, once to the app.
      assert.equal(dispatched(), 2)
      assert.deepEqual(asked, ['GET /first', `${method} /again`])
      assert.equal(sockets.size, 2)
      const record = await recordOf(rig.mesh, 'run')
      assert.deepEqual([record.outcome, record.symptom, record.http?.status], ['allow', 'ok', 200])
    })

  for (const [what, method, rest] of [
    ['all', 'GET', '\r\n'],
    ['all', 'POST', 'content-length: 0\r\n\r\n'],
    ['some', 'POST', 'content-length: 10\r\n\r\nabc'],
  ] as const)
    it(`is not asked a second time when ${what} of it was sent: ${method}`, async (t) => {
      const { rig, port, asked, sockets } = await start(t)
      const answer = await say(t, port, `${method} /break ${HEAD}${rest}`)
      assert.match(answer, /^HTTP\/1.1 503 /)
      assert.match(answer, /reset reason: connection termination/)
      assert.equal((await recordOf(rig.mesh, 'run')).symptom, 'gateway-503')
      assert.deepEqual(asked, ['GET /first', `${method} /break`])
      // It was the connection of the request before.
      assert.equal(sockets.size, 1)
    })

  it('is not asked at all when nobody waits any more before anything of it was sent', async (t) => {
    const route = (asked: HttpRequest) =>
      forward(asked, ['web-api'], asked.path === '/late' ? { requestTimeoutMs: 60 } : {})
    const { rig, port, asked } = await start(t, { route })
    const dispatch = Client.prototype.dispatch
    let held: (() => boolean) | undefined
    t.mock.method(
      Client.prototype,
      'dispatch',
      function (this: Client, ...given: Parameters<typeof dispatch>): boolean {
        held = () => dispatch.apply(this, given)
        return true
      },
    )
    assert.match(await say(t, port, `GET /late ${HEAD}\r\n`), /^HTTP\/1.1 504 /)
    held?.()
    await eventually('its connection to be gone', () => rig.mesh.openConnections === 0)
    assert.deepEqual(asked, ['GET /first'])
  })
})

describe('a connection that was kept, and is to end in order', () => {
  it('is asked for nothing more: what comes after the change is judged by it', async (t) => {
    const { rig, port, asked, sockets } = await start(t)
    // Nobody is let in any more who was before; connections end in order.
    rig.mesh.swap(shop({ gateway: {}, allow: { 'shop/web-api': [identityOf('shop/sleep')] } }), 1, { inOrder: true })
    const [socket] = sockets
    assert.equal(socket?.destroyed, false)
    assert.match(await say(t, port, `GET /after ${HEAD}\r\n`), /^HTTP\/1.1 503 /)
    const { decidedBy = -1, steps } = await recordOf(rig.mesh, 'run')
    assert.deepEqual([steps[decidedBy]?.point, steps[decidedBy]?.code], ['ztunnel', 'authz.no-rule-allows'])
    assert.deepEqual(asked, ['GET /first'])
  })
})
