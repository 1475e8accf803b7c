import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { eventually } from '@bulkhead/testing'
import request from 'supertest'
import { rawAnswer, startService, startTcp } from '../testing/chain.js'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'
const OK = rawAnswer('200 OK', '{"name":"up","code":200}')

/** Answers every request on every connection, and keeps what it was sent. */
function answering(seen: string[], answer = OK): (socket: Socket) => void {
  return (socket) =>
    void socket.on('data', (data) => {
      seen.push(data.toString())
      socket.write(answer)
    })
}

test('tracing headers go on, credentials and the rest do not', async (t) => {
  const seen: string[] = []
  const upstream = await startTcp(t, answering(seen))
  const { service } = await startService(t, { UPSTREAM_URIS: upstream.url, HTTP_CLIENT_PROPAGATE_HEADERS: 'X-User' })
  await request(service.server)
    .get('/')
    .set({
      traceparent: `00-${TRACE}-${SPAN}-01`,
      tracestate: 'a=1',
      baggage: 'k=v',
      'x-b3-traceid': TRACE,
      'x-b3-spanid': SPAN,
      'x-request-id': 'id-1',
      'x-user': 'ada',
    })
    .set({
      authorization: 'Bearer hunter2',
      cookie: 'session=hunter2',
      'x-forwarded-for': '1.2.3.4',
      'x-anything': 'hunter2',
    })
    .expect(200)
  const [head = ''] = seen
  const header = (name: string): string | undefined => new RegExp(`\\r\\n${name}: (.*)\\r\\n`).exec(head)?.[1]
  assert.match(
    header('traceparent') ?? '',
    new RegExp(`^00-${TRACE}-(?!${SPAN})[0-9a-f]{16}-01$`),
    'the same trace, our span',
  )
  assert.deepEqual(['tracestate', 'baggage', 'x-b3-traceid', 'x-b3-spanid', 'x-request-id', 'x-user'].map(header), [
    'a=1',
    'k=v',
    TRACE,
    SPAN,
    'id-1',
    'ada',
  ])
  for (const leaked of ['authorization', 'cookie', 'x-forwarded-for', 'x-anything'])
    assert.equal(header(leaked), undefined)
  assert.doesNotMatch(head, /hunter2/)
  assert.equal(header('host'), upstream.url.slice('http://'.length))
})

test('without keep-alive every call has its own connection; with it they share one', async (t) => {
  for (const [keepAlive, connections] of [
    ['false', 3],
    ['true', 1],
  ] as const) {
    const seen: string[] = []
    let opened = 0
    const upstream = await startTcp(t, (socket) => {
      opened++
      answering(seen)(socket)
    })
    const { service } = await startService(t, { UPSTREAM_URIS: upstream.url, HTTP_CLIENT_KEEP_ALIVES: keepAlive })
    for (let index = 0; index < 3; index++) await request(service.server).get('/').expect(200)
    assert.equal(opened, connections)
    for (const head of seen)
      assert.match(head, keepAlive === 'true' ? /\r\nconnection: keep-alive\r\n/i : /\r\nconnection: close\r\n/i)
  }
})

test('a kept connection that the upstream closes as we use it: once more, on a new one', async (t) => {
  for (const cut of ['end', 'resetAndDestroy'] as const) {
    const seen: number[] = []
    let connection = 0
    const upstream = await startTcp(t, (socket) => {
      const mine = ++connection
      let requests = 0
      socket.on('data', () => {
        seen.push(mine)
        if (mine === 1 && ++requests === 2) socket[cut]()
        else socket.write(OK)
      })
    })
    const { service } = await startService(t, { UPSTREAM_URIS: upstream.url, HTTP_CLIENT_KEEP_ALIVES: 'true' })
    await request(service.server).get('/').expect(200)
    await request(service.server).get('/').expect(200)
    assert.deepEqual(seen, [1, 1, 2], cut)
  }
})

test('a new connection that is denied is not tried again', async (t) => {
  let opened = 0
  const upstream = await startTcp(t, (socket) => {
    opened++
    socket.once('data', () => socket.resetAndDestroy())
  })
  const { service } = await startService(t, { UPSTREAM_URIS: upstream.url, HTTP_CLIENT_KEEP_ALIVES: 'true' })
  await request(service.server).get('/').expect(500)
  assert.equal(opened, 1)
})

test('an open connection whose policy changed: the second try meets the denial, and says so', async (t) => {
  let denied = false
  const upstream = await startTcp(t, (socket) => {
    if (denied) {
      socket.once('data', () => socket.resetAndDestroy())
      return
    }
    socket.on('data', () => (denied ? socket.resetAndDestroy() : socket.write(OK)))
  })
  const { service } = await startService(t, { UPSTREAM_URIS: upstream.url, HTTP_CLIENT_KEEP_ALIVES: 'true' })
  await request(service.server).get('/').expect(200)
  denied = true
  const { text } = await request(service.server).get('/').expect(500)
  assert.match(
    text,
    /"code": -1,\n {6}"error": "Error communicating with upstream service: Get .*connection reset by peer"/,
  )
})

test('redirects are followed, and take only tracing headers to another host', async (t) => {
  const seen: string[] = []
  const target = await startTcp(t, answering(seen))
  const upstream = await startTcp(t, answering([], rawAnswer('302 Found', '', [`Location: ${target.url}/there`])))
  const { service } = await startService(t, {
    UPSTREAM_URIS: upstream.url,
    HTTP_CLIENT_PROPAGATE_HEADERS: 'authorization',
  })
  const { text } = await request(service.server).get('/').set('authorization', 'hunter2').expect(200)
  assert.match(text, /"name": "up"/)
  assert.match(seen[0] ?? '', /^GET \/there HTTP/)
  assert.doesNotMatch(seen[0] ?? '', /hunter2/)
  const asked: string[] = []
  const loop = await startTcp(t, answering(asked, rawAnswer('302 Found', '', ['Location: /again'])))
  const looping = await startService(t, { UPSTREAM_URIS: loop.url })
  await request(looping.service.server).get('/').expect(500)
  assert.equal(asked.length, 10, 'as often as Go asks')
})

test('when the client goes away, the upstream call is given up', async (t) => {
  let reached = false
  let left = false
  const upstream = await startTcp(t, (socket) => {
    socket.once('data', () => {
      reached = true
    })
    socket.once('close', () => {
      left = true
    })
  })
  const { url, lines } = await startService(t, { UPSTREAM_URIS: upstream.url })
  const controller = new AbortController()
  const response = fetch(url, { signal: controller.signal })
  await eventually('the call', () => reached)
  assert.equal(left, false)
  controller.abort()
  await assert.rejects(response)
  await eventually('the end of the call', () => left)
  const line = await eventually('the line in the log', () => lines.find(({ msg }) => msg === 'request'))
  assert.deepEqual([line.status, line.aborted], [499, true])
})
