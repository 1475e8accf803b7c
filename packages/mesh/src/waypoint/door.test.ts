import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { cleanUp, eventually } from '@bulkhead/testing'
import { MAX_CONNECTIONS } from '../http/limits.js'
import type { MeshParts } from '../mesh.js'
import { identityOf, shop, WAYPOINT } from '../testing/fake-snapshot.js'
import { show } from '../testing/forge.js'
import { type Rig, readAll, recordOf, startRig } from '../testing/harness.js'
import { sayOn, serve } from '../testing/http.js'

/* What comes to a waypoint's pod itself, past the sources' proxies. */

const ADDRESS = '10.244.1.90'
const SERVICE = '10.96.0.10'
const OTHER_SERVICE = '10.96.0.11'
const POD = '10.244.1.2'
const GET = 'GET / HTTP/1.1\r\nhost: web-api\r\nconnection: close\r\n\r\n'

async function start(t: TestContext, parts: Partial<MeshParts> = {}): Promise<{ rig: Rig; asked: string[] }> {
  const snapshot = shop({
    waypoint: { policy: ({ peer }) => (peer.identity === identityOf('shop/sleep') ? 'allow' : 'deny') },
  })
  const rig = await startRig(t, { snapshot }, parts)
  const asked: string[] = []
  await serve(rig, 'shop/web-api', ({ method, url }, response) => {
    asked.push(`${method} ${url}`)
    response.end('served')
  })
  return { rig, asked }
}

/** What is said to that CONNECT, and then to that request. */
async function tunnel(t: TestContext, rig: Rig, identity: string, authority: string, run: string) {
  const { certificate: cert, key } = await rig.mesh.issue(identity)
  const secure = await show(await rig.capture.connect('shop/outsider', ADDRESS, 15008, run), { cert, key })
  secure.on('error', () => {})
  const session = connectHttp2('https://waypoint', { createConnection: () => secure }).on('error', () => {})
  cleanUp(t, () => session.destroy())
  const stream = session
    .request({ ':method': 'CONNECT', ':authority': authority }, { endStream: false })
    .on('error', () => {})
  const [headers] = await once(stream, 'response')
  stream.write(GET)
  const body = await readAll(stream).catch((error: Error) => error.message)
  stream.destroy()
  return { status: headers[':status'], body }
}

describe("a waypoint's port 15008", () => {
  it('serves who has a certificate, as whoever it names, and by the Service that it names only', async (t) => {
    const { rig, asked } = await start(t)
    const good = await tunnel(t, rig, identityOf('shop/sleep'), `${SERVICE}:80`, 'good')
    assert.equal(good.status, 200)
    assert.match(good.body, /^HTTP\/1.1 200 OK[\s\S]*served/)
    const record = await recordOf(rig.mesh, 'good')
    assert.deepEqual([record.source.identity, record.http?.status], [identityOf('shop/sleep'), 200])

    const denied = await tunnel(t, rig, identityOf('shop/notsleep'), `${SERVICE}:80`, 'denied')
    assert.match(denied.body, /^HTTP\/1.1 403 Forbidden[\s\S]*RBAC: access denied$/)
    assert.equal((await recordOf(rig.mesh, 'denied')).symptom, 'rbac-403')
    assert.deepEqual(asked, ['GET /'])

    for (const [authority, status] of [
      [`${OTHER_SERVICE}:80`, 404], // names no waypoint
      [`${SERVICE}:82`, 404], // no such port
      [`${SERVICE}:5353`, 404], // UDP
      [`${POD}:8080`, 404], // it serves Services
      [`${ADDRESS}:15008`, 404],
      ['10.244.9.9:80', 404],
      ['127.0.0.1:80', 404],
      ['web-api:80', 400],
      [`${SERVICE}`, 400],
      [`${SERVICE}:0`, 400],
      [`${SERVICE}:80@${POD}`, 400],
    ] as const) {
      const { status: said } = await tunnel(t, rig, identityOf('shop/sleep'), authority, authority)
      assert.equal(said, status, authority)
      const refused = await recordOf(rig.mesh, authority)
      const last = refused.steps.at(-1)
      assert.deepEqual(
        [refused.outcome, refused.flag, last?.point, last?.code, last?.facts?.target],
        ['deny', 'ILLEGAL', 'waypoint', 'hbone.wrong-target', authority],
      )
    }
    assert.deepEqual(asked, ['GET /'])
  })

  it('takes no plaintext: not of a pod outside the mesh, of one in it, of a node, or from outside', async (t) => {
    const { rig, asked } = await start(t)
    const door = await rig.mesh.publish(WAYPOINT, 15008, { at: 0, run: 'outside' })
    const fromOutside = async (): Promise<Socket> => {
      const socket = connect({ port: door.port, host: '127.0.0.1', allowHalfOpen: true })
      await once(socket, 'connect')
      return socket
    }
    for (const [who, dial] of [
      ['shop/outsider', () => rig.capture.connect('shop/outsider', ADDRESS, 15008, 'shop/outsider')],
      ['shop/sleep', () => rig.capture.connect('shop/sleep', ADDRESS, 15008, 'shop/sleep')],
      ['by-name', () => rig.capture.connect('shop/sleep', 'waypoint', 15008, 'by-name')],
      ['node', () => rig.capture.connect('node bulkhead-worker2', ADDRESS, 15008, 'node')],
      ['outside', fromOutside],
    ] as const) {
      const said = await sayOn(await dial(), GET)
      assert.doesNotMatch(said, /HTTP\//, who)
      const record = await recordOf(rig.mesh, who)
      const last = record.steps.at(-1)
      assert.deepEqual(
        [record.outcome, record.flag, record.symptom, last?.point, last?.code],
        ['deny', 'TLS_FAILURE', 'tls-refused', 'waypoint', 'hbone.no-certificate'],
        who,
      )
    }
    assert.deepEqual(asked, [])
  })

  it('is the only one beside its status port, which says to the kubelet that it is ready', async (t) => {
    const { rig } = await start(t)
    assert.deepEqual(rig.mesh.listening(WAYPOINT), [15008, 15021])
    for (const port of [80, 8080, 15001, 15006])
      await assert.rejects(rig.capture.connect('shop/outsider', ADDRESS, port), { code: 'ECONNREFUSED' })
    const socket = await rig.mesh.dialAsKubelet(WAYPOINT, 15021)
    socket.write('GET /healthz/ready HTTP/1.1\r\nhost: probe\r\nconnection: close\r\n\r\n')
    assert.match(await readAll(socket), /^HTTP\/1.1 200 /)
  })

  it('takes so many connections and no more, also of those that have not said what they carry', async (t) => {
    const { rig } = await start(t, { firstBytesMs: 60_000 })
    const silent = await Promise.all(
      Array.from({ length: MAX_CONNECTIONS }, () => rig.capture.connect('shop/notsleep', 'web-api', 80, 'silent')),
    )
    for (const socket of silent) socket.on('error', () => {}).write('G')
    await eventually('all of them there', () => rig.mesh.approaching(WAYPOINT) === 0)
    const dial = (run: string) => rig.capture.connect('shop/sleep', 'web-api', 80, run)
    assert.equal(await sayOn(await dial('late'), GET), '[reset]')
    const { flag, symptom, error } = await recordOf(rig.mesh, 'late')
    assert.deepEqual([flag, symptom], ['CONNECT', 'reset'])
    assert.match(error ?? '', /has 1024 connections, and takes no more$/)
    for (const socket of silent.splice(0, 10)) socket.destroy()
    await eventually('ten less', () => rig.mesh.flows({ run: 'silent' }).length === 10)
    assert.match(await sayOn(await dial('later'), GET), /^HTTP\/1.1 200 /)
    for (const socket of silent) socket.destroy()
  })

  it('leaves nothing behind', async (t) => {
    const { rig } = await start(t)
    await tunnel(t, rig, identityOf('shop/sleep'), `${SERVICE}:80`, 'good')
    await sayOn(await rig.capture.connect('shop/sleep', 'web-api', 80, 'run'), GET)
    await rig.mesh.removePod(WAYPOINT)
    await eventually('nothing held', () => Object.values(rig.mesh.held).every((count) => count === 0))
  })
})
