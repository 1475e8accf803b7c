import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type RequestListener, request } from 'node:http'
import type { Socket } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { cleanUp, eventually } from '@bulkhead/testing'
import type { ProxyTimeouts } from '../proxy/proxy-pod.js'
import { clientHello } from '../testing/client-hello.js'
import type { Rig } from '../testing/harness.js'
import { serve, text } from '../testing/http.js'
import { answersIn, asks, dial, exchange, podOf, recordsOf, start, summary, withPolicies } from './testing.js'

/* What is on the wire where a policy lists requests, GET and POST of /open... here. */

const from = [{ matchLabels: { kind: 'client' } }]
const lists = (...http: readonly object[]) =>
  withPolicies({
    spec: {
      endpointSelector: { matchLabels: { app: 'echo' } },
      ingress: [{ fromEndpoints: from, toPorts: [{ ports: [{ port: '8080', protocol: 'TCP' }], rules: { http } }] }],
    },
  })
const listed = lists({ method: 'GET|HEAD|POST', path: '/open.*' })

const echo: RequestListener = (message, response) => {
  void text(message).then(
    (body) => response.end(`${message.method} ${message.url} ${body}`),
    // Its client was cut off.
    () => response.destroy(),
  )
}

async function scene(t: TestContext, app: RequestListener = echo, gatewayTimeouts: ProxyTimeouts = {}): Promise<Rig> {
  const rig = await start(t, listed, { gatewayTimeouts })
  const server = await serve(rig, podOf('test/echo'), app)
  cleanUp(t, () => server.closeAllConnections())
  return rig
}

/** Bytes as they are on a connection of a client's, and what came back. */
const say = async (rig: Rig, bytes: string | Buffer, run?: string) =>
  exchange(await dial(rig, 'test/client', run), bytes)

const NEXT = 'GET /open/next HTTP/1.1\r\nhost: echo\r\nconnection: close\r\n\r\n'
const next = '200 GET /open/next'
const denied = '403 Access denied'

describe('requests that are read on their way', () => {
  it('a denial is what Cilium answers, and the connection goes on', async (t) => {
    const rig = await scene(t)
    const said = await say(rig, `DELETE /open HTTP/1.1\r\nhost: echo\r\n\r\n${NEXT}`, 'run')
    const [head = ''] = said.split('\r\n\r\n')
    assert.match(head, /^HTTP\/1\.1 403 Forbidden\r\n/)
    assert.match(head, /\r\ncontent-type: text\/plain(\r\n|$)/)
    assert.match(head, /\r\nserver: envoy(\r\n|$)/)
    assert.match(head, /\r\ncontent-length: 15(\r\n|$)/)
    assert.deepEqual(answersIn(said), [denied, next])
    const records = await recordsOf(rig, 'run', 2)
    assert.deepEqual(records.map(summary), [
      'deny, cilium-403, DENY, cni-ingress cni.http-denied, 403',
      'allow, ok, -, 200',
    ])
    const [{ steps = [], http } = {}] = records
    assert.equal(steps.at(-1)?.facts?.request, 'DELETE /open')
    assert.deepEqual(http, { method: 'DELETE', host: 'echo', path: '/open', status: 403 })
  })

  it('pipelined requests are judged one by one and answered in their order, bodies and all', async (t) => {
    const rig = await scene(t)
    const body = 'content-length: 4\r\n\r\nbody'
    const chunked = 'transfer-encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n'
    const asked = [
      `POST /open/1 HTTP/1.1\r\nhost: echo\r\n${body}`,
      `POST /shut/2 HTTP/1.1\r\nhost: echo\r\n${body}`,
      `POST /open/3 HTTP/1.1\r\nhost: echo\r\n${chunked}`,
      `PUT /open/4 HTTP/1.1\r\nhost: echo\r\n${chunked}`,
    ]
    assert.deepEqual(answersIn(await say(rig, `${asked.join('')}${NEXT}`)), [
      '200 POST /open/1 body',
      denied,
      '200 POST /open/3 body',
      denied,
      next,
    ])
  })

  it('HEAD has no body, allowed or denied', async (t) => {
    const rig = await scene(t)
    assert.match(await say(rig, asks('HEAD', '/open')), /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n$/)
    const said = await say(rig, asks('HEAD', '/shut'))
    assert.match(said, /^HTTP\/1\.1 403 Forbidden\r\n[\s\S]*content-length: 15\r\n[\s\S]*\r\n\r\n$/)
  })

  it('100-continue: told to whom is let on, and a final answer to whom is not', async (t) => {
    const rig = await scene(t)
    const asking = (path: string) =>
      `POST ${path} HTTP/1.1\r\nhost: echo\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n`
    const socket = await dial(rig, 'test/client')
    socket.write(asking('/open'))
    assert.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 100 Continue\r\n\r\n$/)
    assert.deepEqual(answersIn(await exchange(socket, `body${NEXT}`)), ['200 POST /open body', next])
    assert.deepEqual(answersIn(await say(rig, asking('/shut'))), [denied])
  })

  it('an Upgrade is refused, whether it is listed or not, and nothing behind it is read', async (t) => {
    const asked: string[] = []
    const rig = await scene(t, (message, response) => {
      asked.push(message.url ?? '')
      response.end()
    })
    const upgrade = 'GET /open HTTP/1.1\r\nhost: echo\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'
    assert.match(
      await say(rig, upgrade + NEXT, 'run'),
      /^HTTP\/1\.1 403 [\s\S]*Connection: close[\s\S]*refused: upgrades/,
    )
    assert.deepEqual(answersIn(await say(rig, upgrade.replace('/open', '/shut'))), [denied])
    assert.deepEqual(asked, [])
    assert.deepEqual((await recordsOf(rig, 'run', 1)).map(summary), ['deny, gateway-400, ILLEGAL, 403'])
  })

  it('what could be read in two ways is refused, and the app hears nothing of it', async (t) => {
    const asked: string[] = []
    const app: RequestListener = (message, response) => {
      asked.push(message.url ?? '')
      response.end()
    }
    // What gets through after all would be kept open.
    const rig = await scene(t, app, { keepAliveMs: 200, checkMs: 20 })
    const cases: readonly (readonly [status: number, bytes: string])[] = [
      [400, 'GET /open HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n'],
      [400, 'GET /open HTTP/1.1\r\n\r\n'],
      [400, 'POST /open HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
      [400, 'POST /open HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxy'],
      [501, 'POST /open HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
      [400, 'GET /open/../shut HTTP/1.1\r\nhost: a\r\n\r\n'],
      [400, 'GET /open/%2e%2e/shut HTTP/1.1\r\nhost: a\r\n\r\n'],
      [400, 'GET /open/..%2Fshut HTTP/1.1\r\nhost: a\r\n\r\n'],
      [400, 'GET /open/..%5cshut HTTP/1.1\r\nhost: a\r\n\r\n'],
      [400, 'GET /open//shut HTTP/1.1\r\nhost: a\r\n\r\n'],
      [400, 'GET /ope%6e HTTP/1.1\r\nhost: a\r\n\r\n'],
      [400, 'GET /open HTTP/1.1\r\nhost: a\r\nx: y\r\n folded\r\n\r\n'],
      [405, 'CONNECT echo:80 HTTP/1.1\r\nhost: echo\r\n\r\n'],
      [426, 'GET /open HTTP/1.0\r\nhost: a\r\n\r\n'],
      [431, `GET /open HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(61 * 1024)}\r\n\r\n`],
      [417, 'GET /open HTTP/1.1\r\nhost: a\r\nexpect: miracles\r\n\r\n'],
    ]
    for (const [index, [status, bytes]] of cases.entries()) {
      const said = await say(rig, bytes, `run-${index}`)
      const what = JSON.stringify(bytes.slice(0, 90))
      assert.match(said, new RegExp(`^HTTP/1\\.1 ${status} [\\s\\S]*\\r\\n\\r\\nrefused: `), what)
      const [record] = await recordsOf(rig, `run-${index}`, 1)
      assert.deepEqual([record?.outcome, record?.symptom, record?.http?.status], ['deny', 'gateway-400', status], what)
      assert.equal(rig.mesh.flows({ run: `run-${index}` }).length, 1, what)
    }
    assert.deepEqual(asked, [])
    // The query is nobody's path.
    assert.match(await say(rig, asks('GET', '/open?next=/../%2e%2F//x')), /^HTTP\/1\.1 200 /)
  })

  it('what is no HTTP/1.1 is cut off without a byte, and judged as that', async (t) => {
    const rig = await scene(t)
    const others: readonly (string | Buffer)[] = [
      clientHello({ names: ['echo'] }),
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      'hello\r\n',
      randomBytes(64).fill(0, 0, 1),
    ]
    for (const [index, bytes] of others.entries()) {
      assert.equal(await say(rig, bytes, `run-${index}`), '[reset]', `${index}`)
      const [record] = await recordsOf(rig, `run-${index}`, 1)
      assert.ok(record)
      assert.equal(summary(record), 'deny, reset, DENY, cni-ingress cni.http-denied')
      assert.equal(record.steps.at(-1)?.facts?.request, 'bytes that are no request')
    }
    assert.deepEqual(answersIn(await say(rig, NEXT)), [next])
  })

  it('a swap between two requests of one connection: the next is judged by the new policies', async (t) => {
    const rig = await scene(t)
    const socket = await dial(rig, 'test/client', 'run')
    const told = async (path: string) => {
      socket.write(`GET ${path} HTTP/1.1\r\nhost: echo\r\n\r\n`)
      return answersIn(String((await once(socket, 'data'))[0])).join()
    }
    assert.equal(await told('/open'), '200 GET /open')
    assert.equal(rig.mesh.swap(lists({ path: '/other' }), 1), 0)
    assert.equal(await told('/open'), denied)
    assert.equal(await told('/other'), '200 GET /other')
    // No more lists: it goes through the proxy still, and every request passes.
    assert.equal(rig.mesh.swap(withPolicies(), 2), 0)
    assert.equal(await told('/any'), '200 GET /any')
    // Nobody is let in any more.
    const closed = new Promise((resolve) => socket.once('close', resolve))
    assert.equal(rig.mesh.swap(withPolicies({ spec: nobody }), 3), 1)
    await closed
    const records = await recordsOf(rig, 'run', 5)
    assert.deepEqual(
      records.map(({ generation, flag, http }) => [generation, flag, http?.status]),
      [
        [0, '-', 200],
        [1, 'DENY', 403],
        [1, '-', 200],
        [2, '-', 200],
        [3, 'POLICY_CHANGE', undefined],
      ],
    )
  })

  it('a connection that nobody has read is closed when a list comes', async (t) => {
    const rig = await scene(t)
    rig.mesh.swap(withPolicies(), 1)
    const socket = await dial(rig, 'test/client', 'run')
    socket.write('GET /open HTTP/1.1\r\nhost: echo\r\n\r\n')
    await once(socket, 'data')
    assert.equal(rig.mesh.swap(listed, 2), 1)
    assert.equal((await recordsOf(rig, 'run', 1))[0]?.flag, 'POLICY_CHANGE')
  })

  it('slow clients have their time, and no more', async (t) => {
    const rig = await scene(t, echo, { headersTimeoutMs: 60, requestTimeoutMs: 90, keepAliveMs: 60, checkMs: 10 })
    assert.match(await say(rig, 'GET /open HT', 'headers'), /^HTTP\/1\.1 408 /)
    assert.match(
      await say(rig, 'POST /open HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nbo', 'body'),
      /^HTTP\/1\.1 408 /,
    )
    const idle = await say(rig, 'GET /open HTTP/1.1\r\nhost: a\r\n\r\n', 'idle')
    assert.deepEqual(answersIn(idle), ['200 GET /open'])
    await eventually('nothing open', () => rig.mesh.openConnections === 0)
  })

  it('10 MB each way, streamed and unchanged', async (t) => {
    const sent = randomBytes(10 * 1024 * 1024)
    const digest = (data: Buffer) => createHash('sha256').update(data).digest('hex')
    const rig = await scene(t, (message, response) => void message.pipe(response))
    const socket = await dial(rig, 'test/client', 'run')
    const asked = request({
      createConnection: () => socket,
      method: 'POST',
      path: '/open',
      headers: { host: 'echo', connection: 'close' },
    })
    asked.end(sent)
    const [answer] = await once(asked, 'response')
    const chunks: Buffer[] = []
    for await (const chunk of answer) chunks.push(chunk)
    assert.equal(digest(Buffer.concat(chunks)), digest(sent))
    const [record] = await recordsOf(rig, 'run', 1)
    assert.deepEqual([record?.bytesSent, record?.bytesReceived], [sent.length, sent.length])
  })

  it('an app that ends its connections is asked on another one', async (t) => {
    const ports = new Set<number | undefined>()
    const rig = await scene(t, (message, response) => {
      ports.add(message.socket.remotePort)
      response.setHeader('connection', 'close')
      response.end('once')
    })
    const first = 'GET /open HTTP/1.1\r\nhost: echo\r\n\r\n'
    assert.deepEqual(answersIn(await say(rig, first + first + NEXT)), ['200 once', '200 once', '200 once'])
    assert.equal(ports.size, 3)
  })

  it('an app that breaks off, or is not there, is a reset', async (t) => {
    const rig = await scene(t, (message) => void message.socket.destroy())
    assert.equal(await say(rig, NEXT, 'broken'), '[reset]')
    assert.deepEqual((await recordsOf(rig, 'broken', 1)).map(summary), ['allow, reset, -'])
    const away = await start(t, listed)
    assert.equal(await say(away, NEXT, 'away'), '[reset]')
    const [record] = await recordsOf(away, 'away', 1)
    assert.ok(record)
    assert.equal(summary(record), 'deny, reset, CONNECT, cni-ingress network.nothing-listens')
    // What is denied is answered all the same: the proxy asks before it dials.
    assert.deepEqual(answersIn(await say(away, asks('GET', '/shut'))), [denied])
  })

  it('a client that goes takes its request along, and nothing is kept', async (t) => {
    const held: Socket[] = []
    const rig = await scene(t, (message) => void held.push(message.socket))
    const socket = await dial(rig, 'test/client', 'run')
    socket.write('GET /open HTTP/1.1\r\nhost: echo\r\n\r\n')
    await eventually('the request', () => held[0])
    socket.destroy()
    assert.equal((await recordsOf(rig, 'run', 1))[0]?.symptom, 'no-answer')
    await eventually("the app's connection to go", () => held[0]?.destroyed)
    // One that never asks has a record of its own.
    ;(await dial(rig, 'test/client', 'silent')).destroy()
    assert.deepEqual((await recordsOf(rig, 'silent', 1)).map(summary), ['allow, ok, -'])
    await eventually('nothing open', () => rig.mesh.openConnections === 0)
  })
})

const nobody = { endpointSelector: { matchLabels: { app: 'echo' } }, ingress: [{ fromEntities: ['none'] }] }
