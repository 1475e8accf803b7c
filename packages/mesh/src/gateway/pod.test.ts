import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import { cleanUp, eventually } from '@bulkhead/testing'
import { FRONT, identityOf, shop } from '../testing/fake-snapshot.js'
import { readAll, recordOf, startRig } from '../testing/harness.js'
import { door, raw, say, serve } from '../testing/http.js'

const GET = 'GET / HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\n\r\n'
const statusOf = (answer: string) => Number(answer.slice(9, 12))

describe("a gateway's pod", () => {
  it('answers callers inside the cluster, in the mesh and outside it, each with a record of its request', async (t) => {
    const rig = await startRig(t, { snapshot: shop({ gateway: {} }) })
    await serve(rig, 'shop/web-api', (message, response) => response.end(String(message.headers['x-forwarded-for'])))
    for (const [pod, ip] of [
      ['shop/sleep', '10.244.1.4'],
      ['shop/outsider', '10.244.1.6'],
    ] as const) {
      const socket = await rig.capture.connect(pod, 'front-istio', 80, pod)
      socket.write(GET)
      const answer = await readAll(socket)
      assert.equal(statusOf(answer), 200)
      assert.ok(answer.endsWith(ip), answer)
      const record = await recordOf(rig.mesh, pod)
      assert.deepEqual([record.transport, record.source.pod, record.symptom], ['http', pod, 'ok'])
      assert.deepEqual(
        record.steps.filter(({ hop }) => hop === 0).map(({ point }) => point),
        ['cni-egress', 'cni-ingress', 'gateway', 'gateway'],
      )
      assert.equal(rig.mesh.flows({ run: pod }).length, 1)
    }
  })

  it('listens at its listeners, which come and go, and says that it is ready', async (t) => {
    const rig = await startRig(t, { snapshot: shop({ gateway: {} }) })
    await serve(rig, 'shop/web-api', (_message, response) => response.end('served'))
    assert.deepEqual(rig.mesh.listening(FRONT), [80, 15021])
    for (const [path, status] of [
      ['/healthz/ready', 200],
      ['/else', 404],
    ] as const) {
      const probe = await rig.mesh.dialAsKubelet(FRONT, 15021)
      probe.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
      assert.equal(statusOf(await readAll(probe)), status)
    }
    await assert.rejects(rig.mesh.dialAsKubelet(FRONT, 81), { code: 'ECONNREFUSED' })

    const { port } = await door(t, rig)
    const socket = await raw(t, port)
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
    await once(socket, 'data')
    const ended = once(socket, 'end')
    rig.mesh.swap(shop({ gateway: { ports: [8080] } }), 1)
    await ended
    assert.deepEqual(rig.mesh.listening(FRONT), [8080, 15021])
    await assert.rejects(rig.capture.connect('shop/outsider', '10.244.1.80', 80), { code: 'ECONNREFUSED' })
    const other = await rig.capture.connect('shop/outsider', '10.244.1.80', 8080)
    other.write(GET)
    assert.equal(statusOf(await readAll(other)), 200)
  })

  it('goes when what is in flight is answered, and takes nothing more', async (t) => {
    const rig = await startRig(t, { snapshot: shop({ gateway: {} }) })
    const held: ServerResponse[] = []
    await serve(rig, 'shop/web-api', (_message, response) => void held.push(response))
    const { port } = await door(t, rig)
    const [idle, busy] = [await raw(t, port), await raw(t, port)]
    busy.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
    const idleEnd = once(idle, 'end')
    idle.resume()
    const response = await eventually('the request', () => held[0])
    const removed = rig.mesh.removePod(FRONT)
    await idleEnd
    assert.match(await say(t, port, GET), /\[reset\]$/)
    response.end('late')
    const answer = await readAll(busy)
    assert.equal(statusOf(answer), 200)
    assert.match(answer, /connection: close/i)
    busy.end()
    idle.end()
    await removed
    await eventually('nothing open', () => rig.mesh.openConnections === 0)
    const record = rig.mesh.flows({ run: 'run' }).find(({ transport }) => transport === 'http')
    assert.deepEqual([record?.symptom, record?.flag], ['ok', '-'])
    await rig.mesh.addPod(FRONT)
    rig.mesh.setReady(FRONT, true)
    const again = say(t, port, GET)
    await eventually('the next request', () => held[1]).then((next) => next.end('again'))
    assert.equal(statusOf(await again), 200)
  })

  it('goes all the same when an answer never comes, after its deadline', async (t) => {
    const parts = { gatewayTimeouts: { drainMs: 50 } }
    const rig = await startRig(t, { snapshot: shop({ gateway: {} }) }, parts)
    const held: ServerResponse[] = []
    await serve(rig, 'shop/web-api', (_message, response) => void held.push(response))
    const { port } = await door(t, rig)
    const answer = say(t, port, GET)
    await eventually('the request', () => held[0])
    await rig.mesh.removePod(FRONT)
    assert.equal(await answer, '[reset]')
  })
})

describe('a published port', () => {
  it('leads to a pod in the mesh as a caller without an identity', async (t) => {
    const rig = await startRig(t, { snapshot: shop() })
    await serve(rig, 'shop/web-api', (_message, response) => response.end('served'))
    const { port, close } = await rig.mesh.publish('shop/web-api', 80, { at: 0, run: 'open' })
    assert.equal(statusOf(await say(t, port, GET)), 200)
    const open = await recordOf(rig.mesh, 'open')
    assert.deepEqual([open.transport, open.source, open.symptom], ['plaintext', { ip: '172.18.0.1' }, 'ok'])
    assert.equal(open.destination.service, 'shop/web-api')

    const rules = { allow: { 'shop/web-api': [identityOf('shop/sleep')] } }
    rig.mesh.swap(shop(rules), 1)
    assert.equal(await say(t, port, GET), '[reset]')
    const [, denied] = await eventually('the second record', () => {
      const all = rig.mesh.flows({ run: 'open' })
      return all.length === 2 ? all : undefined
    })
    assert.deepEqual([denied?.outcome, denied?.symptom, denied?.flag], ['deny', 'reset', 'DENY'])
    assert.equal(denied?.steps.at(-1)?.code, 'authz.no-rule-allows')
    await close()
    await assert.rejects(raw(t, port), { code: 'ECONNREFUSED' })
  })

  it('without a ready pod behind it is a reset, with its reason in the record', async (t) => {
    const rig = await startRig(t, { snapshot: shop() })
    rig.mesh.setReady('shop/web-api', false)
    const { port, close } = await rig.mesh.publish('shop/web-api', 80, { at: 0, run: 'none' })
    cleanUp(t, close)
    assert.equal(await say(t, port, GET), '[reset]')
    assert.equal((await recordOf(rig.mesh, 'none')).flag, 'NO_ENDPOINT')
  })

  it('is on loopback, and says what is wrong with it', async (t) => {
    const rig = await startRig(t, { snapshot: shop() })
    const taken = createServer().listen(0, '127.0.0.1')
    cleanUp(t, () => taken.close())
    await once(taken, 'listening')
    const address = taken.address()
    const at = typeof address === 'object' && address !== null ? address.port : 0
    await assert.rejects(rig.mesh.publish('shop/web-api', 80, { at }), { code: 'EADDRINUSE' })
    await assert.rejects(rig.mesh.publish('shop/nobody', 80, { at: 0 }), /no Service "shop\/nobody"/)
    await assert.rejects(rig.mesh.publish('shop/web-api', 8080, { at: 0 }), /no TCP port 8080 \(it has 80, 81\)/)
  })
})
