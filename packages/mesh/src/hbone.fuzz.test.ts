import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { it, type TestContext } from 'node:test'
import { createSecureContext } from 'node:tls'
import {
  broken,
  CASES,
  fuzz,
  inPieces,
  leaving,
  play,
  printScript,
  type Random,
  type Script,
  type Step,
  send,
  smallerScript,
} from '@bulkhead/resources/testing'
import { cleanUp, eventually } from '@bulkhead/testing'
import { HboneServer } from './hbone-server.js'
import { newToken, writeHeader } from './proxy-header.js'
import { identityOf, shop } from './testing/fake-snapshot.js'
import { type Shown, show } from './testing/forge.js'
import * as h2 from './testing/h2-frames.js'
import { type Rig, readAll, startRig } from './testing/harness.js'

const CLIENT_HELLO = Buffer.from('16030100', 'hex')
const TO = '10.244.1.2:8080'
const SERVED = 'served'
/** How long a server may take that does not hang up on what it was sent. */
const PATIENCE_MS = 20

const MiB = 2 ** 20
/**
 * Node 20 never frees a session (21 KiB, most of it nghttp2's) that is ended for a broken frame while its peer hangs up in the
 * same moment: its last write is lost, and with it whoever waits for its end (as in nodejs/node issue 42710). One in 16 cases
 * is of that kind; so much is that for each case.
 */
const KEPT_BY_NODE_BYTES = 1_600
/** How far a client gets before it turns bad. */
const STAGES = ['socket', 'wire', 'sleep', 'notsleep'] as const

interface Case {
  /** `socket`: at the unix socket, past the mesh. `wire`: at port 15008. Else in TLS, with that account's certificate. */
  readonly stage: (typeof STAGES)[number]
  readonly script: Script
}

/** What a good client says, message by message. */
const good = (random: Random): readonly Buffer[] => [
  h2.PREFACE,
  h2.settings([[3, random.below(1000)]]),
  h2.settingsAck(),
  h2.headers(1, h2.connectTo(TO)),
  h2.data(1, 'hello'),
  h2.windowUpdate(0, 1000),
  h2.data(1, '', true),
]

const settled = Buffer.concat([h2.PREFACE, h2.settings(), h2.settingsAck()])

/** What is said inside TLS. */
function talk(random: Random): Step[] {
  const after = (...messages: Buffer[]) => [
    send(settled),
    ...inPieces(random, Buffer.concat(messages)),
    ...leaving(random),
  ]
  return random.pick<() => Step[]>([
    () => broken(random, good(random)),
    () => broken(random, good(random)),
    () => [...inPieces(random, random.bytes(random.below(600))), ...leaving(random)],
    () => [send(h2.PREFACE), ...inPieces(random, random.bytes(random.below(600))), ...leaving(random)],
    () => after(...random.list(1, 8, () => h2.anyFrame(random))),
    () => after(h2.headers(1, h2.wrongConnect(random, TO), random.once(2), random.pick([16_384, 1, 700]))),
    () => after(h2.headers(1, h2.wrongConnect(random, TO)), h2.data(1, 'x'), h2.headers(3, h2.connectTo(TO), true)),
    () => after(h2.flood(random, TO)),
    () => after(h2.headers(1, h2.connectTo(TO)), h2.data(1, 'x'), h2.flood(random, TO)),
    // Carried, and then cut off, flooded with data past the window, or spoken to again.
    () =>
      after(
        h2.headers(1, h2.connectTo(TO)),
        h2.data(1, 'hello'),
        random.pick([h2.reset(1), h2.goaway(1, 0), h2.ping()]),
      ),
    () =>
      after(
        h2.headers(1, h2.connectTo(TO)),
        h2.data(1, 'x'.repeat(16_384)),
        h2.data(1, 'y'),
        h2.data(1, '', true),
        h2.data(1, 'z'),
      ),
    // It takes no answer.
    () => [
      send(Buffer.concat([h2.PREFACE, h2.settings([[4, 0]]), h2.headers(1, h2.connectTo(TO))])),
      ...leaving(random),
    ],
  ])()
}

function make(random: Random): Case {
  const stage = random.pick([...STAGES, 'sleep', 'sleep'] as const)
  if (stage === 'sleep' || stage === 'notsleep') return { stage, script: talk(random) }
  const noise = random.bytes(random.below(600))
  const header = writeHeader(newToken(), { ip: '10.244.0.1', port: 1 }, { ip: '10.244.1.2', port: 15008 })
  const script = random.pick<() => Step[]>([
    () => [...inPieces(random, noise), ...leaving(random)],
    () => [...inPieces(random, Buffer.concat([CLIENT_HELLO, noise])), ...leaving(random)],
    () => broken(random, stage === 'socket' ? [header, CLIENT_HELLO, noise] : [CLIENT_HELLO, noise]),
    () => [...inPieces(random, settled), ...leaving(random)],
  ])()
  return { stage, script }
}

interface Victim extends Rig {
  /** What is shown in a handshake. */
  readonly shown: { readonly [K in 'sleep' | 'notsleep']: Shown }
  /** Connections that reached the app. */
  readonly answered: () => number
}

/** The client's end, at the stage where it turns bad. */
async function open({ mesh, capture, shown }: Victim, stage: Case['stage']): Promise<Duplex> {
  if (stage === 'socket') return connect({ path: mesh.hbonePath('shop/web-api') ?? '', allowHalfOpen: true })
  const raw = () => capture.connect('shop/outsider', '10.244.1.2', 15008)
  if (stage === 'wire') return raw()
  // With times as short as here, a busy machine may let the first handshakes down.
  const secure = async (again: number): Promise<Duplex> =>
    show(await raw(), shown[stage]).catch((error) => (again > 0 ? secure(again - 1) : Promise.reject(error)))
  return secure(3)
}

async function startTarget(t: TestContext): Promise<Victim> {
  let answered = 0
  const rig = await startRig(
    t,
    { flowRing: 100, snapshot: shop({ allow: { 'shop/web-api': [identityOf('shop/sleep')] } }) },
    { hboneTimeouts: { idleTimeoutMs: 400 } },
  )
  await rig.capture.app('shop/web-api', 8080, (socket) => {
    answered += 1
    socket.on('error', () => {}).resume()
    socket.end(SERVED)
  })
  const issue = async (account: string): Promise<Shown> => {
    const { certificate: cert, key } = await rig.mesh.issue(identityOf(account))
    return { secureContext: createSecureContext({ cert, key, minVersion: 'TLSv1.3' }) }
  }
  const shown = { sleep: await issue('shop/sleep'), notsleep: await issue('shop/notsleep') }
  return { ...rig, shown, answered: () => answered }
}

it('broken input at an HBONE port: nothing crashes or hangs, nothing stays open, nobody is let in', async (t) => {
  const rig = await startTarget(t)
  let controls = 0
  const cases = await fuzz<Case>(t, {
    name: 'the HBONE listener',
    make,
    async run({ stage, script }) {
      const came = await play(await open(rig, stage), script, PATIENCE_MS)
      if (came.includes(SERVED)) assert.equal(stage, 'sleep', 'only sleep may call web-api')
    },
    *smaller({ stage, script }) {
      for (const other of smallerScript(script)) yield { stage, script: other }
    },
    print: ({ stage, script }) => `${stage}: ${printScript(script)}`,
    async control() {
      controls += 1
      const socket = await rig.capture.connect('shop/sleep', 'web-api', 80)
      socket.end()
      assert.equal(await readAll(socket), SERVED)
    },
    held: () => rig.mesh.held,
    parallel: 25,
    deadlineMs: 5_000,
    growthBytes: 4 * MiB + CASES * KEPT_BY_NODE_BYTES,
  })
  assert.ok(rig.answered() > controls || cases === 1, 'some of the input was good enough to reach the app')
})

it('what is broken was good before: the messages of a good client are answered by the app', async (t) => {
  const rig = await startTarget(t)
  const script = good({ below: () => 100 } as unknown as Random).map(send)
  const answer = async (stage: 'sleep' | 'notsleep') =>
    (await play(await open(rig, stage), script, 500)).includes(SERVED)
  assert.deepEqual([await answer('sleep'), await answer('notsleep')], [true, false])
})

it('what once failed: after a breach of the protocol a session ends with its client, whatever is open in it', async (t) => {
  const rig = await startTarget(t)
  const breach = [h2.headers(1, h2.connectTo(TO)), h2.data(1, 'x', true), h2.data(1, 'one more')]
  await play(await open(rig, 'sleep'), [send(Buffer.concat([settled, ...breach]))], PATIENCE_MS)
  await eventually('nothing open', () => rig.mesh.openConnections === 0)
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
  cleanUp(t, () => server.close())
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
