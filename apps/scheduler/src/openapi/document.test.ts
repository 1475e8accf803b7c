import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startScheduler } from '../testing/scheduler.js'
import { refusalsOf } from './document.js'

interface Operation {
  readonly security: readonly object[]
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: object } } }
  readonly responses: Readonly<Record<string, object>>
}

test('the document has every route, whom it is for, what it takes and what it may be refused with', async (t) => {
  const { agent, routes } = startScheduler(t)
  const { body, headers } = await agent.get('/openapi.json').expect(200)
  assert.equal(headers['content-type'], 'application/json')
  assert.equal(body.openapi, '3.1.0')
  const paths = body.paths as Readonly<Record<string, Readonly<Record<string, Operation>>>>
  for (const route of routes) {
    const { method, path, caller } = route
    const operation = paths[path]?.[method.toLowerCase()]
    assert.ok(operation !== undefined, path)
    assert.deepEqual(operation.security, caller === 'anybody' ? [] : [{ [caller]: [] }])
    assert.equal(operation.requestBody !== undefined, route.body !== undefined)
    assert.deepEqual(
      Object.keys(operation.responses).sort(),
      ['200', ...[...refusalsOf(route).keys()].map(String), 'default'].sort(),
    )
  }
  const set = paths['/api/v1/intents']?.put?.requestBody?.content['application/json'].schema
  assert.match(JSON.stringify(set), /"commandRegex":\{"type":"string","maxLength":256\}/)
  const own = ['/health', '/livez', '/readyz', '/metrics', '/openapi.json']
  for (const path of own) await agent.get(path).expect(path === '/readyz' ? 503 : 200)
  assert.equal(Object.keys(paths).length, new Set([...routes.map(({ path }) => path), ...own]).size)
})
