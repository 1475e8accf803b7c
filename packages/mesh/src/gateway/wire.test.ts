import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it, type TestContext } from 'node:test'
import { eventually } from '@bulkhead/testing'
import { MAX_PIPELINED } from '../http/limits.js'
import type { MeshParts } from '../mesh.js'
import { ambiguous } from '../testing/ambiguous.js'
import { forward, type Rules, shop } from '../testing/fake-snapshot.js'
import { recordOf, startRig } from '../testing/harness.js'
import { door, raw, say, serve } from '../testing/http.js'

const HEAD = 'host: shop.test\r\nconnection: close\r\n'

async function start(t: TestContext, rules: Rules = {}, parts: Partial<MeshParts> = {}) {
  const rig = await startRig(t, { snapshot: shop({ gateway: {}, ...rules }) }, parts)
  const asked: string[] = []
  await serve(rig, 'shop/web-api', (message, response) => {
    asked.push(`${message.method} ${message.url}`)
    const { host, 'x-request-id': id, ...headers } = message.headers
    // A client cannot say it: what is logged under it is ours.
    assert.match(String(id), /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/)
    if (message.url === '/204') return void response.writeHead(204).end()
    if (message.url === '/304') return void response.writeHead(304, { etag: '"a"' }).end()
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
    message.once('end', () => response.end(JSON.stringify({ host, url: message.url, body, headers })))
  })
  const { port } = await door(t, rig)
  return { rig, port, asked, say: (bytes: string) => say(t, port, bytes) }
}

const bodyOf = (answer: string) => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))
const statusOf = (answer: string) => Number(answer.slice(9, 12))

describe('what two proxies could read in two ways, or takes more than a request may', () => {
  it('is refused, with its connection, and told', async (t) => {
    const { rig, asked } = await start(t)
    for (const [what, status, bytes] of ambiguous) {
      const { port } = await door(t, rig, what)
      const answer = await say(t, port, `${bytes}GET /smuggled HTTP/1.1\r\nhost: shop.test\r\n\r\n`)
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
    // A body whose end is wrong was on its way already; nothing else got anywhere, and nothing at all behind it.
    assert.deepEqual(
      asked.filter((one) => one !== 'POST /'),
      [],
    )
    assert.ok(asked.length <= 1, String(asked))
  })

  it('and slow headers are: 408', async (t) => {
    const { rig, port } = await start(t, {}, { gatewayTimeouts: { headersTimeoutMs: 100, checkMs: 20 } })
    const answer = await say(t, port, 'GET / HTTP/1.1\r\nhost: shop.test\r\nx-slow')
    assert.equal(statusOf(answer), 408)
    assert.equal((await recordOf(rig.mesh, 'run')).flag, 'ILLEGAL')
  })

  it('and slow bodies are, also when their request has gone on', async (t) => {
    const timeouts = { headersTimeoutMs: 500, requestTimeoutMs: 750, checkMs: 20 }
    const { port, asked } = await start(t, {}, { gatewayTimeouts: timeouts })
    // The way on is open from then on: no handshake is in that time.
    assert.equal(statusOf(await say(t, port, 'GET / HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\n\r\n')), 200)
    const answer = await say(t, port, 'POST / HTTP/1.1\r\nhost: shop.test\r\ncontent-length: 10\r\n\r\nabc')
    assert.equal(statusOf(answer), 408)
    assert.deepEqual(asked, ['GET /', 'POST /'])
  })

  it('and a connection that only waits is closed', async (t) => {
    const { port } = await start(t, {}, { gatewayTimeouts: { keepAliveMs: 50 } })
    const answer = await say(t, port, 'GET / HTTP/1.1\r\nhost: shop.test\r\n\r\n')
    assert.equal(statusOf(answer), 200)
  })

  it('and too many requests at once are, with their connection', async (t) => {
    const { asked, say: speak } = await start(t)
    const many = 'GET / HTTP/1.1\r\nhost: shop.test\r\n\r\n'.repeat(MAX_PIPELINED * 3)
    assert.match(await speak(many), /\[reset\]$/)
    assert.ok(asked.length <= 1, String(asked.length))
  })
})

describe('a request as it goes on', () => {
  it('leaves what is of the connection only, and says who asked', async (t) => {
    const { say: speak } = await start(t)
    const lines = [
      'GET /a%20b?c=%00 HTTP/1.1',
      'host: shop.test',
      'connection: close, x-mine',
      'x-mine: 1',
      'x-yours: 2',
      'keep-alive: timeout=9',
      'proxy-connection: keep-alive',
      'te: trailers',
      'upgrade: websocket',
      'x-forwarded-for: 203.0.113.9',
      'x-forwarded-proto: https',
      'x-forwarded-client-cert: Hash=forged',
      'x-envoy-internal: true',
      'x-request-id: mine',
    ]
    const { headers, host, url } = bodyOf(await speak(`${lines.join('\r\n')}\r\n\r\n`))
    assert.deepEqual(headers, {
      connection: 'keep-alive',
      'x-yours': '2',
      'x-forwarded-for': '203.0.113.9,172.18.0.1',
      'x-forwarded-proto': 'http',
    })
    assert.deepEqual([host, url], ['shop.test', '/a%20b?c=%00'])
  })

  it('has the authority of an absolute target, and the rewrites of its route', async (t) => {
    // What is removed and set is there in the end: a change removes first.
    const change = { set: [['x-set', 'b'] as const], add: [['x-add', 'c'] as const], remove: ['x-gone', 'x-set'] }
    const { say: speak } = await start(t, {
      gateway: {
        route: (asked) => {
          const plain = forward(asked, ['web-api'], {
            request: asked.host === 'rewrite.test' ? { ...asked, host: 'new.test', path: '/new?x=1' } : asked,
            responseHeaders: asked.host === 'rewrite.test' ? [change] : [],
          })
          if (plain.kind !== 'forward' || asked.host !== 'rewrite.test') return plain
          const backends = plain.backends.map((backend) => ({ ...backend, requestHeaders: [change] }))
          return { ...plain, backends }
        },
      },
    })
    const absolute = bodyOf(
      await speak('GET http://there.test?q HTTP/1.1\r\nhost: here.test\r\nconnection: close\r\n\r\n'),
    )
    assert.deepEqual([absolute.host, absolute.url], ['there.test', '/?q'])
    const rewritten = await speak(
      'POST / HTTP/1.1\r\nhost: rewrite.test\r\nconnection: close\r\nx-gone: 1\r\nx-add: 0\r\ncontent-length: 2\r\n\r\nab',
    )
    assert.match(rewritten, /\r\nx-set: b\r\nx-add: c\r\n/)
    const { host, url, headers, body } = bodyOf(rewritten)
    assert.deepEqual(
      [host, url, body, headers['x-set'], headers['x-add'], headers['x-gone'], headers['content-length']],
      ['new.test', '/new?x=1', 'ab', 'b', '0,c', undefined, '2'],
    )
  })

  it('is answered in order when several come at once, and behind a refused one nothing is', async (t) => {
    const { asked, say: speak } = await start(t)
    const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: shop.test\r\n\r\n`
    const answer = await speak(`${get('/1')}${get('/2')}BAD\r\n\r\n${get('/3')}`)
    assert.deepEqual(asked, ['GET /1', 'GET /2'])
    assert.deepEqual(
      [...answer.matchAll(/HTTP\/1.1 (\d+)/g)].map(([, status]) => status),
      ['200', '200', '400'],
    )
  })

  it('is its connection’s last when it asks for an upgrade: the parser loses its place there', async (t) => {
    const { asked, port } = await start(t)
    for (const protocol of ['websocket', 'h2c']) {
      const socket = await raw(t, port)
      const ended = once(socket, 'end')
      let answer = ''
      socket.on('data', (chunk) => {
        answer += chunk
      })
      const upgrade = `connection: upgrade\r\nupgrade: ${protocol}\r\n`
      socket.write(`GET /${protocol} HTTP/1.1\r\nhost: x\r\n${upgrade}\r\nGET /2 HTTP/1.1\r\nhost: x\r\nx-value: `)
      await eventually('the answer', () => answer !== '')
      socket.write('GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n')
      await ended
      assert.deepEqual(
        [...answer.matchAll(/HTTP\/1.1 (\d+)/g)].map(([, status]) => status),
        ['200'],
      )
      assert.match(answer, /\r\nconnection: close\r\n/i)
    }
    assert.deepEqual(asked, ['GET /websocket', 'GET /h2c'])
  })

  it('may be chunked, expect 100, or have no body in its answer', async (t) => {
    const { say: speak, port } = await start(t)
    const chunked = await speak(
      `POST / HTTP/1.1\r\n${HEAD}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`,
    )
    assert.equal(bodyOf(chunked).body, 'abcde')
    const head = await speak(`HEAD / HTTP/1.1\r\n${HEAD}\r\n`)
    assert.equal(statusOf(head), 200)
    assert.ok(head.endsWith('\r\n\r\n'))
    for (const status of [204, 304]) {
      const answer = await speak(`GET /${status} HTTP/1.1\r\n${HEAD}\r\n`)
      assert.equal(statusOf(answer), status)
      assert.ok(answer.endsWith('\r\n\r\n'))
      assert.doesNotMatch(answer, /transfer-encoding/i)
    }
    assert.match(await speak(`GET /trailers HTTP/1.1\r\n${HEAD}\r\n`), /5\r\nchunk\r\n0\r\nx-sum: 5\r\n\r\n$/)
    const own = await speak(`GET /private HTTP/1.1\r\n${HEAD}\r\n`)
    assert.match(own, /x-own: 2/)
    assert.doesNotMatch(own, /x-private/)

    const socket = await raw(t, port)
    socket.write(`POST / HTTP/1.1\r\n${HEAD}expect: 100-continue\r\ncontent-length: 2\r\n\r\n`)
    const [first] = await once(socket, 'data')
    assert.equal(String(first), 'HTTP/1.1 100 Continue\r\n\r\n')
    socket.write('ab')
    const [second] = await once(socket, 'data')
    assert.equal(statusOf(String(second)), 200)
  })

  it('is told no before its body is asked for', async (t) => {
    const { rig, say: speak } = await start(t, { gateway: { policy: () => 'deny' } })
    const answer = await speak('POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n')
    assert.equal(statusOf(answer), 403)
    assert.match(answer, /connection: close/i)
    assert.equal((await recordOf(rig.mesh, 'run')).symptom, 'rbac-403')
  })

  it('may be refused in the midst of its body; the next on the connection is read where it starts', async (t) => {
    const { rig, port } = await start(t, {
      gateway: { policy: ({ method }) => (method === 'POST' ? 'deny' : 'allow') },
    })
    const socket = await raw(t, port)
    socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 30\r\n\r\nGET /inner')
    const [first] = await once(socket, 'data')
    assert.equal(statusOf(String(first)), 403)
    socket.write(' HTTP/1.1\r\nhost: x\r\n')
    socket.write('GET /next HTTP/1.1\r\nhost: x\r\n\r\n')
    const [second] = await once(socket, 'data')
    assert.equal(bodyOf(String(second)).url, '/next')
    await eventually('two records', () => rig.mesh.flows({ run: 'run' }).length === 2)
  })
})
