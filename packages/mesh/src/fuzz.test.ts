import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { it } from 'node:test'
import { HboneServer } from './hbone-server.js'
import { newToken, writeHeader } from './proxy-header.js'
import { identityOf } from './testing/fake-snapshot.js'
import { show } from './testing/forge.js'
import { readAll, startRig, until } from './testing/harness.js'

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
const CLIENT_HELLO = Buffer.from('16030100', 'hex')

/** mulberry32: small, and the same on every machine. */
function generator(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** HTTP/2 frames that are well formed on the outside, with anything in them (RFC 9113, section 4.1). */
function frames(random: (below: number) => number): Buffer {
  const made = Array.from({ length: 1 + random(8) }, () => {
    const body = Buffer.from(Array.from({ length: random(64) }, () => random(256)))
    const head = Buffer.alloc(9)
    head.writeUIntBE(random(10) === 0 ? random(0xffffff) : body.length, 0, 3)
    head.writeUInt8(random(12), 3)
    head.writeUInt8(random(256), 4)
    head.writeUInt32BE(random(6), 5)
    return Buffer.concat([head, body])
  })
  return Buffer.concat(made)
}

/** Sends it, and waits until the server hangs up; ends the sending side first for half of the inputs. */
async function poke(stream: Duplex, input: Buffer, end: boolean): Promise<void> {
  const closed = once(stream, 'close')
  stream.on('error', () => {}).resume()
  stream.write(input)
  if (end) stream.end()
  const patience = setTimeout(() => stream.destroy(), 20)
  await closed.catch(() => {})
  clearTimeout(patience)
}

it('a thousand random inputs at an HBONE port crash nothing and leave nothing open', async (t) => {
  const seed = randomInt(2 ** 31)
  t.diagnostic(`seed ${seed}`)
  const random = generator(seed)
  const noise = () => Buffer.from(Array.from({ length: random(600) }, () => random(256)))
  const rig = await startRig(t, {}, { hboneTimeouts: { handshakeTimeoutMs: 1_000, idleTimeoutMs: 500 } })
  await rig.capture.app('shop/web-api', 8080, (socket) => socket.end('served'))
  const path = rig.mesh.hbonePath('shop/web-api')
  assert.ok(path)
  const { certificate, key } = await rig.mesh.issue(identityOf('shop/sleep'))
  const raw = () => rig.capture.connect('shop/outsider', '10.244.1.2', 15008)
  const settled = Buffer.concat([PREFACE, Buffer.from('000000040000000000', 'hex')])
  const secure = async () => show(await raw(), { cert: certificate, key })
  const unvouched = async (): Promise<[Duplex, Buffer]> => [connect({ path, allowHalfOpen: true }), noise()]
  const noTls = async (): Promise<[Duplex, Buffer]> => [await raw(), noise()]
  const kinds: readonly (() => Promise<[Duplex, Buffer]>)[] = [
    ...[unvouched, unvouched, unvouched, noTls, noTls],
    async () => [await raw(), Buffer.concat([CLIENT_HELLO, noise()])],
    async () => [await raw(), Buffer.concat([CLIENT_HELLO, noise()])],
    async () => [await secure(), random(2) ? noise() : Buffer.concat([PREFACE, noise()])],
    async () => [await secure(), Buffer.concat([PREFACE, frames(random)])],
    async () => [await secure(), Buffer.concat([settled, frames(random)])],
  ]
  const one = async (index: number) => {
    const kind = kinds[index % kinds.length]
    assert.ok(kind)
    const [stream, input] = await kind()
    await poke(stream, input, random(2) === 0)
  }
  for (let index = 0; index < 1000; index += 50) await Promise.all(Array.from({ length: 50 }, (_, i) => one(index + i)))

  const socket = await rig.capture.connect('shop/sleep', 'web-api', 80)
  socket.end()
  assert.equal(await readAll(socket), 'served')
  await until(() => (rig.mesh.openConnections === 0 ? true : undefined), 'nothing open')
})

it('a peer that stalls is hung up on', async (t) => {
  const { runDir, mesh } = await startRig(t)
  const own = await mesh.issue(identityOf('shop/web-api'))
  const refusals: string[] = []
  const token = newToken()
  const path = `${runDir}/stalled.sock`
  const server = await HboneServer.listen({
    path,
    token,
    root: own.certificate,
    trustDomain: 'cluster.local',
    certificate: () => own,
    handshakeTimeoutMs: 60,
    handler: { stream: () => {}, refused: (_from, { error }) => refusals.push(error) },
  })
  t.after(() => server.close())
  const stalled = async (...parts: Buffer[]): Promise<void> => {
    const socket: Socket = connect({ path, allowHalfOpen: true })
    for (const part of parts) socket.write(part)
    await readAll(socket).catch(() => {})
    socket.destroy()
  }
  const header = writeHeader(token, { ip: '10.244.0.1', port: 1 }, { ip: '10.244.0.2', port: 15008 })
  await stalled()
  await stalled(header.subarray(0, 20))
  await stalled(header)
  await stalled(header, CLIENT_HELLO)
  assert.deepEqual(
    refusals.map((error) => error.replace(/^(TLS handshake failed).*/, '$1')),
    [
      'a connection to the HBONE socket that did not come through the mesh',
      'a connection to the HBONE socket that did not come through the mesh',
      'TLS handshake failed',
      'TLS handshake failed',
    ],
  )
})
