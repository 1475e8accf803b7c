import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { type OpenApi, operationsOf } from '../testing/documented.js'
import { startManager } from '../testing/index.js'

/** The contract's table of routes (1.6), by permission, and what is ours beside it. */
const operations: Readonly<Record<string, string>> = {
  'POST /api/v1/auth/login': 'anybody',
  'POST /api/v1/auth/session': 'anybody',
  'GET /api/v1/auth/session': 'logged in',
  'DELETE /api/v1/auth/session': 'logged in',
  'POST /api/v1/users': 'user.create',
  'GET /api/v1/users': 'user.read',
  'GET /api/v1/users/self': 'logged in',
  'PUT /api/v1/users/self/password': 'logged in',
  'PUT /api/v1/users/password': 'user.password.reset',
  'PUT /api/v1/users/permissions': 'user.permission.update',
  'POST /api/v1/roles': 'role.create',
  'PUT /api/v1/roles': 'role.update',
  'DELETE /api/v1/roles': 'role.delete',
  'DELETE /api/v1/roles/{id}': 'role.delete',
  'GET /api/v1/roles': 'role.read',
  'GET /api/v1/permissions': 'permission.read',
  'POST /api/v1/strategies': 'schedule_strategy.create',
  'PUT /api/v1/strategies': 'schedule_strategy.update',
  'GET /api/v1/strategies/self': 'schedule_strategy.read',
  'GET /api/v1/strategies/{id}': 'schedule_strategy.read',
  'DELETE /api/v1/strategies': 'schedule_strategy.delete',
  'DELETE /api/v1/strategies/{id}': 'schedule_strategy.delete',
  'GET /api/v1/intents/self': 'schedule_intent.read',
  'DELETE /api/v1/intents': 'schedule_intent.delete',
  'DELETE /api/v1/intents/{id}': 'schedule_intent.delete',
  'GET /api/v1/nodes': 'pod_pid_mapping.read',
  'GET /api/v1/nodes/{nodeID}/pods/pids': 'pod_pid_mapping.read',
  'PUT /api/v1/schedulers/{node}': 'scheduler',
  'GET /api/v1/schedulers': 'pod_pid_mapping.read',
  'GET /api/v1/audit': 'audit.read',
  'GET /': 'anybody',
  'GET /health': 'anybody',
  'GET /version': 'anybody',
  'GET /livez': 'anybody',
  'GET /readyz': 'anybody',
  'GET /metrics': 'anybody',
  'GET /openapi.json': 'anybody',
  'GET /swagger/index.html': 'anybody',
}

test("the document that is served is valid, and has the contract's routes with their permissions, and no others", async (t) => {
  const { agent } = await startManager(t)
  const document = (await agent.get('/openapi.json').expect(200)).body as OpenApi
  assert.deepEqual(await new Validator().validate(structuredClone(document) as never), { valid: true })
  // The schemas in it are the specification's of JSON Schema, which the document's own says nothing of.
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  const schemas = schemasIn(document)
  assert.ok(schemas.length > 100, `${schemas.length}`)
  for (const schema of schemas) assert.ok(ajv.validateSchema(schema), `${JSON.stringify(schema)}: ${ajv.errorsText()}`)
  const found = operationsOf(document)
  const served = Object.fromEntries(
    found.map(({ method, path, description, security }) => [
      `${method} ${path}`,
      /`(.+)`/.exec(description ?? '')?.[1] ?? (security?.length === 0 ? 'anybody' : 'logged in'),
    ]),
  )
  assert.deepEqual(served, operations)
  assert.equal(new Set(found.map(({ operationId }) => operationId)).size, found.length, 'ids are not shared')
  assert.match((await agent.get('/swagger/index.html').expect(200)).text, /<h2>POST \/api\/v1\/strategies<\/h2>/)
})

test('each path answers the methods that the document has for it, and says so to all others', async (t) => {
  const { agent, url } = await startManager(t)
  const document = (await agent.get('/openapi.json').expect(200)).body as OpenApi
  for (const template of Object.keys(document.paths)) {
    const path = template.replace(/\{\w+\}/g, '0123456789abcdef01234567')
    const response = await fetch(url + path, { method: 'PATCH' })
    const { code } = (await response.json()) as { code: string }
    assert.deepEqual([response.status, code], [405, 'METHOD_NOT_ALLOWED'], path)
    // /strategies/self is one of /strategies/{id}, too, for the methods that it has not itself.
    const also = Object.entries(document.paths).filter(([other]) =>
      new RegExp(`^${other.replace(/\{\w+\}/g, '[^/]+')}$`).test(path),
    )
    const allowed = new Set(also.flatMap(([, methods]) => Object.keys(methods).map((method) => method.toUpperCase())))
    if (allowed.has('GET')) allowed.add('HEAD')
    assert.deepEqual(response.headers.get('allow')?.split(', ').sort(), [...allowed].sort(), path)
  }
})

function schemasIn(value: unknown): object[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, each]) => [
    ...(key === 'schema' ? [each as object] : []),
    ...schemasIn(each),
  ])
}
