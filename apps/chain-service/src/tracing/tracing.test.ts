import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { cleanUp, eventually } from '@bulkhead/testing'
import request from 'supertest'
import { rawAnswer, startService, startTcp } from '../testing/chain.js'
import { readB3, writeB3 } from './b3.js'
import { MAX_QUEUED, ZipkinReporter, type ZipkinSpan } from './reporter.js'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'

async function collector(
  t: TestContext,
  status = 202,
): Promise<{ url: string; spans: ZipkinSpan[]; paths: Set<string>; server: Server }> {
  const spans: ZipkinSpan[] = []
  const paths = new Set<string>()
  const server = createServer((incoming, response) => {
    let body = ''
    incoming.on('data', (chunk: Buffer) => {
      body += chunk.toString()
    })
    incoming.on('end', () => {
      paths.add(`${incoming.method} ${incoming.url} ${incoming.headers['content-type']}`)
      spans.push(...(JSON.parse(body) as ZipkinSpan[]))
      response.writeHead(status).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUp(t, () => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans, paths, server }
}

test('spans: the server joins the caller, the call hangs below it, and the headers carry the call', async (t) => {
  const zipkin = await collector(t)
  let head = ''
  const upstream = await startTcp(t, (socket) =>
    socket.once('data', (data) => {
      head = data.toString()
      socket.end(rawAnswer('200 OK', '{}'))
    }),
  )
  const { service } = await startService(t, {
    NAME: 'web-api',
    TRACING_ZIPKIN: `${zipkin.url}/`,
    UPSTREAM_URIS: upstream.url,
    TIMING_50_PERCENTILE: '600ms',
  })
  await request(service.server)
    .get('/')
    .set({ 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-sampled': '1' })
    .expect(200)
  await service.close() // posts what waits
  assert.deepEqual([...zipkin.paths], ['POST /api/v2/spans application/json'])
  const span = (name: string): ZipkinSpan => zipkin.spans.find((candidate) => candidate.name === name) as ZipkinSpan
  const [server, call, delay] = [span('handle_request'), span('call_upstream'), span('service_delay')]
  assert.deepEqual([server.traceId, server.id, server.kind, server.shared], [TRACE, SPAN, 'SERVER', true])
  assert.deepEqual(
    [call.traceId, call.parentId, call.kind, call.tags['http.url']],
    [TRACE, SPAN, 'CLIENT', `${upstream.url}/`],
  )
  assert.equal(delay.parentId, SPAN)
  assert.equal(server.localEndpoint.serviceName, 'web-api')
  assert.ok(Number.isInteger(call.timestamp) && call.timestamp >= server.timestamp && call.duration <= server.duration)
  assert.match(head, new RegExp(`\\r\\nx-b3-traceid: ${TRACE}\\r\\n`))
  assert.match(head, new RegExp(`\\r\\nx-b3-spanid: ${call.id}\\r\\n`))
  assert.equal(head.match(/x-b3-spanid/g)?.length, 1, "ours instead of the caller's")
  assert.match(head, new RegExp(`\\r\\ntraceparent: 00-[0-9a-f]{32}-${call.id}-0[01]\\r\\n`))
})

test('not sampled means not reported', async (t) => {
  const zipkin = await collector(t)
  const { service } = await startService(t, { TRACING_ZIPKIN: zipkin.url })
  await request(service.server).get('/').set('b3', `${TRACE}-${SPAN}-0`).expect(200)
  await request(service.server).get('/').set('b3', `${TRACE}-${SPAN}-1`).expect(200)
  await service.close()
  assert.equal(zipkin.spans.length, 1)
})

test('a collector that refuses, hangs or is not there harms nothing; what is lost is counted', async (t) => {
  const refusing = await collector(t, 500)
  const hanging = await startTcp(t, () => {})
  const gone = await startTcp(t, () => {})
  await new Promise((resolve) => gone.server.close(resolve))
  for (const url of [refusing.url, hanging.url, gone.url]) {
    const { service } = await startService(t, { TRACING_ZIPKIN: url })
    for (let index = 0; index < 120; index++) assert.equal((await request(service.server).get('/')).status, 200)
    if (url !== hanging.url) {
      await eventually('the count', async () =>
        /zipkin_spans_dropped_total 1\d\d/.test((await request(service.server).get('/metrics')).text),
      )
    }
    const from = performance.now()
    await service.close()
    // As long as a report may take, it would not be a moment.
    assert.ok(performance.now() - from < 4_500, 'and the shutdown waits for at most a moment')
  }
})

test('the queue is bounded', async (t) => {
  const hanging = await startTcp(t, () => {})
  let dropped = 0
  const reporter = new ZipkinReporter({ endpoint: new URL(hanging.url), onDropped: (spans) => (dropped += spans) })
  const span: ZipkinSpan = {
    traceId: TRACE,
    id: SPAN,
    name: 'x',
    timestamp: 1,
    duration: 1,
    localEndpoint: { serviceName: 's', port: 1 },
    tags: {},
  }
  for (let index = 0; index < MAX_QUEUED * 3; index++) reporter.report(span)
  assert.ok(dropped > MAX_QUEUED && dropped < MAX_QUEUED * 2, `${dropped} dropped`)
  await reporter.close()
})

test('B3 in both forms, and what is not B3', () => {
  const ids = { traceId: TRACE, spanId: SPAN, parentSpanId: undefined, sampled: true }
  assert.deepEqual(readB3({ b3: `${TRACE}-${SPAN}-1` }), ids)
  assert.deepEqual(readB3({ b3: `${TRACE}-${SPAN}-d-${SPAN}` }), { ...ids, parentSpanId: SPAN })
  assert.deepEqual(readB3({ 'x-b3-traceid': TRACE.slice(16), 'x-b3-spanid': SPAN }), {
    ...ids,
    traceId: TRACE.slice(16),
    sampled: undefined,
  })
  assert.deepEqual(readB3({ 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-flags': '1' }), ids)
  assert.equal(readB3({ b3: '0' }), undefined)
  assert.equal(readB3({ 'x-b3-traceid': 'zz', 'x-b3-spanid': SPAN }), undefined)
  assert.equal(readB3({ 'x-b3-traceid': '0'.repeat(32), 'x-b3-spanid': SPAN }), undefined)
  assert.deepEqual(writeB3({ ...ids, parentSpanId: 'p' }), [
    'x-b3-traceid',
    TRACE,
    'x-b3-spanid',
    SPAN,
    'x-b3-sampled',
    '1',
    'x-b3-parentspanid',
    'p',
  ])
})
