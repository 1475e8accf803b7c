import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { createSecureContext, TLSSocket } from 'node:tls'
import {
  broken,
  fuzz,
  inPieces,
  leaving,
  mutate,
  play,
  printScript,
  type Random,
  type Script,
  type Step,
  smallerScript,
} from '@bulkhead/resources/testing'
import { readQuestion } from '../dns/message.js'
import { pair } from '../http/pair.js'
import { createOutsideCa } from '../outside/ca.js'
import { nowhere } from '../outside/nowhere.js'
import type { Outside } from '../seams.js'
import { clientHello, record } from '../testing/client-hello.js'
import { shop } from '../testing/fake-snapshot.js'
import { type Rig, startRig } from '../testing/harness.js'

/*
 * What an owned pod sends where a wall reads: ClientHellos at port 443, and datagrams at kube-dns.
 */

const ALLOWED = 'api.github.com'
const NAMES = [
  ALLOWED,
  ALLOWED,
  ALLOWED.toUpperCase(),
  'drop.attacker.example',
  `${ALLOWED}.attacker.example`,
  `${ALLOWED}.`,
  '',
]
const PATIENCE_MS = 20

type Case =
  | { readonly kind: 'tls'; readonly script: Script }
  | { readonly kind: 'dns'; readonly datagrams: readonly Buffer[] }

const question = (name: string): Buffer =>
  Buffer.concat([
    Buffer.from([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
    ...name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.from([0, 0, 1, 0, 1]),
  ])

/** The same handshake message in records of other sizes. */
function fragmented(random: Random, hello: Buffer): Buffer {
  const body = hello.subarray(5)
  const records: Buffer[] = []
  for (let at = 0; at < body.length; ) {
    const size = random.once(2) ? 1 + random.below(8) : 1 + random.below(body.length)
    records.push(record(body.subarray(at, at + size)))
    at += size
  }
  return Buffer.concat(records)
}

function talk(random: Random): Step[] {
  const name = () => random.pick(NAMES)
  const hello = () => clientHello({ names: [name()] })
  return random.pick<() => Step[]>([
    () => broken(random, [hello(), Buffer.from('more')]),
    () => [...inPieces(random, mutate(random, hello())), ...leaving(random)],
    () => [...inPieces(random, fragmented(random, hello())), ...leaving(random)],
    () => [...inPieces(random, mutate(random, fragmented(random, hello()))), ...leaving(random)],
    () => [...inPieces(random, clientHello({ names: random.list(0, 3, name) })), ...leaving(random)],
    () => [...inPieces(random, clientHello({ names: [random.list(0, 3, name)] })), ...leaving(random)],
    () => [...inPieces(random, clientHello({ names: [name()], trailing: random.below(3) })), ...leaving(random)],
    () => [...inPieces(random, random.bytes(random.below(20_000))), ...leaving(random)],
    () => [...inPieces(random, record(random.bytes(1 + random.below(400)))), ...leaving(random)],
  ])()
}

const make = (random: Random): Case =>
  random.below(4) > 0
    ? { kind: 'tls', script: talk(random) }
    : {
        kind: 'dns',
        datagrams: random.list(1, 4, () =>
          random.pick<() => Buffer>([
            () => mutate(random, question(random.pick([ALLOWED, 'drop.attacker.example', 'web-api']))),
            () => random.bytes(random.below(700)),
            () => question(random.pick([ALLOWED, 'x.example'])),
          ])(),
        ),
      }

interface Victim extends Rig {
  /** Names that OpenSSL has read of what was let out. */
  readonly read: string[]
}

async function startTarget(t: TestContext): Promise<Victim> {
  const ca = await createOutsideCa(['api.github.com'])
  const { certificate: cert, key } = await ca.issue(ALLOWED)
  const context = createSecureContext({ cert, key })
  const read: string[] = []
  // A second reader of what the first one let on: they have to agree.
  const outside: Outside = {
    ...nowhere,
    resolve: async (name) => (name.endsWith('.com') ? ['198.51.100.10'] : undefined),
    dial: async () => {
      const [near, far] = pair()
      const server = new TLSSocket(far, {
        isServer: true,
        secureContext: context,
        SNICallback: (name, done) => {
          read.push(name.toLowerCase())
          done(null, context)
        },
      })
      for (const event of ['error', 'end', 'close'] as const) server.on(event, () => far.destroy())
      far.once('end', () => far.destroy())
      server.resume()
      return near
    },
  }
  const egress = { 'shop/sleep': { sni: [ALLOWED], dns: [ALLOWED] } }
  const rig = await startRig(
    t,
    { snapshot: shop({ egress }), outside, flowRing: 100, connectTimeoutMs: 20 },
    { firstBytesMs: 20 },
  )
  return { ...rig, read }
}

it('broken input where a wall reads: nothing crashes or hangs, nothing stays open, no other name gets out', async (t) => {
  const rig = await startTarget(t)
  const dns = '10.244.0.2'
  let answers = 0
  let port = 1024
  const cases = await fuzz<Case>(t, {
    name: 'the way out',
    make,
    async run(input) {
      if (input.kind === 'tls') {
        await play(await rig.capture.connect('shop/sleep', '198.51.100.10', 443), input.script, PATIENCE_MS)
        for (const name of rig.read.splice(0)) assert.equal(name, ALLOWED, 'OpenSSL read another name than the wall')
        return
      }
      const from = port
      port = port === 60_000 ? 1024 : port + 1
      rig.capture.bind('shop/sleep', from, (_from, data) => {
        answers += 1
        // Every answer is one: nothing that comes back could be asked again.
        assert.ok(data.length >= 12 && data.length <= 512 && readQuestion(data) === undefined)
      })
      for (const data of input.datagrams)
        await rig.capture.dialer.datagram('shop/sleep', undefined, { host: dns, port: 53 }, from, data)
    },
    *smaller(input) {
      if (input.kind === 'tls') for (const script of smallerScript(input.script)) yield { ...input, script }
      else
        for (let i = 0; i < input.datagrams.length; i += 1)
          yield { ...input, datagrams: input.datagrams.toSpliced(i, 1) }
    },
    print: (input) =>
      input.kind === 'tls' ? printScript(input.script) : input.datagrams.map((data) => data.toString('hex')).join(' '),
    async control() {
      const socket = await rig.capture.connect('shop/sleep', '198.51.100.10', 443)
      await play(socket, [{ do: 'send', bytes: clientHello({ names: [ALLOWED] }) }], 200, () => socket.destroy())
      assert.ok(rig.read.splice(0).includes(ALLOWED), 'a good client gets out')
    },
    held: () => ({ connections: rig.mesh.openConnections }),
    parallel: 20,
    deadlineMs: 5_000,
  })
  assert.ok(answers > 0 || cases === 1, 'some of the datagrams were questions')
})
