import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { createLog, createService } from '@bulkhead/service-kit'
import { MongoServerSelectionError, ObjectId } from 'mongodb'
import request from 'supertest'
import { z } from 'zod'
import type { AuditEntry } from '../audit/log.js'
import { MAX_BODY_BYTES } from './body.js'
import { renderError } from './envelope.js'
import { managerErrors } from './errors.js'
import { missing, ofType, saying } from './fields.js'
import { mountRoutes } from './mount.js'
import { type Caller, defineRoute, type Route } from './route.js'

const caller: Caller = { id: new ObjectId(), username: 'ann', status: 1, policies: new Map() }

const common = { tag: 'demo', summary: 'For this test.', errors: [] } as const

const routes: Route[] = [
  defineRoute({
    ...common,
    method: 'POST',
    path: '/api/v1/things',
    operationId: 'createThing',
    permission: 'user.create',
    audit: 'thing.create',
    ifMatch: true,
    idempotent: true,
    body: z.object({
      name: z.string({ error: missing('CREDENTIALS_REQUIRED') }).min(1, saying('CREDENTIALS_REQUIRED')),
      count: z
        .int()
        .refine((n) => n < 128, { error: 'is no int8', params: ofType })
        .refine((n) => n < 4, 'is at most 3')
        .optional(),
      tags: z.array(z.object({ key: z.string() })).optional(),
    }),
    handle: async ({ body, ifMatch, idempotencyKey, about }) => {
      about('things/1')
      if (body.name === 'taken') throw managerErrors.error('NAME_TAKEN')
      if (body.name === 'away') throw new MongoServerSelectionError('no server, and a password: hunter2', {} as never)
      if (body.name === 'broken') throw new Error('hunter2')
      return { status: 201, data: { ...body, ifMatch, idempotencyKey }, target: 'things/2', headers: { etag: '"1"' } }
    },
  }),
  defineRoute({
    ...common,
    method: 'GET',
    path: '/api/v1/things/{id}',
    operationId: 'getThing',
    permission: 'token',
    audit: 'thing.read',
    params: z.object({ id: z.string().regex(/^[0-9a-f]{24}$/, saying('USER_ID_INVALID')) }),
    query: z.object({ limit: z.coerce.number().int().max(200).default(50) }),
    handle: async ({ params, query }) => ({ data: { id: params.id, limit: query.limit, text: '<a&b>\u2028' } }),
  }),
  defineRoute({
    ...common,
    method: 'GET',
    path: '/api/v1/nothing',
    operationId: 'nothing',
    permission: 'none',
    audit: 'nothing.read',
    handle: async () => ({}),
  }),
  defineRoute({
    ...common,
    method: 'GET',
    path: '/raw',
    operationId: 'raw',
    permission: 'none',
    raw: true,
    handle: async () => ({ data: { status: 'healthy' } }),
  }),
]

function build(): {
  server: ReturnType<typeof createService>['server']
  noted: AuditEntry[]
  service: ReturnType<typeof createService>
} {
  const noted: AuditEntry[] = []
  const service = createService({
    log: createLog({ name: 'manager', level: 'fatal', write: () => {} }),
    renderError,
    limits: { maxBodyBytes: MAX_BODY_BYTES },
    routes: (app) =>
      mountRoutes(app, routes, {
        guard: async (_route, authorization) => {
          if (authorization !== 'Bearer ann') throw managerErrors.error('TOKEN_INVALID')
          return { caller, granted: [] }
        },
        audit: { record: async (entry) => void noted.push(entry) },
        now: () => Date.UTC(2025, 11, 30, 13, 9, 10, 987),
      }),
  })
  return { server: service.server, noted, service }
}

const post = (server: ReturnType<typeof build>['server'], body: string) =>
  request(server).post('/api/v1/things').set('authorization', 'Bearer ann').send(body)

test('1.2 success envelope: data, whole seconds of UTC, application/json, a newline at the end, < > & escaped', async () => {
  const { server } = build()
  const id = '0123456789abcdef01234567'
  const response = await request(server).get(`/api/v1/things/${id}`).set('authorization', 'Bearer ann').expect(200)
  assert.equal(response.headers['content-type'], 'application/json')
  assert.equal(
    response.text,
    `{"success":true,"data":{"id":"${id}","limit":50,"text":"\\u003ca\\u0026b\\u003e\\u2028"},"timestamp":"2025-12-30T13:09:10Z"}\n`,
  )
  assert.equal(response.headers['cache-control'], 'no-store')
})

test('1.2 the key data is left out when there is no payload; a raw answer has no envelope', async () => {
  const { server } = build()
  assert.equal(
    (await request(server).get('/api/v1/nothing').expect(200)).text,
    '{"success":true,"timestamp":"2025-12-30T13:09:10Z"}\n',
  )
  assert.equal((await request(server).get('/raw').expect(200)).text, '{"status":"healthy"}\n')
})

test('1.2 error envelope: success false, the message, and beside it code and request id', async () => {
  const { server } = build()
  const response = await post(server, '{"name":"taken"}').set('x-request-id', 'r-7').expect(409)
  assert.equal(response.headers['content-type'], 'application/json')
  assert.equal(
    response.text,
    '{"success":false,"error":"There is one of this name already.","code":"NAME_TAKEN","requestId":"r-7"}\n',
  )
  assert.equal(response.headers['cache-control'], 'no-store')
  assert.equal(response.headers['x-content-type-options'], 'nosniff')
})

test('M22 one envelope for 404 and 405, under /api and elsewhere, and for another spelling of a path', async () => {
  const { server } = build()
  for (const path of ['/api/v1/typo', '/typo', '/api/v1/Nothing', '/API/v1/nothing', '/api/v1/nothing/']) {
    const { body } = await request(server).get(path).expect(404)
    assert.deepEqual(
      { success: body.success, error: body.error, code: body.code },
      { success: false, error: 'Not Found', code: 'NOT_FOUND' },
      path,
    )
  }
  const wrong = await request(server).delete('/api/v1/nothing').expect(405)
  assert.equal(wrong.body.error, 'Method Not Allowed')
  assert.equal(wrong.headers.allow, 'GET, HEAD')
  const asked = await request(server).options('/api/v1/nothing').expect(405)
  assert.deepEqual([asked.body.code, asked.headers.allow], ['METHOD_NOT_ALLOWED', 'GET, HEAD'])
  assert.equal((await request(server).options('/api/v1/typo').expect(404)).body.code, 'NOT_FOUND')
})

test('1.2 body: unknown members and what follows the first value are ignored, a null member is a missing one', async () => {
  const { server } = build()
  for (const body of [
    '{"name":"x","else":1}',
    '{"name":"x"} trailing',
    '{"name":"x"}{"name":"y"}',
    ' {"name":"x","count":null}',
    '{"name":"x","tags":[{"key":"}]"}]}]',
  ])
    assert.equal((await post(server, body).expect(201)).body.data.name, 'x', body)
})

test('1.2 a body that cannot be read, or has values of other types, is 400 "Invalid request body" and names the field', async () => {
  const { server } = build()
  for (const body of ['', '{', '{"name":', 'x', '{"name":"\\', '}{', '\u0000', '{name:1}']) {
    const response = await post(server, body).expect(400)
    assert.equal(response.body.error, 'Invalid request body', body)
    assert.equal(response.body.code, 'INVALID_BODY')
  }
  const invalidUtf8 = await request(server)
    .post('/api/v1/things')
    .set('authorization', 'Bearer ann')
    .type('json')
    .serialize((bytes) => bytes)
    .send(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]) as unknown as object)
  assert.equal(invalidUtf8.status, 400)
  for (const [body, field] of [
    ['[]', 'body'],
    ['7', 'body'],
    ['{"name":7}', 'name'],
    ['{"name":{"$ne":""}}', 'name'],
    ['{"name":"x","count":1.5}', 'count'],
    ['{"name":"x","count":"1"}', 'count'],
    ['{"name":"x","count":300}', 'count'],
    ['{"name":"x","tags":{}}', 'tags'],
    ['{"name":"x","tags":[null]}', 'tags[0]'],
    ['{"name":"x","tags":[{"key":"a"},{"key":[]}]}', 'tags[1].key'],
  ] as const) {
    const response = await post(server, body).expect(400)
    assert.equal(response.body.error, 'Invalid request body', body)
    assert.equal(response.body.fields[0].field, field, body)
  }
})

test('M9 a value that is not allowed is 422 and names the field; the rule that has words of the contract speaks them', async () => {
  const { server } = build()
  const tooMuch = await post(server, '{"name":"x","count":5}').expect(422)
  assert.equal(tooMuch.body.code, 'VALIDATION_FAILED')
  assert.deepEqual(tooMuch.body.fields, [{ field: 'count', message: 'is at most 3' }])
  const absent = await post(server, '{"name":"x","tags":[{}]}').expect(422)
  assert.equal(absent.body.fields[0].field, 'tags[0].key')
  for (const body of ['{}', 'null', '{"name":""}', '{"name":null}']) {
    const required = await post(server, body).expect(422)
    assert.equal(required.body.error, 'Username and password are required', body)
    assert.equal(required.body.code, 'CREDENTIALS_REQUIRED')
    assert.equal(required.body.fields[0].field, 'name')
  }
  const get = (path: string) => request(server).get(path).set('authorization', 'Bearer ann')
  assert.equal((await get('/api/v1/things/7').expect(422)).body.error, 'invalid user ID')
  const limit = await get('/api/v1/things/0123456789abcdef01234567?limit=many').expect(422)
  assert.equal(limit.body.fields[0].field, 'limit')
})

test('a body of more than 64 KiB is 413 whether its length is told or not, and is not read on', async () => {
  const { server, service } = build()
  const large = `{"name":"${'x'.repeat(MAX_BODY_BYTES)}"}`
  assert.equal((await post(server, large).expect(413)).body.code, 'BODY_TOO_LARGE')
  const { port } = await service.listen({ host: '127.0.0.1', port: 0 })
  try {
    const socket = connect(port, '127.0.0.1')
    const chunk = `2000\r\n${'x'.repeat(0x2000)}\r\n`
    socket.on('error', () => {})
    socket.write(
      'POST /api/v1/things HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ann\r\ntransfer-encoding: chunked\r\n\r\n',
    )
    socket.write(chunk.repeat(9))
    assert.match(await text(socket), /^HTTP\/1\.1 413 /)
  } finally {
    await service.close()
  }
})

test("a compressed body is 415: what it would grow to is nobody's business to find out", async () => {
  const { server } = build()
  const response = await post(server, '{"name":"x"}').set('content-encoding', 'gzip').expect(415)
  assert.equal(response.body.code, 'UNSUPPORTED_MEDIA_TYPE')
})

test('who calls is asked before anything is read: a stranger gets 401 for a broken body, too', async () => {
  const { server, noted } = build()
  const response = await request(server).post('/api/v1/things').send('{').expect(401)
  assert.equal(response.body.code, 'TOKEN_INVALID')
  assert.equal(response.headers['www-authenticate'], 'Bearer')
  assert.deepEqual(noted, [], 'strangers do not fill the audit log')
})

test('1.14 what is done is noted with who, to what, and what came of it', async () => {
  const { server, noted } = build()
  await post(server, '{"name":"x"}').set('x-request-id', 'a').expect(201)
  await post(server, '{"name":"taken"}').set('x-request-id', 'b').expect(409)
  await post(server, '{"name":7}').set('x-request-id', 'c').expect(400)
  await post(server, '{"name":"broken"}').set('x-request-id', 'd').expect(500)
  await request(server).get('/api/v1/nothing').set('x-request-id', 'e').expect(200)
  const who = { userID: caller.id, username: 'ann' }
  assert.deepEqual(
    noted.map(({ ip, ...rest }) => ({ ...rest, ip: /127\.0\.0\.1$/.test(ip) })),
    [
      { action: 'thing.create', outcome: 'ok', requestID: 'a', ip: true, ...who, target: 'things/2' },
      {
        action: 'thing.create',
        outcome: 'refused',
        requestID: 'b',
        ip: true,
        ...who,
        target: 'things/1',
        code: 'NAME_TAKEN',
      },
      { action: 'thing.create', outcome: 'refused', requestID: 'c', ip: true, ...who, code: 'INVALID_BODY' },
      {
        action: 'thing.create',
        outcome: 'failed',
        requestID: 'd',
        ip: true,
        ...who,
        target: 'things/1',
        code: 'INTERNAL',
      },
      { action: 'nothing.read', outcome: 'ok', requestID: 'e', ip: true },
    ],
  )
})

test('a database that is not there is 503 with Retry-After; an unknown failure 500; neither says more', async () => {
  const { server, noted } = build()
  const away = await post(server, '{"name":"away"}').expect(503)
  assert.equal(away.headers['retry-after'], '1')
  assert.doesNotMatch(away.text, /hunter2/)
  assert.deepEqual(
    noted.map(({ action, outcome, code, username }) => [action, outcome, code, username]),
    [['thing.create', 'failed', 'UNAVAILABLE', 'ann']],
    'of somebody who is known it is noted that nobody knows what became of it',
  )
  const broken = await post(server, '{"name":"broken"}').expect(500)
  assert.equal(broken.body.error, 'Internal Server Error')
  assert.doesNotMatch(broken.text, /hunter2/)
})

test('If-Match and Idempotency-Key reach the handler, and are refused when they make no sense', async () => {
  const { server } = build()
  const good = await post(server, '{"name":"x"}').set('if-match', '"3"').set('idempotency-key', 'k-1').expect(201)
  assert.deepEqual(good.body.data, { name: 'x', ifMatch: 3, idempotencyKey: 'k-1' })
  assert.equal(good.headers.etag, '"1"')
  assert.deepEqual((await post(server, '{"name":"x"}').set('if-match', '*').expect(201)).body.data, { name: 'x' })
  for (const [header, value] of [
    ['if-match', '3'],
    ['if-match', 'W/"3"'],
    ['if-match', '"x"'],
    ['idempotency-key', 'a b'],
    ['idempotency-key', 'x'.repeat(129)],
  ] as const)
    assert.equal((await post(server, '{"name":"x"}').set(header, value).expect(400)).body.code, 'INVALID_HEADER', value)
})
