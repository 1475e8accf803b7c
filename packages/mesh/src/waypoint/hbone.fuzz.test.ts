import assert from 'node:assert/strict'
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
import { eventually } from '@bulkhead/testing'
import { type HttpRequest, splitPath, type WaypointEvidence } from '@bulkhead/verdict'
import { identityOf, shop } from '../testing/fake-snapshot.js'
import { type Shown, show } from '../testing/forge.js'
import * as h2 from '../testing/h2-frames.js'
import { readAll, startRig } from '../testing/harness.js'
import { sayOn, serve } from '../testing/http.js'

/*
 * A waypoint's port 15008, as whoever has a certificate of the mesh may write to it: whatever authority in a CONNECT, whatever bytes and
 * many streams in one session. Whatever comes: an app gets what was judged as its sender's and for its Service, and nothing else.
 */

const ADDRESS = '10.244.1.90'
/** Carries HTTP, which is found out; the other one carries none. */
const HTTP = '10.96.0.10:80'
const TCP = '10.96.0.11:80'
/** Where the bad clients are, and the good one. */
const CALLERS = ['10.244.1.6', '10.244.1.4']
const CLOSED = '/forbidden'
const SERVED = 'served'
/** Enough for the way on to an app. */
const PATIENCE_MS = 150
/** Of silence, after which a connection counts as one without HTTP. */
const FIRST_BYTES_MS = 400

const MiB = 2 ** 20
/** As at any HBONE port: what Node never frees of sessions that end for a broken frame. */
const KEPT_BY_NODE_BYTES = 1_600

const ask = (path: string, more = '', body = ''): string =>
  `GET ${path} HTTP/1.1\r\nhost: web-api\r\n${more}\r\n${body}`

/** What is said inside a tunnel: requests, what hides one, and what is none. */
const said = (random: Random): string =>
  random.pick<() => string>([
    () => ask(`/ok?${random.below(1000)}`),
    () => ask('/ok') + ask(CLOSED) + ask('/ok'),
    () => ask(CLOSED),
    () => ask('/ok', 'transfer-encoding: chunked\r\n', `0\r\n\r\n${ask(CLOSED)}`),
    () => ask('/ok', `content-length: ${ask(CLOSED).length}\r\n`, ask(CLOSED)),
    () => ask('/ok', 'content-length: 4\r\ntransfer-encoding: chunked\r\n', `0\r\n\r\n${ask(CLOSED)}`),
    () => ask('/ok', 'connection: upgrade\r\nupgrade: h2c\r\n', ask(CLOSED)),
    () => ask('/ok', 'expect: 100-continue\r\ncontent-length: 400\r\n', ask(CLOSED)),
    () => `CONNECT ${TCP} HTTP/1.1\r\nhost: x\r\n\r\n${ask(CLOSED)}`,
    // No HTTP at first, and HTTP behind.
    () =>
      `${random.pick(['\r\n', '\n', 'x\n', '\0', 'get / http/1.1\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'])}${ask(CLOSED)}`,
    () => ask('/ok').slice(0, random.below(60)),
    () => random.bytes(random.below(300)).toString('latin1'),
    () => 'G',
  ])()

const authority = (random: Random): string =>
  random.pick<() => string>([
    () => HTTP,
    () => TCP,
    () =>
      random.pick([
        ...[
          '10.96.0.10:8080',
          '10.96.0.10:81',
          '10.96.0.12:80',
          '10.96.0.90:15008',
          '10.244.1.2:8080',
          '10.244.2.3:8080',
        ],
        ...[`${ADDRESS}:15008`, `${ADDRESS}:15021`, '127.0.0.1:80', '0.0.0.0:80', '172.18.0.3:10250', '10.96.0.1:443'],
        ...['web-api:80', 'web-api.shop:80', '010.96.0.10:80', '10.96.10:80', '0x0a.96.0.10:80', '10.96.0.10:080'],
        ...[
          `${HTTP}@${TCP}`,
          `${HTTP},${TCP}`,
          ` ${HTTP}`,
          `${HTTP} `,
          `${HTTP}\0`,
          `[::ffff:10.96.0.10]:80`,
          `${HTTP}/`,
        ],
      ]),
    () => `10.${random.below(256)}.${random.below(256)}.${random.below(256)}:${random.below(70_000)}`,
    () => random.bytes(random.below(40)).toString('latin1'),
  ])()

const settled = Buffer.concat([h2.PREFACE, h2.settings(), h2.settingsAck()])

/** One tunnel's frames. */
function tunnel(random: Random, stream: number, to: string, text: string): Buffer[] {
  const bytes = Buffer.from(text, 'latin1')
  const cut = random.below(bytes.length + 1)
  const end = random.once(2)
  const parts = random.once(2) ? [bytes] : [bytes.subarray(0, cut), bytes.subarray(cut)]
  const frames = parts.map((part, index) => h2.data(stream, part, end && index === parts.length - 1))
  const over = random.once(5) ? [h2.reset(stream, random.below(14))] : []
  return [h2.headers(stream, h2.connectTo(to)), ...frames, ...over]
}

/** Frames of many tunnels, each tunnel's in their order. */
function mixed(random: Random, tunnels: readonly Buffer[][]): Buffer {
  const frames: Buffer[] = []
  let left = tunnels.filter((one) => one.length > 0)
  while (left.length > 0) {
    frames.push(random.pick(left).shift() as Buffer)
    left = left.filter((one) => one.length > 0)
  }
  return Buffer.concat(frames)
}

function talk(random: Random): Step[] {
  const after = (...frames: Buffer[]) => [
    send(settled),
    ...inPieces(random, Buffer.concat(frames)),
    // An answer takes a while, and most ways to leave are at once.
    ...(random.once(3) ? leaving(random) : []),
  ]
  const one = (stream: number) => tunnel(random, stream, random.once(3) ? authority(random) : HTTP, said(random))
  // Silent until it counts as no HTTP; and then it is.
  if (random.once(50)) {
    const late = { do: 'wait', ms: FIRST_BYTES_MS + 50 } as const
    return [send(Buffer.concat([settled, h2.headers(1, h2.connectTo(HTTP))])), late, send(h2.data(1, ask('/ok')))]
  }
  return random.pick<() => Step[]>([
    () => after(...one(1)),
    () => after(...one(1)),
    () =>
      after(
        mixed(
          random,
          random.list(2, 6, () => 0).map((_, index) => one(1 + 2 * index)),
        ),
      ),
    () => after(mixed(random, [tunnel(random, 1, HTTP, ask('/ok')), tunnel(random, 3, TCP, ask(CLOSED))])),
    () => after(h2.headers(1, h2.connectTo(authority(random))), ...one(3)),
    () => after(h2.headers(1, h2.wrongConnect(random, HTTP)), h2.data(1, ask('/ok')), ...one(3)),
    () => broken(random, [settled, ...one(1), ...one(3)]),
    () => after(h2.flood(random, HTTP)),
    () => after(...one(1), h2.flood(random, HTTP)),
  ])()
}

interface Case {
  readonly as: 'sleep' | 'notsleep'
  readonly script: Script
}

const bare = (path: string): string => splitPath(path)?.path ?? CLOSED

async function startTarget(t: TestContext) {
  /** What was let in since the last quiet moment. */
  const judged = new Set<string>()
  const wrong: string[] = []
  let answered = 0
  const nameOf = (method: string, path: string) => `${method} ${bare(path)}`
  const says = ({ peer, to }: WaypointEvidence, request: HttpRequest | undefined) => {
    if (peer.identity !== identityOf('shop/sleep') || !CALLERS.includes(peer.ip)) return 'deny'
    const service = 'service' in to ? to.service.key : 'a pod'
    if (request === undefined) {
      if (service !== 'shop/recommendation') return 'deny'
      judged.add(service)
      return 'allow'
    }
    if (service !== 'shop/web-api' || bare(request.path) === CLOSED) return 'deny'
    judged.add(nameOf(request.method, request.path))
    return 'allow'
  }
  const rig = await startRig(
    t,
    {
      flowRing: 100,
      snapshot: shop({
        waypoint: {
          services: ['web-api', 'recommendation'],
          policy: (evidence) => says(evidence, evidence.request),
        },
        allow: {
          'shop/web-api': [identityOf('shop/waypoint')],
          'shop/recommendation': [identityOf('shop/waypoint')],
        },
      }),
    },
    { hboneTimeouts: { idleTimeoutMs: 400 }, firstBytesMs: FIRST_BYTES_MS },
  )
  const server = await serve(rig, 'shop/web-api', (message, response) => {
    answered += 1
    const asked = nameOf(message.method ?? '', message.url ?? '')
    if (!judged.has(asked)) wrong.push(asked)
    message.on('error', () => {}).resume()
    response.end(SERVED)
  })
  server.keepAliveTimeout = 100
  await rig.capture.app('shop/recommendation', 8080, (socket) => {
    answered += 1
    if (!judged.has('shop/recommendation')) wrong.push('a connection')
    socket.on('error', () => {}).resume()
    socket.end(SERVED)
  })
  const issue = async (account: string): Promise<Shown> => {
    const { certificate: cert, key } = await rig.mesh.issue(identityOf(account))
    return { secureContext: createSecureContext({ cert, key, minVersion: 'TLSv1.3' }) }
  }
  const shown = { sleep: await issue('shop/sleep'), notsleep: await issue('shop/notsleep') }
  const open = async (as: Case['as'], again = 3): ReturnType<typeof show> =>
    show(await rig.capture.connect('shop/outsider', ADDRESS, 15008), shown[as]).catch((error) =>
      again > 0 ? open(as, again - 1) : Promise.reject(error),
    )
  return { rig, open, wrong, answered: () => answered, forget: () => judged.clear() }
}

it("broken input at a waypoint's HBONE port: nothing crashes or hangs, and no app gets what was not judged for it", async (t) => {
  const { rig, open, wrong, answered, forget } = await startTarget(t)
  let controls = 0
  const cases = await fuzz<Case>(t, {
    name: "the waypoint's HBONE listener",
    make: (random) => ({ as: random.once(4) ? 'notsleep' : 'sleep', script: talk(random) }),
    async run({ as, script }) {
      const came = await play(await open(as), script, PATIENCE_MS)
      if (came.includes(SERVED)) assert.equal(as, 'sleep', 'only sleep may ask')
      assert.deepEqual(wrong.splice(0), [], 'an app got what nobody judged for it, or what was denied')
    },
    *smaller({ as, script }) {
      for (const other of smallerScript(script)) yield { as, script: other }
    },
    print: ({ as, script }) => `${as}: ${printScript(script)}`,
    async control() {
      controls += 2
      const web = await rig.capture.connect('shop/sleep', 'web-api', 80)
      assert.match(await sayOn(web, ask('/ok', 'connection: close\r\n')), new RegExp(`^HTTP/1.1 200 [^]*${SERVED}$`))
      const other = await rig.capture.connect('shop/sleep', 'recommendation', 80)
      other.end('no HTTP\n')
      assert.equal(await readAll(other), SERVED)
    },
    quiet: forget,
    held: () => rig.mesh.held,
    parallel: 40,
    deadlineMs: 5_000,
    growthBytes: 4 * MiB + CASES * KEPT_BY_NODE_BYTES,
  })
  assert.ok(answered() > controls + cases / 50 || cases === 1, 'some of the input was good enough to reach an app')
})

it('what is broken was good before: in a tunnel a request is answered by the app, and a denied one is not', async (t) => {
  const { rig, open, answered } = await startTarget(t)
  for (const [as, to, text, expected] of [
    ['sleep', HTTP, ask('/ok'), SERVED],
    ['sleep', HTTP, ask(CLOSED), 'RBAC: access denied'],
    ['notsleep', HTTP, ask('/ok'), 'RBAC: access denied'],
    ['sleep', TCP, 'no HTTP\n', SERVED],
  ] as const) {
    const before = answered()
    const frames = [settled, h2.headers(1, h2.connectTo(to)), h2.data(1, text)]
    const came = await play(await open(as), [send(Buffer.concat(frames))], 500)
    assert.ok(came.includes(expected), `${as} ${to} ${text}: ${came.toString('latin1')}`)
    assert.equal(answered() - before, expected === SERVED ? 1 : 0)
  }
  await eventually('nothing open', () => rig.mesh.openConnections === 0)
})
