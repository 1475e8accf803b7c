import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { eventually } from '@bulkhead/testing'
import type { HeaderChange, HttpRequest, NextHop, RouteDecision } from '@bulkhead/verdict'
import type { MeshParts } from '../mesh.js'
import { fakeNextHop } from '../testing/fake-engine.js'
import { FRONT, forward, redirect, shop } from '../testing/fake-snapshot.js'
import { recordOf, startRig } from '../testing/harness.js'
import { door, say, serve } from '../testing/http.js'

/* What a route's author writes goes out as it is written, or the request is refused: it never hangs, and costs no connection. */

const set = (value: string): HeaderChange => ({ set: [['x-set', value]], add: [], remove: [] })
const GET = 'GET / HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\n\r\n'
/** As the wire has it: UTF-8. */
const wire = (text: string): string => Buffer.from(text).toString('latin1')

async function start(t: TestContext, route: (asked: HttpRequest) => RouteDecision, parts: Partial<MeshParts> = {}) {
  const rig = await startRig(t, { snapshot: shop({ gateway: { route } }) }, parts)
  const asked: string[] = []
  await serve(rig, 'shop/web-api', (message, response) => {
    asked.push(`${message.url} ${message.headers['x-set']}`)
    response.end('served')
  })
  const { port } = await door(t, rig)
  return { rig, asked, ask: (bytes = GET) => say(t, port, bytes) }
}

describe('what a route says', () => {
  it('in letters of any script is UTF-8 on the wire', async (t) => {
    const { asked, ask } = await start(t, (request) =>
      forward(request, ['web-api'], {
        request: { ...request, headers: { ...request.headers, 'x-set': '值' } },
        responseHeaders: [set('答')],
      }),
    )
    const served = await ask()
    assert.match(served, /^HTTP\/1.1 200 /)
    assert.ok(served.includes(`\r\nx-set: ${wire('答')}\r\n`), served)
    assert.deepEqual(asked, [`/ ${wire('值')}`])
    const redirecting = await start(
      t,
      () => ({ ...redirect('http://shop.test/新'), responseHeaders: [set('答')] }) as RouteDecision,
    )
    const answer = await redirecting.ask()
    assert.ok(answer.includes(`\r\nlocation: http://shop.test/${wire('新')}\r\n`), answer)
    assert.ok(answer.includes(`\r\nx-set: ${wire('答')}\r\n`), answer)
  })

  it('that no header may hold is a 500 of a redirect, and a 503 of what would go on; no connection stays behind', async (t) => {
    const redirecting = await start(
      t,
      () => ({ ...redirect('/'), responseHeaders: [set('a\r\nb: c')] }) as RouteDecision,
    )
    const answer = await redirecting.ask()
    assert.match(answer, /^HTTP\/1.1 500 /)
    assert.doesNotMatch(answer, /\r\nb: c/)
    assert.equal((await recordOf(redirecting.rig.mesh, 'run')).symptom, 'gateway-500')

    const { rig, asked, ask } = await start(t, (request) =>
      forward(request, ['web-api'], { request: { ...request, headers: { 'x-set': 'a\r\nb: c' } } }),
    )
    for (let count = 0; count < 3; count += 1) assert.match(await ask(), /^HTTP\/1.1 503 /)
    assert.deepEqual(asked, [])
    await eventually('all connections to be gone', () => rig.mesh.openConnections === 0)
  })

  it('of an answer’s framing is not heard', async (t) => {
    const framing: HeaderChange = {
      set: [['content-length', '3']],
      add: [['transfer-encoding', 'chunked']],
      remove: [],
    }
    const { ask } = await start(t, (request) => forward(request, ['web-api'], { responseHeaders: [framing, set('a')] }))
    const answer = await ask()
    assert.match(answer, /\r\nx-set: a\r\n/)
    assert.doesNotMatch(answer, /content-length: 3/)
    assert.ok(answer.split(/transfer-encoding/i).length <= 2, answer)
    assert.match(answer, /served/)
  })
})

describe('what is not modelled', () => {
  it('of a policy at the gateway is a 403, as the filter fails closed', async (t) => {
    const rig = await startRig(t, { snapshot: shop({ gateway: { policy: () => 'unknown' } }) })
    const { port } = await door(t, rig)
    assert.match(await say(t, port, GET), /^HTTP\/1.1 403 /)
    assert.deepEqual((await recordOf(rig.mesh, 'run')).symptom, 'rbac-403')
  })

  it('behind the gateway is a 503, whatever the policies say, also on a connection that is open', async (t) => {
    let unread: NextHop['unread']
    const nextHop: MeshParts['nextHop'] = (asked, snapshot) => ({
      ...fakeNextHop(asked, snapshot),
      ...(unread && { unread }),
    })
    const { rig, asked, ask } = await start(t, (request) => forward(request), { nextHop })
    assert.match(await ask(), /^HTTP\/1.1 200 /)
    unread = { what: 'a DestinationRule with TLS of its own', id: 'DestinationRule/shop/tls', at: 'tls.yaml:1' }
    rig.mesh.swap(shop({ gateway: { route: (request) => forward(request) } }), 1)
    assert.match(await ask(), /^HTTP\/1.1 503 /)
    assert.equal(asked.length, 1)
    const record = await eventually('the second record', () => rig.mesh.flows({ run: 'run' })[1])
    assert.deepEqual(
      [record.outcome, record.symptom, record.steps.at(-1)?.code, record.steps.at(-1)?.policy],
      ['unknown', 'gateway-503', 'not-modelled', 'DestinationRule/shop/tls'],
    )
    assert.equal(record.destination.pod, FRONT)
  })
})
