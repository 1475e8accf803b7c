import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startScheduler } from '../testing/scheduler.js'

test('2.1: /health and /version are raw, of the manager’s shapes, and for anybody', async (t) => {
  const { agent } = startScheduler(t)
  const { body, text } = await agent.get('/health').expect(200)
  assert.deepEqual({ ...body, timestamp: '' }, { status: 'healthy', timestamp: '', service: 'decision-maker-service' })
  assert.match(text, /"timestamp":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ".*\}\n$/)
  const refused = await agent.post('/health').expect(405)
  assert.deepEqual([refused.headers.allow, refused.body.code], ['GET, HEAD', 'METHOD_NOT_ALLOWED'])
  const version = await agent.get('/version').expect(200)
  assert.deepEqual(version.body, {
    message: 'decision-maker-service',
    version: '1.0.0',
    endpoints: 'GET /openapi.json lists them',
  })
})

test('/livez is of the process, /readyz of what it needs, which is the node’s processes and not the manager', async (t) => {
  const scheduler = startScheduler(t)
  const { agent, manager } = scheduler
  manager.answer = () => Promise.reject(new Error('away'))
  scheduler.start()
  scheduler.timers.fire()
  assert.deepEqual((await agent.get('/livez').expect(200)).body, { status: 'alive' })
  const { health } = scheduler.service
  health.markReady()
  assert.deepEqual((await agent.get('/readyz').expect(200)).body, { status: 'ready', checks: { processes: 'ok' } })
})

test('what nobody has is a 404, and another spelling of a path is another path, all in the manager’s envelope', async (t) => {
  const { agent, asManager } = startScheduler(t)
  const authorization = await asManager()
  for (const path of ['/', '/api/v1', '/API/v1/intents/merkle', '/api/v1/intents/merkle/', '/api/v1//intents/merkle']) {
    const { body } = await agent.get(path).set('authorization', authorization).expect(404)
    assert.deepEqual(
      { ...body, requestId: '' },
      { success: false, error: 'Not Found', code: 'NOT_FOUND', requestId: '' },
    )
  }
})
