import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import {
  broken,
  fuzz,
  inPieces,
  leaving,
  play,
  printScript,
  type Random,
  resetSafely,
  type Script,
  type Step,
  send,
  smallerScript,
} from '@bulkhead/resources/testing'
import { eventually } from '@bulkhead/testing'
import { type HttpRequest, splitPath } from '@bulkhead/verdict'
import { FRONT, type Rules, shop } from '../testing/fake-snapshot.js'
import { type Rig, startRig } from '../testing/harness.js'
import { sayOn, serve } from '../testing/http.js'

/*
 * The HTTP of a gateway, as anybody outside may write to it, and of a waypoint, as any pod may. Whatever comes: the app gets no request that was not judged, and
 * none that policy denies.
 */

const PATIENCE_MS = 30
const HOST = 'host: shop.test\r\n'
const CLOSED = '/forbidden'
/** Two requests to one reader, and one to another. */
const HIDDEN = `GET ${CLOSED} HTTP/1.1\r\n${HOST}\r\n`
const chunked = (...chunks: readonly string[]): string =>
  `${chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')}0\r\n\r\n`

const get = (path: string, headers = ''): string => `GET ${path} HTTP/1.1\r\n${HOST}${headers}\r\n`
const post = (headers: string, body: string): string => `POST /ok HTTP/1.1\r\n${HOST}${headers}\r\n${body}`
const sized = (body: string): string => post(`content-length: ${body.length}\r\n`, body)
const inChunks = (...chunks: readonly string[]): string => post('transfer-encoding: chunked\r\n', chunked(...chunks))

/** Right requests, of all shapes. */
function right(random: Random): string {
  return random.pick<() => string>([
    () => get(`/ok?${random.below(1000)}`),
    () => sized('x'.repeat(random.pick([0, 1, 100, 20_000]))),
    () => inChunks('hello', 'x'.repeat(1 + random.below(300))),
    () =>
      `POST /ok HTTP/1.1\r\n${HOST}transfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n5;ext=1\r\nhello\r\n0\r\nx-sum: 5\r\n\r\n`,
    () => `HEAD /ok HTTP/1.1\r\n${HOST}\r\n`,
    () => post('expect: 100-continue\r\ncontent-length: 5\r\n', 'hello'),
    () => get('/ok', 'connection: upgrade, x-own\r\nupgrade: websocket\r\nx-own: 1\r\n'),
    () => `GET http://shop.test/ok HTTP/1.1\r\n${HOST}\r\n`,
    () => get('/ok', 'connection: close\r\n'),
    () => get(CLOSED),
    () => get('/cut'),
  ])()
}

/** What hides a request from one of two readers (RFC 9112, 11.2), and other ways to the closed path. */
function sly(random: Random): string {
  const both = `${chunked()}${HIDDEN}`
  const odd = random.pick([
    ' chunked',
    '\tchunked',
    'xchunked',
    'chunked, identity',
    'identity, chunked',
    '"chunked"',
    'CHUNKED',
    'chunked\v',
    '\r\n chunked',
  ])
  return random.pick<() => string>([
    () => post(`content-length: ${both.length}\r\ntransfer-encoding: chunked\r\n`, both),
    () => post(`transfer-encoding: chunked\r\ncontent-length: 5\r\n`, both),
    () => post(`content-length: 0\r\ncontent-length: ${HIDDEN.length}\r\n`, HIDDEN),
    () =>
      post(
        `content-length: ${random.pick(['+0', '0x0', '0,0', ' 0 0', '00', '-1', '1e1', '18446744073709551616'])}\r\n`,
        HIDDEN,
      ),
    () => post(`transfer-encoding:${odd}\r\n`, both),
    () => post(`transfer-encoding:${odd}\r\ntransfer-encoding: chunked\r\n`, both),
    () => post(`transfer-encoding : chunked\r\n`, both),
    () => post(`x: y\ntransfer-encoding: chunked\r\n`, both),
    () => post(`\0transfer-encoding: chunked\r\n`, both),
    () =>
      post(
        'transfer-encoding: chunked\r\n',
        `${random.pick(['0x0', '+0', '-0', ' 0', '0 ', '00000000000000000', '0;\n'])}\r\n\r\n${HIDDEN}`,
      ),
    () => post('transfer-encoding: chunked\r\n', `5\r\nhello${random.pick(['\n', '\r', ''])}0\r\n\r\n${HIDDEN}`),
    () =>
      get(
        random.pick([
          '//forbidden',
          '/./forbidden',
          '/x/../forbidden',
          '/%66orbidden',
          '/forbidden%00',
          '/ok\\..\\forbidden',
          '/ok/..;/forbidden',
          'forbidden',
        ]),
      ),
    () => get('/ok', `x-original-url: ${CLOSED}\r\nx-rewrite-url: ${CLOSED}\r\nx-http-method-override: PUT\r\n`),
    () => get('/ok', `x-header: a\rGET ${CLOSED} HTTP/1.1\r\n`),
    () => `GET /ok HTTP/1.1\r\n ${HOST}\r\n`,
    () => `GET /ok ${random.pick(['HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', 'http/1.1', 'HTTP/1.1 x', ''])}\r\n${HOST}\r\n`,
    () =>
      `${random.pick(['CONNECT shop.test:80', 'OPTIONS *', 'TRACE /ok', 'get /ok', `${'A'.repeat(300)} /ok`])} HTTP/1.1\r\n${HOST}\r\n`,
  ])()
}

/** More than a request needs. */
function absurd(random: Random): string {
  return random.pick<() => string>([
    () => get('/ok', 'x: y\r\n'.repeat(random.pick([99, 150, 3_000]))),
    () => get('/ok', `x: ${'y'.repeat(random.pick([8_000, 70_000, 300_000]))}\r\n`),
    () => get('/ok', `${'x'.repeat(70_000)}: y\r\n`),
    () => get(`/${'a'.repeat(random.pick([8_000, 9_000, 100_000]))}`),
    () => get('/ok').repeat(random.pick([2, 60, 200])),
    () => inChunks(...Array.from({ length: random.pick([10, 2_000]) }, () => 'x')),
    () => post('content-length: 9007199254740993\r\n', 'x'.repeat(1_000)),
    () => post('transfer-encoding: chunked\r\n', `${'f'.repeat(15)}\r\nx`),
    () => post('transfer-encoding: chunked\r\n', `1;${'e'.repeat(20_000)}\r\nx\r\n0\r\n\r\n`),
    () => post('transfer-encoding: chunked\r\n', `1\r\nx\r\n0\r\n${'t: y\r\n'.repeat(2_000)}\r\n`),
    () => '\r\n'.repeat(5_000),
  ])()
}

function make(random: Random): Script {
  const bytes = (...texts: readonly string[]) => Buffer.from(texts.join(''), 'latin1')
  const whole = (...texts: readonly string[]): Step[] => [...inPieces(random, bytes(...texts)), ...leaving(random)]
  const some = () => random.list(1, 4, () => right(random))
  return random.pick<() => Step[]>([
    () => whole(...some()),
    () =>
      broken(
        random,
        some().map((text) => bytes(text)),
      ),
    () =>
      broken(
        random,
        some().map((text) => bytes(text)),
      ),
    () => whole(sly(random), right(random)),
    () => whole(right(random), sly(random)),
    () => broken(random, [bytes(sly(random)), bytes(right(random))]),
    () => whole(absurd(random), right(random)),
    // It leaves in the middle.
    () => [send(bytes(right(random)).subarray(0, random.below(60))), ...leaving(random)],
    () => [send(bytes(...some())), { do: 'drop' }],
    () => whole(random.bytes(random.below(600)).toString('latin1')),
  ])()
}

const bare = (path: string): string => path.replace(/\?.*/s, '')

/** With the path as the engine matches it. */
const matched = (request: HttpRequest): HttpRequest => ({ ...request, path: splitPath(request.path)?.path ?? CLOSED })

/** At a proxy: its policy, and how a client's connection comes to it. */
const proxies: {
  readonly [name: string]: {
    readonly rules: (policy: (request: HttpRequest) => 'allow' | 'deny') => Rules
    readonly dial: (rig: Rig) => Promise<() => Promise<Socket>>
  }
} = {
  gateway: {
    rules: (policy) => ({ gateway: { policy } }),
    dial: async ({ mesh }) => {
      const { port } = await mesh.publish(FRONT, 80, { at: 0 })
      return async () => connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    },
  },
  waypoint: {
    rules: (policy) => ({ waypoint: { policy: ({ request }) => (request ? policy(matched(request)) : 'deny') } }),
    dial:
      async ({ capture }) =>
      () =>
        capture.connect('shop/sleep', 'web-api', 80),
  },
}

async function startTarget(t: TestContext, name: string) {
  /** What was let in since the last quiet moment. */
  const judged = new Set<string>()
  const wrong: string[] = []
  let answered = 0
  const proxy = proxies[name]
  assert.ok(proxy)
  const policy = ({ method, path }: HttpRequest) => {
    if (bare(path) === CLOSED) return 'deny'
    judged.add(`${method} ${bare(path)}`)
    return 'allow'
  }
  const rig = await startRig(t, { flowRing: 100, snapshot: shop(proxy.rules(policy)) })
  const server = await serve(rig, 'shop/web-api', (message, response) => {
    answered += 1
    const asked = `${message.method} ${bare(message.url ?? '')}`
    if (!judged.has(asked)) wrong.push(asked)
    message.on('error', () => {}).resume()
    if (message.url === '/cut') return void response.write('half', () => response.destroy())
    response.end('from the app')
  })
  // An idle connection from the proxy is over soon, so that what a case opened can be told from it.
  server.keepAliveTimeout = 100
  const dial = await proxy.dial(rig)
  const come = async (script: Script): Promise<void> => {
    const socket = await dial()
    await play(socket, script, PATIENCE_MS, () => resetSafely(socket))
    assert.deepEqual(wrong.splice(0), [], 'the app got a request that nobody judged, or that was denied')
  }
  const goodClient = async (): Promise<void> => {
    for (const [path, status, body] of [
      ['/ok', 200, 'from the app'],
      [CLOSED, 403, 'RBAC: access denied'],
    ] as const) {
      const said = await sayOn(await dial(), get(path, 'connection: close\r\n'))
      assert.deepEqual([said.slice(9, 12), said.slice(-body.length)], [String(status), body])
    }
  }
  return { rig, dial, come, goodClient, answered: () => answered, forget: () => judged.clear() }
}

for (const name of Object.keys(proxies)) {
  test(`broken requests at a ${name}: nothing crashes or hangs, and the app gets none that was not judged`, async (t) => {
    const { rig, come, goodClient, answered, forget } = await startTarget(t, name)
    let controls = 0
    const cases = await fuzz<Script>(t, {
      name: `the ${name}'s HTTP`,
      make,
      run: come,
      smaller: smallerScript,
      print: printScript,
      async control() {
        controls += 1
        await goodClient()
      },
      quiet: forget,
      held: () => rig.mesh.held,
      parallel: 16,
      deadlineMs: 5_000,
    })
    assert.ok(answered() > controls || cases === 1, 'some of the input was good enough to reach the app')
  })

  test(`what once failed at a ${name}: a request that breaks off behind others is refused in its turn, with its connection`, async (t) => {
    const { rig, dial } = await startTarget(t, name)
    const socket = await dial()
    socket.end(`${get('/ok')}${get('/ok')}POST /ok HTTP/1.1\r\n${HOST}transfer-encoding: chunked\r\n\r\n`)
    socket.resume()
    await once(socket, 'close')
    await eventually('nothing open', () => rig.mesh.held.connections === 0)
  })
}
