import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { cleanUp, eventually } from '@bulkhead/testing'
import { Client } from 'undici'
import type { MeshParts } from '../mesh.js'
import { identityOf, type Rules, shop, WAYPOINT } from '../testing/fake-snapshot.js'
import { type Rig, readAll, recordOf, startRig } from '../testing/harness.js'
import { sayOn, serve } from '../testing/http.js'
import type { MeshOptions } from '../types.js'
import { caller, podOf, startReal, withObjects } from './testing.js'

const SECOND = `${WAYPOINT}-2`

async function start(
  t: TestContext,
  waypoint: Rules['waypoint'] = {},
  parts: Partial<MeshParts> = {},
  options: Partial<MeshOptions> = {},
) {
  const rig = await startRig(t, { ...options, snapshot: shop({ waypoint }) }, parts)
  const held: ServerResponse[] = []
  await serve(rig, 'shop/web-api', (message, response) => {
    if (message.url === '/held') held.push(response)
    else response.end('served')
  })
  return { rig, held, call: caller(rig) }
}

/** A client that keeps its connection, as long as that lives. */
async function keeping(t: TestContext, { capture }: Rig, run = 'kept') {
  const socket = await capture.connect('shop/sleep', 'web-api', 80, run)
  const client = new Client('http://web-api', { connect: (_options, done) => queueMicrotask(() => done(null, socket)) })
  cleanUp(t, () => client.destroy())
  const get = async (path = '/'): Promise<string> => {
    const { statusCode, body } = await client.request({ method: 'GET', path })
    return `${statusCode} ${await body.text()}`
  }
  return { socket, get }
}

/** An open connection that carries no HTTP and has carried something. */
async function heldOpen(rig: Rig): Promise<Socket> {
  const socket = await rig.capture.connect('shop/sleep', 'web-api', 80, 'tcp')
  socket.write('ping')
  const [said] = await once(socket, 'data')
  assert.equal(String(said), 'ping')
  return socket
}

const cut = async (socket: Socket): Promise<string> => {
  const [reason] = await once(socket, 'error')
  return reason.code
}

describe('a policy that changes under a waypoint', () => {
  it('has the last word on the next request of a connection that is kept', async (t) => {
    const { rig } = await start(t)
    const { get } = await keeping(t, rig)
    assert.equal(await get(), '200 served')
    rig.mesh.swap(shop({ waypoint: { policy: () => 'deny' } }), 1)
    assert.equal(await get(), '403 RBAC: access denied')
    rig.mesh.swap(shop({ waypoint: {} }), 2)
    assert.equal(await get(), '200 served')
    // Behind it: the connection that was kept there is judged again, too.
    rig.mesh.swap(shop({ waypoint: {}, allow: { 'shop/web-api': [identityOf('shop/sleep')] } }), 3)
    assert.match(await get(), /^503 .*connection termination$/)
    assert.deepEqual(
      rig.mesh.flows({ run: 'kept' }).map(({ generation, outcome }) => [generation, outcome]),
      [
        [0, 'allow'],
        [1, 'deny'],
        [2, 'allow'],
        [3, 'deny'],
      ],
    )
  })

  it('closes what carries no HTTP where it denies it, at the waypoint and behind it', async (t) => {
    const cases: readonly (readonly [Rules, string])[] = [
      [{ waypoint: { application: 'tcp', policy: () => 'deny' } }, '0 waypoint'],
      [{ waypoint: { application: 'tcp' }, allow: { 'shop/web-api': [identityOf('shop/sleep')] } }, '1 ztunnel'],
      [{ waypoint: { application: 'tcp' }, drop: [`${WAYPOINT} > shop/web-api:15008`] }, '1 cni-ingress'],
      [{ waypoint: { application: 'tcp' }, drop: [`shop/sleep > ${WAYPOINT}:15008`] }, '0 cni-ingress'],
    ]
    for (const [rules, point] of cases) {
      const { rig } = await start(t, { application: 'tcp' })
      await rig.capture.app('shop/web-api', 8080, (socket) => void socket.pipe(socket))
      const socket = await heldOpen(rig)
      const closed = cut(socket)
      assert.ok(rig.mesh.swap(shop(rules), 1) > 0)
      assert.equal(await closed, 'ECONNRESET')
      const { flag, outcome, steps, decidedBy = -1 } = await recordOf(rig.mesh, 'tcp')
      const step = steps[decidedBy]
      assert.deepEqual([flag, outcome, `${step?.hop} ${step?.point}`], ['POLICY_CHANGE', 'deny', point])
    }
  })

  it('that takes the waypoint from the Service ends what it holds, in order; the next goes past', async (t) => {
    const { rig, call } = await start(t)
    const { socket, get } = await keeping(t, rig)
    assert.equal(await get(), '200 served')
    const ended = once(socket, 'end')
    rig.mesh.swap(shop({ waypoint: { services: [] } }), 1)
    await ended
    assert.equal((await call('shop/sleep', 'GET', '/', 'past')).status, 200)
    const { transport, http } = await recordOf(rig.mesh, 'past')
    assert.deepEqual([transport, http], ['hbone', undefined])
  })
})

describe('the pods of a waypoint', () => {
  it('are taken in turn, and only those that are ready; none is ready: the connection fails', async (t) => {
    const { rig, call } = await start(t, { replicas: 2 })
    const via = async (run: string) => {
      assert.equal((await call('shop/sleep', 'GET', '/', run)).status, 200)
      return rig.mesh.tunnels().open.filter(({ source }) => source === 'shop/sleep')
    }
    await via('first')
    assert.deepEqual((await via('second')).map(({ target }) => target).sort(), [WAYPOINT, SECOND])
    rig.mesh.setReady(WAYPOINT, false)
    await rig.mesh.removePod(WAYPOINT)
    for (const run of ['third', 'fourth'])
      assert.deepEqual(
        (await via(run)).map(({ target }) => target),
        [SECOND],
      )
    rig.mesh.setReady(SECOND, false)
    const socket = await rig.capture.connect('shop/sleep', 'web-api', 80, 'none')
    await assert.rejects(readAll(socket), { code: 'ECONNRESET' })
    const record = await recordOf(rig.mesh, 'none')
    assert.deepEqual(
      [record.outcome, record.symptom, record.flag, record.steps.at(-1)?.code],
      ['deny', 'reset', 'NO_ENDPOINT', 'network.no-endpoint'],
    )
  })

  it('answer what is in flight when they go, and take nothing more', async (t) => {
    const { rig, held } = await start(t)
    const { socket, get } = await keeping(t, rig)
    const answer = get('/held')
    const response = await eventually('the request', () => held[0])
    const ended = new Promise((resolve) => socket.once('close', resolve))
    rig.mesh.setReady(WAYPOINT, false)
    const removed = rig.mesh.removePod(WAYPOINT)
    const late = await rig.capture.connect('shop/sleep', 'web-api', 80, 'late')
    await assert.rejects(readAll(late), { code: 'ECONNRESET' })
    response.end('in time')
    assert.equal(await answer, '200 in time')
    await Promise.all([ended, removed])
  })

  it('that die in the midst of a request cut it: a reset, and from a gateway before them a 503', async (t) => {
    const { rig, held } = await start(t, {}, { gatewayTimeouts: { drainMs: 50 } })
    const { get } = await keeping(t, rig)
    const answer = assert.rejects(get('/held'))
    await eventually('the request', () => held[0])
    await rig.mesh.removePod(WAYPOINT)
    await answer
    const record = await recordOf(rig.mesh, 'kept')
    assert.deepEqual([record.http?.status, record.symptom], [undefined, 'no-answer'])
    const gateway = await startRig(
      t,
      { snapshot: shop({ gateway: {}, waypoint: { ingress: true } }) },
      { gatewayTimeouts: { drainMs: 50 } },
    )
    let asked = 0
    await serve(gateway, 'shop/web-api', () => {
      asked += 1
    })
    const { port } = await gateway.mesh.publish('shop/front-istio', 80, { at: 0, run: 'outside' })
    const got = fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })
    await eventually('the request', () => asked > 0)
    await gateway.mesh.removePod(WAYPOINT)
    const { status } = await got
    assert.equal(status, 503)
    assert.equal((await recordOf(gateway.mesh, 'outside')).symptom, 'gateway-503')
  })

  it('get new certificates under way, and requests go on', async (t) => {
    const { rig, call } = await start(t, {}, {}, { certificateTtlMs: 600 })
    const { get } = await keeping(t, rig)
    const serials = new Set<string>()
    await eventually('a third certificate', () => {
      for (const { source, serial } of rig.mesh.tunnels().open) if (source === WAYPOINT) serials.add(serial)
      void call('shop/sleep', 'GET', '/').catch(() => {})
      return serials.size >= 3 ? true : undefined
    })
    assert.equal(await get(), '200 served')
    assert.equal((await call('shop/sleep', 'GET', '/', 'last')).status, 200)
  })

  it('share no connection behind them between two Services of the same pods', async (t) => {
    const rig = await startReal(t, withObjects())
    const sockets = new Map<string, Set<unknown>>()
    await serve(rig, podOf('shop/web-api'), ({ headers: { host = '' }, socket }, response) => {
      sockets.set(host, (sockets.get(host) ?? new Set()).add(socket))
      response.end()
    })
    for (const host of ['web-api', 'direct', 'web-api', 'direct'])
      assert.equal((await caller(rig, host)(podOf('shop/sleep'), 'GET', '/')).status, 200)
    assert.deepEqual(
      [...sockets].map(([host, { size }]) => [host, size]),
      [
        ['web-api', 1],
        ['direct', 1],
      ],
    )
    assert.notDeepEqual(sockets.get('web-api'), sockets.get('direct'))
  })

  it('hold who says nothing no longer than it takes to see that it is no HTTP', async (t) => {
    const { rig } = await start(t, {}, { firstBytesMs: 50 })
    await rig.capture.app('shop/web-api', 8080, (socket) => socket.write('server speaks first'))
    const socket = await rig.capture.connect('shop/sleep', 'web-api', 80, 'silent')
    const [said] = await once(socket, 'data')
    assert.equal(String(said), 'server speaks first')
    socket.resetAndDestroy()
    assert.equal((await recordOf(rig.mesh, 'silent')).http, undefined)
    // In two pieces it is still HTTP.
    const { rig: other } = await start(t, {}, { firstBytesMs: 10_000 })
    const slow = await other.capture.connect('shop/sleep', 'web-api', 80, 'slow')
    slow.write('GE')
    const answer = sayOn(slow, `T / HTTP/1.1\r\nhost: web-api\r\nconnection: close\r\n\r\n`)
    assert.match(await answer, /^HTTP\/1.1 200 /)
  })
})
