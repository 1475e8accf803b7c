import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { eventually } from '@bulkhead/testing'
import { identityOf, shop } from './testing/fake-snapshot.js'
import { readAll, startRig } from './testing/harness.js'

/*
 * Whoever ends a pod asks what has been sent to it and is not there yet: from the answer to a connect on, long before
 * its client comes for it.
 */

for (const from of ['shop/sleep', 'shop/outsider']) {
  test(`${from}: a connect is on its way until what listens has it`, async (t) => {
    const { mesh, capture } = await startRig(t)
    let taken = 0
    await capture.app('shop/web-api', 8080, (socket) => {
      taken += 1
      socket.once('data', () => socket.end('served'))
    })
    const answer = await capture.ask(from, 'web-api', 80)
    assert.ok(answer.kind === 'accept')
    assert.equal(mesh.approaching('shop/web-api'), 1)
    assert.equal(mesh.approaching('shop/recommendation'), 0)
    // Out of its Services: who asks from now on is sent elsewhere, and who was sent is still awaited.
    mesh.setReady('shop/web-api', false)
    assert.equal(mesh.approaching('shop/web-api'), 1)
    const client = await capture.come(answer)
    await eventually('the connection’s arrival', () => mesh.approaching('shop/web-api') === 0)
    await eventually('the app to have it', () => taken === 1)
    const text = readAll(client)
    client.end('go')
    assert.equal(await text, 'served')
    await eventually('nothing on its way', () => mesh.held['connections on their way'] === 0)
  })

  test(`${from}: what is given up, refused, or comes to nothing is not on its way any more`, async (t) => {
    const { mesh, capture } = await startRig(t)
    const waiting = async () => {
      const answer = await capture.ask(from, 'web-api', 80)
      assert.ok(answer.kind === 'accept')
      assert.equal(mesh.approaching('shop/web-api'), 1)
      return answer
    }
    await capture.app('shop/web-api', 8080, (socket) => socket.end('served'))
    ;(await waiting()).abandon()
    assert.equal(mesh.approaching('shop/web-api'), 0)
    const denied = await waiting()
    mesh.swap(shop({ allow: { 'shop/web-api': [identityOf('shop/notsleep')] } }), 1)
    const [error] = await once(await capture.come(denied), 'error')
    assert.equal(error.code, 'ECONNRESET')
    assert.equal(mesh.approaching('shop/web-api'), 0)
    mesh.swap(shop(), 2)
    const removed = await waiting()
    const client = await capture.come(removed)
    client.on('error', () => {})
    await mesh.removePod('shop/web-api')
    assert.equal(mesh.approaching('shop/web-api'), 0)
  })
}
