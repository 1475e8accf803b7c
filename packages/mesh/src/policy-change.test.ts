import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { describe, it } from 'node:test'
import { eventually } from '@bulkhead/testing'
import { identityOf, shop } from './testing/fake-snapshot.js'
import { type Rig, readAll, recordOf, startRig } from './testing/harness.js'

const sleep = identityOf('shop/sleep')
const notsleep = identityOf('shop/notsleep')

const echo = (socket: Socket) => void socket.pipe(socket)

/** An open connection that has carried something, so that it is certainly through. */
async function held({ capture }: Rig, pod: string, host = 'web-api'): Promise<Socket> {
  const socket = await capture.connect(pod, host, 80, pod)
  socket.write('ping')
  const [said] = await once(socket, 'data')
  assert.equal(String(said), 'ping')
  return socket
}

const error = async (socket: Socket): Promise<string> => {
  const [reason] = await once(socket, 'error')
  return reason.code
}

describe('a policy that changes under open connections', () => {
  it('closes those that it denies and leaves the others', async (t) => {
    const rig = await startRig(t)
    await rig.capture.app('shop/web-api', 8080, echo)
    const [stays, goes, plain] = [
      await held(rig, 'shop/sleep'),
      await held(rig, 'shop/notsleep'),
      await held(rig, 'shop/outsider'),
    ]
    const closed = Promise.all([error(goes), error(plain)])
    assert.equal(rig.mesh.swap(shop({ allow: { 'shop/web-api': [sleep] } }), 7), 2)
    assert.equal(rig.mesh.generation, 7)
    assert.deepEqual(await closed, ['ECONNRESET', 'ECONNRESET'])
    for (const run of ['shop/notsleep', 'shop/outsider']) {
      const record = await recordOf(rig.mesh, run)
      assert.equal(record.flag, 'POLICY_CHANGE')
      assert.equal(record.error, 'connection closed due to policy change')
      assert.equal(record.symptom, 'reset')
      assert.equal(record.outcome, 'deny')
      assert.equal(record.generation, 7)
      assert.equal(record.steps.find(({ point }) => point === 'ztunnel')?.code, 'authz.no-rule-allows')
      assert.deepEqual([record.bytesSent, record.bytesReceived], [4, 4])
    }
    stays.write('pong')
    assert.equal(String((await once(stays, 'data'))[0]), 'pong')
    const rest = readAll(stays)
    stays.end()
    await rest
    const record = await recordOf(rig.mesh, 'shop/sleep')
    assert.deepEqual([record.outcome, record.flag, record.generation], ['allow', '-', 7])
    await eventually('nothing open', () => rig.mesh.openConnections === 0)
  })

  it('judges again with the identity of the certificate that the connection was opened with', async (t) => {
    const rig = await startRig(t, {
      identityOf: (key) => (key === 'shop/sleep' ? notsleep : key === 'shop/notsleep' ? sleep : identityOf(key)),
    })
    await rig.capture.app('shop/web-api', 8080, echo)
    const named = await held(rig, 'shop/sleep')
    const thief = await held(rig, 'shop/notsleep')
    const closed = error(named)
    assert.equal(rig.mesh.swap(shop({ allow: { 'shop/web-api': [sleep] } }), 1), 1)
    assert.equal(await closed, 'ECONNRESET')
    thief.destroy()
  })

  it('closes what the network no longer lets through, and what leads to a pod that is gone', async (t) => {
    const rig = await startRig(t)
    await rig.capture.app('shop/web-api', 8080, echo)
    await rig.capture.app('shop/plain', 8080, echo)
    const dropped = await held(rig, 'shop/sleep')
    const gone = await held(rig, 'shop/notsleep', 'plain')
    const closed = Promise.all([error(dropped), error(gone)])
    assert.equal(rig.mesh.swap(shop({ drop: ['shop/sleep > shop/web-api:15008'] }, ['shop/plain']), 1), 2)
    assert.deepEqual(await closed, ['ECONNRESET', 'ECONNRESET'])
    assert.equal((await recordOf(rig.mesh, 'shop/sleep')).flag, 'POLICY_CHANGE')
    const record = await recordOf(rig.mesh, 'shop/notsleep')
    assert.deepEqual([record.flag, record.error], ['CONNECT', 'connection closed: the pod was removed'])
  })

  it('closes what a removed pod had open, on both sides, and takes no new connection for it', async (t) => {
    const rig = await startRig(t)
    await rig.capture.app('shop/web-api', 8080, echo)
    await rig.capture.app('shop/recommendation', 8080, echo)
    const into = await held(rig, 'shop/sleep')
    const outOf = await held(rig, 'shop/web-api', 'recommendation')
    const closed = Promise.all([error(into), error(outOf)])
    await rig.mesh.removePod('shop/web-api')
    assert.deepEqual(await closed, ['ECONNRESET', 'ECONNRESET'])
    assert.deepEqual(rig.mesh.tunnels().open, [])
    await assert.rejects(readAll(await rig.capture.connect('shop/sleep', '10.244.1.2', 8080, 'later')))
    assert.equal((await recordOf(rig.mesh, 'later')).flag, 'CONNECT')
    await rig.mesh.addPod('shop/web-api')
    rig.mesh.setReady('shop/web-api', true)
    await rig.capture.app('shop/web-api', 8080, echo)
    ;(await held(rig, 'shop/sleep')).destroy()
  })

  it('takes a pod into the mesh and out of it as its label says, without a restart', async (t) => {
    const rig = await startRig(t)
    await rig.capture.app('shop/web-api', 8080, (socket) => socket.end('served'))
    const ask = async (run: string) => {
      const socket = await rig.capture.connect('shop/sleep', 'web-api', 80, run)
      socket.end()
      assert.equal(await readAll(socket), 'served')
      return (await recordOf(rig.mesh, run)).transport
    }
    assert.equal(await ask('before'), 'hbone')
    const plain = shop()
    const pod = plain.pods.get('shop/web-api')
    assert.ok(pod)
    const pods = new Map(plain.pods).set('shop/web-api', { ...pod, mesh: false })
    rig.mesh.swap({ ...plain, pods }, 1)
    assert.equal(await ask('out'), 'plaintext')
    await eventually('the port to be closed', () => rig.mesh.hbonePath('shop/web-api') === undefined)
    rig.mesh.swap(plain, 2)
    await eventually('the port to be open', () => rig.mesh.hbonePath('shop/web-api'))
    assert.equal(await ask('in'), 'hbone')

    // Out and in again before it was out: whoever waits for it finds it there.
    rig.mesh.swap({ ...plain, pods }, 3)
    rig.mesh.swap(plain, 4)
    await rig.mesh.enrolled()
    assert.ok(rig.mesh.hbonePath('shop/web-api'))
    assert.equal(await ask('at once'), 'hbone')
    rig.mesh.swap({ ...plain, pods }, 5)
    await rig.mesh.enrolled()
    assert.equal(rig.mesh.hbonePath('shop/web-api'), undefined)
    rig.mesh.swap(plain, 6)
    await rig.mesh.enrolled()
    assert.ok(rig.mesh.hbonePath('shop/web-api'))
  })
})
