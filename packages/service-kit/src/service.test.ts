import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cleanUp, eventually } from '@bulkhead/testing'
import express, { Router } from 'express'
import request from 'supertest'
import { defineErrors } from './errors/define-errors.js'
import type { ErrorEnvelope } from './errors/envelope.js'
import type { Check } from './health/health.js'
import { contextOf } from './http/request-context.js'
import { createLog } from './log/logger.js'
import { createService, type ServiceOptions } from './service.js'

const errors = defineErrors({ USER_ID_INVALID: { status: 400, message: 'A user id is a number.' } })

interface Line {
  readonly [field: string]: unknown
  readonly msg: string
}

function build(options: Partial<ServiceOptions> = {}): {
  service: ReturnType<typeof createService>
  lines: Line[]
  raw: string[]
} {
  const raw: string[] = []
  const lines: Line[] = []
  const log = createLog({
    name: 'demo',
    level: 'debug',
    write: (line) => {
      raw.push(line)
      lines.push(JSON.parse(line) as Line)
    },
  })
  const service = createService({
    log,
    routes: (app) => {
      const users = Router()
      users.get('/:id', (req, res) => {
        if (!/^\d+$/.test(req.params.id))
          throw errors.error('USER_ID_INVALID', `The user id ${JSON.stringify(req.params.id)} is not a number.`)
        res.json({ id: req.params.id })
      })
      users.delete('/:id', (_req, res) => void res.status(204).end())
      app.use('/users', users)
      app.get('/boom', async () => {
        await Promise.reject(new Error('the database password is hunter2'))
      })
      app.get('/late', (_req, res) => {
        res.write('begun')
        throw new Error('too late')
      })
      app.post('/echo', express.json({ limit: 50 }), (req, res) => void res.json(req.body))
      app.get('/trace', (req, res) => void res.json(contextOf(req).trace))
    },
    ...options,
  })
  return { service, lines, raw }
}

const codeOf = (response: { body: unknown }): string => (response.body as ErrorEnvelope).error.code

test('a handler tells the success story; its errors leave with their status, code and request id', async () => {
  const { service } = build()
  const good = await request(service.server).get('/users/7').expect(200)
  assert.deepEqual(good.body, { id: '7' })
  const bad = await request(service.server).get('/users/x').set('x-request-id', 'abc-1')
  assert.equal(bad.status, 400)
  assert.equal(bad.headers['content-type'], 'application/json; charset=utf-8')
  assert.deepEqual(bad.body, {
    error: { code: 'USER_ID_INVALID', message: 'The user id "x" is not a number.', requestId: 'abc-1' },
  })
})

test('an unknown error is a 500 that tells nothing outside and everything in the log', async () => {
  const { service, lines } = build()
  const response = await request(service.server).get('/boom')
  assert.equal(response.status, 500)
  assert.equal(codeOf(response), 'INTERNAL')
  assert.doesNotMatch(response.text, /hunter2/)
  const failure = lines.find((line) => line.msg === 'request failed')
  assert.match(JSON.stringify(failure?.err), /hunter2.*service\.test/)
  assert.equal(failure?.requestId, response.headers['x-request-id'])
})

test('an error after the first byte cuts the connection: half an answer must not look whole', async () => {
  const { service } = build()
  await assert.rejects(request(service.server).get('/late'), /aborted|socket hang up|terminated/)
})

test('404 and 405 are told apart, nested routers included', async () => {
  const { service } = build()
  assert.equal(codeOf(await request(service.server).get('/nowhere').expect(404)), 'NOT_FOUND')
  const wrong = await request(service.server).put('/users/7').expect(405)
  assert.equal(codeOf(wrong), 'METHOD_NOT_ALLOWED')
  assert.equal(wrong.headers.allow, 'DELETE, GET, HEAD')
  assert.equal((await request(service.server).get('/echo').expect(405)).headers.allow, 'POST')
  assert.equal((await request(service.server).post('/livez').expect(405)).headers.allow, 'GET, HEAD')
})

test('bad bodies and bad paths each have their status', async () => {
  const { service } = build()
  const post = (body: string, type = 'application/json') =>
    request(service.server).post('/echo').set('content-type', type).send(body)
  assert.deepEqual((await post('{"a":1}').expect(200)).body, { a: 1 })
  assert.equal(codeOf(await post('{"a":').expect(400)), 'MALFORMED_JSON')
  assert.equal(codeOf(await post(`{"a":"${'x'.repeat(60)}"}`).expect(413)), 'BODY_TOO_LARGE')
  assert.equal(codeOf(await post('{"a":1}', 'application/json; charset=latin9').expect(415)), 'UNSUPPORTED_MEDIA_TYPE')
  assert.equal(codeOf(await post('x').set('content-encoding', 'gzip').expect(400)), 'BAD_REQUEST')
  assert.equal(codeOf(await request(service.server).get('/users/%ff').expect(400)), 'MALFORMED_PATH')
})

test('a request id comes back; an unsafe one is replaced', async () => {
  const { service } = build()
  assert.equal(
    (await request(service.server).get('/users/1').set('x-request-id', 'a.b:c')).headers['x-request-id'],
    'a.b:c',
  )
  for (const unsafe of ['has blank', 'x'.repeat(200), '"quoted"', '']) {
    const { headers } = await request(service.server).get('/users/1').set('x-request-id', unsafe)
    assert.match(headers['x-request-id'] ?? '', /^[0-9a-f]{32}$/)
  }
})

test('a trace goes on through the context', async () => {
  const { service } = build()
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  const { body } = await request(service.server).get('/trace').set('traceparent', traceparent).set('tracestate', 'v=1')
  assert.equal(body.traceId, '4bf92f3577b34da6a3ce929d0e0e4736')
  assert.equal(body.parentSpanId, '00f067aa0ba902b7')
  assert.equal(body.tracestate, 'v=1')
})

test('one line per request, at its end, without the values of the query', async () => {
  const { service, lines, raw } = build()
  const response = await request(service.server)
    .get('/users/7?token=hunter2&b=hunter2')
    .set('authorization', 'Bearer hunter2')
  const requests = lines.filter((line) => line.msg === 'request')
  assert.equal(requests.length, 1)
  const [line] = requests
  assert.equal(line?.method, 'GET')
  assert.equal(line?.path, '/users/7?token=&b=')
  assert.equal(line?.status, 200)
  assert.equal(line?.requestId, response.headers['x-request-id'])
  assert.equal(typeof line?.ms, 'number')
  assert.ok(Number(line?.bytes) > 50)
  assert.equal('aborted' in (line ?? {}), false)
  assert.doesNotMatch(raw.join(''), /hunter2/)
})

test('health: alive at once, ready when it listens and its checks pass', async (t) => {
  let fail = false
  const db: Check = () => (fail ? Promise.reject(new Error('hunter2')) : Promise.resolve())
  const { service, raw } = build({ checks: { db } })
  assert.equal((await request(service.server).get('/livez')).status, 200)
  const starting = await request(service.server).get('/readyz').expect(503)
  assert.deepEqual(starting.body, { status: 'not ready', reason: 'starting', checks: {} })

  await service.listen({ host: '127.0.0.1', port: 0 })
  cleanUp(t, () => service.close())
  assert.deepEqual((await request(service.server).get('/readyz').expect(200)).body, {
    status: 'ready',
    checks: { db: 'ok' },
  })
  assert.deepEqual((await request(service.server).get('/health').expect(200)).body, { status: 'healthy' })

  fail = true
  const failed = await eventually('it is not ready', async () => {
    const response = await request(service.server).get('/readyz')
    return response.status === 503 ? response : undefined
  })
  assert.deepEqual(failed.body, { status: 'not ready', checks: { db: 'failed' } })
  assert.match(raw.join(''), /"check":"db".*hunter2.*readiness check failed/)
})

test('metrics: route patterns, never paths, and the process', async () => {
  const { service } = build()
  await request(service.server).get('/users/7')
  await request(service.server).get('/users/8')
  await request(service.server).get('/never/seen')
  const { text, headers } = await request(service.server).get('/metrics').expect(200)
  assert.match(headers['content-type'] ?? '', /^text\/plain; version=0\.0\.4/)
  assert.match(text, /http_request_duration_seconds_count\{method="GET",route="\/users\/:id",status="200"\} 2/)
  assert.match(text, /http_request_duration_seconds_count\{method="GET",route="none",status="404"\} 1/)
  assert.doesNotMatch(text, /never/)
  for (const name of [
    'process_cpu_seconds_total',
    'process_resident_memory_bytes',
    'nodejs_eventloop_utilization',
    'http_requests_in_flight',
  ]) {
    assert.match(text, new RegExp(`^${name} [0-9.e+-]+$`, 'm'))
  }
  const other = build()
  assert.doesNotMatch(
    (await request(other.service.server).get('/metrics')).text,
    /users/,
    'each instance has a registry of its own',
  )
})
