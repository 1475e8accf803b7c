import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import request from 'supertest'
import { kitErrors } from '../errors/kit-errors.js'
import { createLog } from '../log/logger.js'
import { createService, type ServiceOptions } from '../service.js'

const build = (options: Partial<ServiceOptions>) =>
  createService({
    log: createLog({ name: 'own', level: 'error', write: () => {} }),
    routes: (app) => {
      app.get('/taken', () => {
        throw kitErrors.error('CONFLICT', 'There is one already.', { headers: { 'x-why': 'name' } })
      })
      app.get('/boom', () => {
        throw new Error('hunter2')
      })
    },
    ...options,
  })

const own = build({
  renderError: ({ code, message }, requestId) => ({
    type: 'application/problem',
    body: JSON.stringify({ no: message, code, requestId }),
  }),
})

test('a service with an envelope of its own says every failure in it, with the status and headers of the error', async () => {
  const cases = [
    ['GET', '/taken', 409, 'CONFLICT'],
    ['GET', '/nowhere', 404, 'NOT_FOUND'],
    ['POST', '/taken', 405, 'METHOD_NOT_ALLOWED'],
    ['POST', '/metrics', 405, 'METHOD_NOT_ALLOWED'],
    ['OPTIONS', '/taken', 405, 'METHOD_NOT_ALLOWED'],
    ['OPTIONS', '/nowhere', 404, 'NOT_FOUND'],
    ['OPTIONS', '/metrics', 405, 'METHOD_NOT_ALLOWED'],
    ['GET', '/boom', 500, 'INTERNAL'],
    ['GET', `/${'x'.repeat(9000)}`, 414, 'URL_TOO_LONG'],
  ] as const
  for (const [method, path, status, code] of cases) {
    const agent = request(own.server)
    const verb = ({ GET: 'get', POST: 'post', OPTIONS: 'options' } as const)[method]
    const response = await agent[verb](path).set('x-request-id', 'r-1')
    assert.equal(response.status, status, code)
    assert.equal(response.headers['content-type'], 'application/problem')
    const body = JSON.parse(response.text ?? String(response.body)) as { no: string; code: string; requestId: string }
    assert.deepEqual(Object.keys(body), ['no', 'code', 'requestId'])
    assert.equal(body.code, code)
    assert.equal(body.requestId, 'r-1')
    assert.doesNotMatch(JSON.stringify(body), /hunter2/)
    if (code === 'CONFLICT') assert.equal(response.headers['x-why'], 'name')
    if (code === 'METHOD_NOT_ALLOWED') assert.match(response.headers.allow ?? '', /GET/)
  }
})

test('bytes that make no request are answered in it, too', async () => {
  const { port } = await own.listen({ host: '127.0.0.1', port: 0 })
  try {
    const socket = connect(port, '127.0.0.1')
    socket.end('nonsense\r\n\r\n')
    const answer = await text(socket)
    assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\ncontent-type: application\/problem\r\n/)
    assert.match(answer, /\{"no":"The bytes received.*","code":"MALFORMED_HTTP","requestId":"[0-9a-f]{32}"\}$/)
  } finally {
    await own.close()
  }
})

test('without one, the envelope is the shared one', async () => {
  const response = await request(build({}).server).get('/taken').expect(409)
  assert.deepEqual(response.body.error.code, 'CONFLICT')
})
