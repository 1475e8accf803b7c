import assert from 'node:assert/strict'
import { mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import type { Snapshot } from '@bulkhead/verdict'
import { shop } from './testing/fake-snapshot.js'
import { readAll, startRig } from './testing/harness.js'

describe('the life of a mesh', () => {
  it('has private sockets while it is up, and none afterwards', async (t) => {
    const { mesh, runDir } = await startRig(t)
    assert.equal((await stat(runDir)).mode & 0o777, 0o700)
    assert.equal((await stat(join(runDir, 'hbone'))).mode & 0o777, 0o700)
    // One per pod in the mesh; the two that are not have none.
    assert.equal((await readdir(join(runDir, 'hbone'))).length, 4)
    await mesh.close()
    await mesh.close()
    assert.deepEqual(await readdir(join(runDir, 'hbone')), [])
  })

  it('says what is wrong with a path that is too long for a socket', async (t) => {
    const folder = temporaryFolder(t)
    const runDir = join(folder, 'x'.repeat(90))
    await mkdir(runDir)
    await assert.rejects(
      startRig(t, { runDir }),
      /has \d+ bytes, and a unix socket's may have 103\. Give a shorter runDir\./,
    )
  })

  it('knows only pods of the snapshot, each once', async (t) => {
    const { mesh } = await startRig(t)
    await assert.rejects(mesh.addPod('shop/nobody'), /no pod "shop\/nobody" in the snapshot/)
    await assert.rejects(mesh.addPod('shop/sleep'), /pod "shop\/sleep" is there already/)
    assert.throws(() => mesh.grant('shop/nobody'), /no pod "shop\/nobody" is up/)
    await mesh.removePod('shop/nobody')
  })

  it('sends nothing to a pod that is not ready, and takes those that are in turn', async (t) => {
    const base = shop()
    const service = base.services.get('shop/web-api')
    assert.ok(service)
    const three = { ...service, endpoints: ['shop/notsleep', 'shop/recommendation', 'shop/web-api'] }
    const snapshot: Snapshot = { ...base, resolveName: (name) => ({ kind: 'service', name, service: three }) }
    const { mesh, capture } = await startRig(t, { snapshot })
    for (const name of ['notsleep', 'recommendation', 'web-api'])
      await capture.app(`shop/${name}`, 8080, (socket) => socket.end(name))
    const ask = async () => {
      const socket = await capture.connect('shop/sleep', 'web-api', 80)
      socket.end()
      return readAll(socket)
    }
    const all = [await ask(), await ask(), await ask(), await ask()]
    assert.deepEqual(all, ['notsleep', 'recommendation', 'web-api', 'notsleep'])
    mesh.setReady('shop/recommendation', false)
    const two = new Set([await ask(), await ask(), await ask(), await ask()])
    assert.deepEqual([...two].sort(), ['notsleep', 'web-api'])
  })

  it("drops the kubelet's probe where the network says so, and is stopped by a signal", async (t) => {
    const { mesh, capture } = await startRig(t, {
      snapshot: shop({
        strict: ['shop/web-api'],
        drop: ['169.254.7.127 > shop/web-api:8080', '172.18.0.3 > shop/outsider:8080'],
      }),
      connectTimeoutMs: 80,
    })
    const from: string[] = []
    for (const name of ['web-api', 'recommendation', 'plain', 'outsider'])
      await capture.app(`shop/${name}`, 8080, (_socket, { ip }) => from.push(`${name} ${ip}`))
    await assert.rejects(mesh.dialAsKubelet('shop/web-api', 8080), { code: 'ETIMEDOUT' })
    await assert.rejects(mesh.dialAsKubelet('shop/outsider', 8080), { code: 'ETIMEDOUT' })
    const stop = new AbortController()
    const asked = mesh.dialAsKubelet('shop/web-api', 8080, stop.signal)
    stop.abort(new Error('enough'))
    await assert.rejects(asked, /enough/)
    ;(await mesh.dialAsKubelet('shop/recommendation', 8080)).destroy()
    ;(await mesh.dialAsKubelet('shop/plain', 8080)).destroy()
    await assert.rejects(mesh.dialAsKubelet('shop/recommendation', 8081), { code: 'ECONNREFUSED' })
    await assert.rejects(mesh.dialAsKubelet('shop/nobody', 8080), { code: 'EHOSTUNREACH' })
    // From the node itself to a pod that ztunnel has nothing to do with.
    assert.deepEqual(from, ['recommendation 169.254.7.127', 'plain 172.18.0.4'])
  })
})
