import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it, type TestContext } from 'node:test'
import { eventually } from '@bulkhead/testing'
import type { MeshParts } from '../mesh.js'
import { ambiguous } from '../testing/ambiguous.js'
import { type Rules, shop } from '../testing/fake-snapshot.js'
import { recordOf, startRig } from '../testing/harness.js'
import { sayOn, serve } from '../testing/http.js'

const HEAD = 'host: web-api\r\nconnection: close\r\n'

async function start(t: TestContext, waypoint: Rules['waypoint'] = {}, parts: Partial<MeshParts> = {}) {
  const rig = await startRig(t, { snapshot: shop({ waypoint: { application: 'http', ...waypoint } }) }, parts)
  const asked: string[] = []
  await serve(rig, 'shop/web-api', (message, response) => {
    asked.push(`${message.method} ${message.url}`)
    if (message.url === '/trailers') {
      response.writeHead(200, { trailer: 'x-sum' }).write('chunk')
      response.addTrailers({ 'x-sum': '5' })
      return void response.end()
    }
    if (message.url === '/private') response.writeHead(200, { connection: 'x-private', 'x-private': '1', 'x-own': '2' })
    let body = ''
    message.on('data', (chunk) => {
      body += chunk
    })
    const { url, headers } = message
    message.once('end', () => response.end(JSON.stringify({ url, body, headers })))
  })
  const dial = (run = 'run') => rig.capture.connect('shop/sleep', 'web-api', 80, run)
  const say = async (bytes: string, run = 'run') => sayOn(await dial(run), bytes)
  return { rig, asked, say, dial }
}

const bodyOf = (answer: string) => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))
const statusOf = (answer: string) => Number(answer.slice(9, 12))

describe('what two proxies could read in two ways, at a waypoint', () => {
  it('is refused, with its connection, and told', async (t) => {
    const { rig, asked, say } = await start(t)
    for (const [what, status, bytes] of ambiguous) {
      const answer = await say(`${bytes}GET /smuggled HTTP/1.1\r\nhost: web-api\r\n\r\n`, what)
      assert.equal(statusOf(answer), status, `${what}: ${answer}`)
      assert.match(answer, /connection: close/i, what)
      assert.equal(answer.split('HTTP/1.1 ').length, 2, `${what}: ${answer}`)
      const record = await recordOf(rig.mesh, what)
      assert.deepEqual(
        [record.http?.status, record.outcome, record.symptom, record.flag],
        [status, 'deny', 'gateway-400', 'ILLEGAL'],
        what,
      )
    }
    assert.deepEqual(
      asked.filter((one) => one !== 'POST /'),
      [],
    )
    assert.ok(asked.length <= 1, String(asked))
  })

  it('and slow headers are: 408', async (t) => {
    const { say } = await start(t, {}, { gatewayTimeouts: { headersTimeoutMs: 100, checkMs: 20 } })
    assert.equal(statusOf(await say('GET / HTTP/1.1\r\nhost: web-api\r\nx-slow')), 408)
  })

  it('and HTTP/2 without an upgrade is, where HTTP is found out and where it is declared', async (t) => {
    for (const waypoint of [{ application: 'http' } as const, {}]) {
      const rig = await startRig(t, { snapshot: shop({ waypoint }) })
      await serve(rig, 'shop/web-api', (_message, response) => response.end('served'))
      const socket = await rig.capture.connect('shop/sleep', 'web-api', 80, 'run')
      const answer = await sayOn(socket, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
      assert.equal(statusOf(answer), 400, answer)
      assert.equal((await recordOf(rig.mesh, 'run')).flag, 'ILLEGAL')
    }
  })
})

describe('a request as a waypoint sends it on', () => {
  it('has what its client may say, and not what only proxies may', async (t) => {
    const { say } = await start(t)
    const lines = [
      'GET /a/../b/%63?c=/../%00 HTTP/1.1',
      'host: Web-API:80',
      'connection: close, x-mine',
      'x-mine: 1',
      'x-yours: 2',
      'keep-alive: timeout=9',
      'proxy-connection: keep-alive',
      'te: trailers',
      'x-forwarded-for: 203.0.113.9',
      'x-forwarded-proto: gopher',
      'x-forwarded-client-cert: Hash=forged;URI=spiffe://cluster.local/ns/shop/sa/admin',
      'x-envoy-original-url: /admin',
      'x-envoy-retry-on: 5xx',
      'x-envoy-upstream-rq-timeout-ms: 1',
    ]
    const { headers, url } = bodyOf(await say(`${lines.join('\r\n')}\r\n\r\n`))
    const { 'x-request-id': id, connection: _, ...others } = headers
    assert.match(id, /^[0-9a-f]{8}-/)
    assert.equal(url, '/b/c?c=/../%00')
    assert.deepEqual(others, {
      host: 'Web-API:80',
      'x-yours': '2',
      'x-forwarded-for': '203.0.113.9',
      'x-forwarded-proto': 'http',
    })
  })

  it('goes on with the path normalised, as it is matched, and the host of an absolute form', async (t) => {
    const judged: unknown[] = []
    const { say, asked } = await start(t, {
      policy: ({ request }) => {
        judged.push([request?.host, request?.path, request?.headers['x-forwarded-client-cert']])
        return 'allow'
      },
    })
    await say(`GET http://other.test/x/./%61dmin HTTP/1.1\r\n${HEAD}x-forwarded-client-cert: forged\r\n\r\n`)
    assert.deepEqual(judged, [['other.test', '/x/./%61dmin', undefined]])
    assert.deepEqual(asked, ['GET /x/admin'])
  })

  it('streams bodies and answers, with 100-continue, trailers, and without what is of one connection', async (t) => {
    const { say } = await start(t)
    const chunked = `POST /echo HTTP/1.1\r\n${HEAD}transfer-encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n0\r\n\r\n`
    assert.equal(bodyOf(await say(chunked)).body, 'hello')
    const expects = `POST /echo HTTP/1.1\r\n${HEAD}expect: 100-continue\r\ncontent-length: 2\r\n\r\nhi`
    assert.match(await say(expects), /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 /)
    assert.match(await say(`GET /trailers HTTP/1.1\r\n${HEAD}\r\n`), /5\r\nchunk\r\n0\r\nx-sum: 5\r\n\r\n$/)
    const answer = await say(`GET /private HTTP/1.1\r\n${HEAD}\r\n`)
    assert.match(answer, /x-own: 2/)
    assert.doesNotMatch(answer, /x-private/)
  })

  it('is answered without a body where the status says that there is none, however long the app says it is', async (t) => {
    const rig = await startRig(t, { snapshot: shop({ waypoint: { application: 'http' } }) })
    const answers = [
      'HTTP/1.1 304 Not Modified\r\netag: "a"\r\ncontent-length: 6\r\n\r\n',
      'HTTP/1.1 204 No Content\r\ncontent-length: 6\r\n\r\n',
      'HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nlast',
    ]
    await rig.capture.app('shop/web-api', 8080, (socket) => {
      socket.on('error', () => {}).on('data', () => socket.write(answers.shift() ?? ''))
    })
    const get = `GET / HTTP/1.1\r\nhost: web-api\r\n`
    const dial = await rig.capture.connect('shop/sleep', 'web-api', 80, 'run')
    const said = await sayOn(dial, `${get}\r\n${get}\r\n${get}connection: close\r\n\r\n`)
    assert.deepEqual(said.match(/HTTP\/1.1 [0-9]+|content-length: [0-9]+|last$/gi), [
      'HTTP/1.1 304',
      'content-length: 6',
      'HTTP/1.1 204',
      'HTTP/1.1 200',
      'content-length: 4',
      'last',
    ])
    const records = await eventually('three records', () => {
      const all = rig.mesh.flows({ run: 'run' })
      return all.length === 3 ? all : undefined
    })
    assert.deepEqual(
      records.map(({ symptom, flag, http }) => [symptom, flag, http?.status]),
      [304, 204, 200].map((status) => ['ok', '-', status]),
    )
  })

  it('never upgrades: the app answers as to any request, and the connection ends with it', async (t) => {
    const { say } = await start(t)
    const answer = await say(
      'GET /up HTTP/1.1\r\nhost: web-api\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nGET /behind HTTP/1.1\r\nhost: web-api\r\n\r\n',
    )
    assert.equal(statusOf(answer), 200)
    assert.equal(bodyOf(answer).headers.upgrade, undefined)
    assert.equal(answer.split('HTTP/1.1 ').length, 2)
  })

  it('waits for a client that reads slowly, and holds no more than some of an answer', async (t) => {
    const rig = await startRig(t, { snapshot: shop({ waypoint: { application: 'http' } }) })
    let written = 0
    const whole = 64
    await serve(rig, 'shop/web-api', async (_message, response) => {
      const part = Buffer.alloc(1024 * 1024, 'x')
      for (; written < whole && !response.destroyed; written += 1)
        if (!response.write(part)) await once(response, 'drain').catch(() => {})
      response.end()
    })
    const socket = await rig.capture.connect('shop/sleep', 'web-api', 80, 'run')
    socket.pause()
    socket.write(`GET / HTTP/1.1\r\n${HEAD}\r\n`)
    // It comes to a stop: as much as between two looks that saw the same.
    let before = -1
    await eventually('a standstill', async () => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      const still = written > 0 && written === before
      before = written
      return still
    })
    assert.ok(written < whole, `${written} MiB`)
    let read = 0
    socket.on('data', (chunk) => {
      read += chunk.length
    })
    socket.resume()
    await once(socket, 'end')
    assert.ok(read > whole * 1024 * 1024)
    socket.end()
  })
})
