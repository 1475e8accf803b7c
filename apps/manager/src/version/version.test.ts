import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@bulkhead/testing'
import supertest from 'supertest'
import { startManager } from '../testing/index.js'

test('1.6 /health and /version: raw, the words of the original, whatever the state of things', async (t) => {
  const { agent, mongo, service } = await startManager(t)
  await mongo.close()
  const { headers, body, text } = await agent.get('/health').expect(200)
  assert.equal(headers['content-type'], 'application/json')
  assert.deepEqual(
    { ...(body as object), timestamp: '' },
    { status: 'healthy', timestamp: '', service: 'BSS Metrics API Server' },
  )
  assert.match(text, /"timestamp":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ".*\}\n$/)
  const version = await agent.get('/version').expect(200)
  assert.deepEqual(version.body, {
    message: 'BSS Metrics API Server',
    version: '1.0.0',
    endpoints: 'GET /openapi.json lists them',
  })
  const refused = await supertest(service.server).post('/health').expect(405)
  assert.equal(refused.headers.allow, 'GET, HEAD')
  assert.deepEqual(
    { ...(refused.body as object), requestId: '' },
    { success: false, error: 'Method Not Allowed', code: 'METHOD_NOT_ALLOWED', requestId: '' },
  )
})

test('M24 /livez is of the process, /readyz of what it needs, and names what is missing without saying more', async (t) => {
  const { agent, cluster, lines } = await startManager(t)
  await agent.get('/readyz').expect(200)
  cluster.synced = false
  cluster.problem = 'the API server at 10.96.0.1 refuses the token'
  await agent.get('/livez').expect(200)
  const { body, text } = await eventually('not ready', async () => {
    const response = await agent.get('/readyz')
    return response.status === 503 && response
  })
  assert.deepEqual(body, { status: 'not ready', checks: { mongodb: 'ok', kubernetes: 'failed' } })
  assert.doesNotMatch(text, /10\.96/)
  assert.ok(
    lines.some((line) => line.includes('refuses the token')),
    'the log says why',
  )
})

test('M22 /metrics are figures, and a path that nobody has is none', async (t) => {
  const { agent } = await startManager(t)
  assert.match((await agent.get('/metrics').expect(200)).text, /^# HELP /)
  await agent.get('/metric').expect(404)
})

test('the page may load nothing and run nothing', async (t) => {
  const { agent } = await startManager(t)
  const { headers } = await agent.get('/swagger/index.html').expect(200)
  assert.equal(headers['content-type'], 'text/html; charset=utf-8')
  assert.match(String(headers['content-security-policy']), /^default-src 'none'; style-src 'unsafe-inline';/)
  assert.equal(headers['x-content-type-options'], 'nosniff')
})
