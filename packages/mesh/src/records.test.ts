import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { describe, it } from 'node:test'
import { eventually } from '@bulkhead/testing'
import type { FlowRecord } from '@bulkhead/verdict'
import { identityOf } from './testing/fake-snapshot.js'
import { show } from './testing/forge.js'
import { type Rig, readAll, startRig } from './testing/harness.js'

const webApi = '10.244.1.2'
const strangers = 'spiffe://elsewhere.example/ns/shop/sa/sleep'

/** All records, once nothing is open any more and both sides have had their say. */
async function records({ mesh }: Rig, atLeast = 1): Promise<readonly FlowRecord[]> {
  await eventually('nothing open', () => mesh.openConnections === 0 && mesh.flows().length >= atLeast)
  await new Promise((resolve) => setTimeout(resolve, 20))
  return mesh.flows()
}

describe('every connection ends in one record', () => {
  it('of a handshake that the destination refuses: with its reason, and what the app saw', async (t) => {
    const rig = await startRig(t, { identityOf: (key) => (key === 'shop/sleep' ? strangers : identityOf(key)) })
    const started = performance.now()
    await assert.rejects(readAll(await rig.capture.connect('shop/sleep', 'web-api', 80)), { code: 'ECONNRESET' })
    // At once: the wait for an answer is 10 s.
    assert.ok(performance.now() - started < 5_000)
    const [record, ...more] = await records(rig)
    assert.deepEqual(more, [])
    assert.deepEqual([record?.flag, record?.symptom], ['TLS_FAILURE', 'reset'])
    assert.match(record?.error ?? '', /trust domain "elsewhere\.example"/)
    const said = record?.steps.filter(({ code }) => code.startsWith('hbone.')).map(({ code }) => code)
    assert.deepEqual(said, ['hbone.untrusted-certificate'])
  })

  it('of a handshake that the source refuses, each connect for itself', async (t) => {
    const rig = await startRig(t, {
      identityOf: (key) => identityOf(key === 'shop/web-api' ? 'shop/recommendation' : key),
    })
    const sockets = await Promise.all([1, 2, 3].map(() => rig.capture.connect('shop/sleep', 'web-api', 80)))
    await Promise.all(sockets.map((socket) => assert.rejects(readAll(socket), { code: 'ECONNRESET' })))
    const all = await records(rig, 3)
    assert.equal(all.length, 3)
    for (const { flag, error } of all) {
      assert.equal(flag, 'TLS_FAILURE')
      assert.match(error ?? '', /identity verification error/)
    }
  })

  it('of a raw connection to the HBONE port that is given up before it has said anything', async (t) => {
    const rig = await startRig(t)
    const socket = await rig.capture.connect('shop/outsider', webApi, 15008, 'knock')
    socket.write('x')
    await eventually('the connection', () => rig.mesh.openConnections > 0)
    socket.resetAndDestroy()
    assert.deepEqual(
      (await records(rig)).map(({ run }) => run),
      ['knock'],
    )
  })

  it('of a session without a stream; with streams, of each stream', async (t) => {
    const rig = await startRig(t)
    await rig.capture.app('shop/web-api', 8080, (socket) => socket.end('served'))
    const { certificate, key } = await rig.mesh.issue(identityOf('shop/sleep'))
    const session = async (run: string) => {
      const socket = await rig.capture.connect('shop/outsider', webApi, 15008, run)
      const secure = await show(socket, { cert: certificate, key })
      const made = connectHttp2('https://web-api', { createConnection: () => secure })
      await once(made, 'remoteSettings')
      return made
    }
    const idle = await session('idle')
    idle.destroy()
    assert.deepEqual(
      (await records(rig)).map(({ run, outcome, destination }) => [run, outcome, destination.port]),
      [['idle', 'allow', 15008]],
    )
    const busy = await session('busy')
    const ask = async () => {
      const stream = busy.request({ ':method': 'CONNECT', ':authority': `${webApi}:8080` }, { endStream: false })
      stream.end()
      assert.equal(await readAll(stream), 'served')
    }
    await ask()
    await ask()
    busy.destroy()
    assert.deepEqual(
      (await records(rig, 3)).slice(1).map(({ run, outcome, destination }) => [run, outcome, destination.port]),
      [
        ['busy', 'allow', 8080],
        ['busy', 'allow', 8080],
      ],
    )
  })

  it('of a connect whose client never comes', async (t) => {
    const rig = await startRig(t)
    for (const [port, run] of [
      [8080, 'app'],
      [15008, 'hbone'],
    ] as const) {
      await rig.capture.app('shop/web-api', 8080, () => {})
      const answer = await rig.capture.ask('shop/outsider', webApi, port, run)
      assert.ok(answer.kind === 'accept')
      answer.abandon()
    }
    assert.deepEqual(
      (await records(rig, 2)).map(({ run }) => run),
      ['app', 'hbone'],
    )
  })
})
