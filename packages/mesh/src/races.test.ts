import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { describe, it } from 'node:test'
import { eventually } from '@bulkhead/testing'
import type { JudgeAt } from '@bulkhead/verdict'
import { fakeJudgeAt } from './testing/fake-engine.js'
import { identityOf, shop } from './testing/fake-snapshot.js'
import { type Rig, readAll, recordOf, startRig } from './testing/harness.js'

const echo = (socket: NodeJS.ReadWriteStream) => void socket.pipe(socket)

/** A connect that was answered with yes, before its client comes for it. */
async function answered({ capture }: Rig, pod: string, host: string, run: string) {
  const answer = await capture.ask(pod, host, 80, run)
  assert.ok(answer.kind === 'accept')
  return () => capture.come(answer)
}

describe('a swap between the answer to a connect and its first byte', () => {
  for (const [from, to, rules] of [
    ['shop/outsider', 'plain', { drop: ['shop/outsider > shop/plain:8080'] }],
    ['shop/outsider', 'web-api', { strict: ['shop/web-api'] }],
    ['shop/outsider', 'web-api', { drop: ['shop/outsider > shop/web-api:8080'] }],
    ['shop/sleep', 'web-api', { allow: { 'shop/web-api': [identityOf('shop/notsleep')] } }],
    ['shop/sleep', 'web-api', { drop: ['shop/sleep > shop/web-api:15008'] }],
  ] as const) {
    it(`is heeded: ${from} -> ${to}, ${JSON.stringify(rules)}`, async (t) => {
      const rig = await startRig(t)
      let reached = 0
      await rig.capture.app(`shop/${to}`, 8080, (socket) => {
        reached += 1
        socket.end('served')
      })
      const control = await (await answered(rig, from, to, 'control'))()
      assert.equal(await readAll(control), 'served')
      control.end()
      reached = 0
      const come = await answered(rig, from, to, 'late')
      rig.mesh.swap(shop(rules), 1)
      await assert.rejects(readAll(await come()), { code: 'ECONNRESET' })
      const { outcome, generation } = await recordOf(rig.mesh, 'late')
      assert.deepEqual([outcome, generation, reached], ['deny', 1, 0])
    })
  }

  it('is heeded where it takes the destination into the mesh', async (t) => {
    const inside = shop()
    const pod = inside.pods.get('shop/web-api')
    assert.ok(pod)
    const outside = { ...inside, pods: new Map(inside.pods).set(pod.key, { ...pod, mesh: false }) }
    const rig = await startRig(t, { snapshot: outside })
    let reached = 0
    await rig.capture.app('shop/web-api', 8080, (socket) => {
      reached += 1
      socket.end('served')
    })
    const control = await (await answered(rig, 'shop/sleep', 'web-api', 'control'))()
    assert.equal(await readAll(control), 'served')
    control.end()
    for (const from of ['shop/sleep', 'shop/outsider']) {
      rig.mesh.swap(outside, 1)
      const come = await answered(rig, from, 'web-api', from)
      rig.mesh.swap(shop({ strict: ['shop/web-api'], allow: { 'shop/web-api': [] } }), 2)
      await assert.rejects(readAll(await come()), { code: 'ECONNRESET' })
      await recordOf(rig.mesh, from)
    }
    assert.equal(reached, 1)
  })

  it('that removes a pod is the end of it', async (t) => {
    const rig = await startRig(t)
    await rig.capture.app('shop/plain', 8080, (socket) => socket.end('served'))
    for (const from of ['shop/sleep', 'shop/outsider']) {
      rig.mesh.swap(shop(), 1)
      const come = await answered(rig, from, 'plain', from)
      rig.mesh.swap(shop({}, ['shop/plain']), 2)
      await assert.rejects(readAll(await come()), { code: 'ECONNRESET' })
      const { flag, error } = await recordOf(rig.mesh, from)
      assert.deepEqual([flag, error], ['CONNECT', 'connection closed: the pod was removed'])
    }
  })
})

describe('an engine that throws', () => {
  it('denies what it is asked about, and keeps nothing from being judged', async (t) => {
    let broken = ''
    const judgeAt: JudgeAt = (point, evidence, snapshot) => {
      if (point === 'ztunnel' && 'destination' in evidence && evidence.destination.key === broken)
        throw new Error('no idea')
      return fakeJudgeAt(point, evidence, snapshot)
    }
    const rig = await startRig(t, {}, { judgeAt })
    const open = async (from: string, to: string) => {
      await rig.capture.app(`shop/${to}`, 8080, echo)
      const socket = await rig.capture.connect(from, to, 80, `${from} ${to}`)
      socket.write('x')
      await once(socket, 'data')
      return socket
    }
    const unjudged = await open('shop/sleep', 'web-api')
    const denied = await open('shop/sleep', 'recommendation')
    const allowed = await open('shop/sleep', 'notsleep')
    broken = 'shop/web-api'
    const closed = [unjudged, denied].map((socket) => assert.rejects(readAll(socket), { code: 'ECONNRESET' }))
    assert.equal(rig.mesh.swap(shop({ allow: { 'shop/recommendation': [] } }), 1), 2)
    await Promise.all(closed)
    assert.match((await recordOf(rig.mesh, 'shop/sleep web-api')).error ?? '', /cannot be judged: Error: no idea/)
    allowed.write('y')
    assert.equal(String((await once(allowed, 'data'))[0]), 'y')
    allowed.destroy()
    // New ones too, in the mesh and in plain text.
    for (const from of ['shop/notsleep', 'shop/outsider'])
      await assert.rejects(readAll(await rig.capture.connect(from, 'web-api', 80)), { code: 'ECONNRESET' })
  })
})

describe('a pod that goes', () => {
  it('takes the tunnels along that are only being opened', async (t) => {
    const rig = await startRig(t)
    await rig.capture.app('shop/web-api', 8080, (socket) => socket.end('served'))
    for (const gone of ['shop/sleep', 'shop/web-api']) {
      const come = await answered(rig, 'shop/sleep', 'web-api', gone)
      const socket = await come()
      await eventually('the connection', () => rig.mesh.openConnections > 0)
      const removed = rig.mesh.removePod(gone)
      await assert.rejects(readAll(socket), { code: 'ECONNRESET' })
      await removed
      const record = await recordOf(rig.mesh, gone)
      assert.deepEqual([record.flag, record.symptom], ['CONNECT', 'reset'])
      await eventually('nothing open', () => rig.mesh.openConnections === 0)
      assert.deepEqual(rig.mesh.tunnels().open, [])
      // There again at once, under its name.
      await rig.mesh.addPod(gone)
      rig.mesh.setReady(gone, true)
      if (gone === 'shop/web-api') await rig.capture.app(gone, 8080, (served) => served.end('served'))
      const again = await rig.capture.connect('shop/sleep', 'web-api', 80)
      assert.equal(await readAll(again), 'served')
      again.end()
      await eventually('nothing open', () => rig.mesh.openConnections === 0)
      // So that the next round opens a session anew.
      await rig.mesh.removePod('shop/sleep')
      await rig.mesh.addPod('shop/sleep')
    }
    assert.equal(rig.mesh.flows().length, 4)
  })

  it('leaves no connection behind, in the middle of a transfer', async (t) => {
    const rig = await startRig(t)
    const open = () => readdirSync('/dev/fd').length
    const transfer = async () => {
      await rig.capture.app('shop/web-api', 8080, (socket) => {
        socket
          .on('error', () => {})
          .on('end', () => socket.destroy())
          .resume()
      })
      const socket = await rig.capture.connect('shop/sleep', 'web-api', 80)
      const chunk = Buffer.alloc(256 * 1024)
      const more = () => socket.destroyed || socket.write(chunk, () => void setImmediate(more))
      more()
      await eventually('some megabytes', () => socket.bytesWritten > 2 * 1024 * 1024)
      const gone = assert.rejects(once(socket, 'close'))
      await rig.mesh.removePod('shop/web-api')
      await gone
      await rig.mesh.addPod('shop/web-api')
      rig.mesh.setReady('shop/web-api', true)
    }
    await transfer()
    await eventually('nothing open', () => rig.mesh.openConnections === 0)
    const before = open()
    for (let round = 0; round < 10; round += 1) await transfer()
    await eventually(`no more than ${before} open files`, () => open() <= before)
  })

  it('and is there again before it has gone, stays', async (t) => {
    const rig = await startRig(t)
    const going = rig.mesh.removePod('shop/web-api')
    const coming = rig.mesh.addPod('shop/web-api')
    await Promise.all([going, rig.mesh.removePod('shop/web-api'), coming])
    assert.ok(rig.capture.pods.has('shop/web-api'))
    assert.ok(rig.mesh.hbonePath('shop/web-api'))
  })

  it('or comes while its label changes, is what the label says', async (t) => {
    const inside = shop()
    const pod = inside.pods.get('shop/web-api')
    assert.ok(pod)
    const outside = { ...inside, pods: new Map(inside.pods).set(pod.key, { ...pod, mesh: false }) }
    const rig = await startRig(t)
    await rig.mesh.removePod(pod.key)
    const coming = rig.mesh.addPod(pod.key)
    await new Promise(setImmediate)
    rig.mesh.swap(outside, 1)
    await coming
    assert.equal(rig.mesh.hbonePath(pod.key), undefined)
    rig.mesh.swap(inside, 2)
    await eventually('its HBONE port', () => rig.mesh.hbonePath(pod.key))
  })
})
