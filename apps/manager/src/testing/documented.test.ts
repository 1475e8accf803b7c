import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Documented } from './documented.js'
import { startManager } from './manager.js'

const json = (schema: object) => ({ content: { 'application/json': { schema } } })
const error = { type: 'object', required: ['code'], properties: { code: { type: 'string' } } }
const document = {
  paths: {
    '/things': {
      get: { operationId: 'list', responses: { '200': json({ type: 'array' }), default: {} } },
      post: {
        operationId: 'make',
        requestBody: json({ type: 'object', required: ['name'] }),
        responses: { '200': json({ type: 'object', required: ['id'] }), '409': json(error), default: {} },
      },
    },
    '/things/{id}': { get: { operationId: 'get', responses: { '200': json({ type: 'object' }), default: {} } } },
    '/things/self': { get: { operationId: 'self', responses: { '200': json({ type: 'string' }), default: {} } } },
  },
  components: { schemas: { Error: error } },
}

test('an answer that the document does not have is told; one that it has is not', () => {
  const documented = new Documented(document)
  const refused = { code: 'X' }
  const rows: readonly [string, string, number, unknown, unknown, RegExp | undefined][] = [
    ['GET', '/things?limit=1', 200, [], undefined, undefined],
    ['GET', '/things', 200, {}, undefined, /GET \/things 200: not as the document says: .*must be array/],
    ['GET', '/things', 404, refused, undefined, /\(list\): the document has no such status/],
    ['GET', '/things', 500, refused, undefined, /no such status/],
    ['GET', '/things', 431, refused, undefined, undefined],
    ['GET', '/things/self', 200, 'me', undefined, undefined],
    ['GET', '/things/1', 200, {}, undefined, undefined],
    ['PUT', '/things', 405, refused, undefined, undefined],
    ['PUT', '/things', 200, {}, undefined, /there is no such operation/],
    ['GET', '/nothing', 404, refused, undefined, undefined],
    ['GET', '/nothing', 404, {}, undefined, /must have required property 'code'/],
    ['GET', '/nothing', 200, {}, undefined, /it is no 404/],
    ['POST', '/things', 200, { id: 1 }, { name: 'a' }, undefined],
    ['POST', '/things', 200, { id: 1 }, { nome: 'a' }, /what was sent: .*must have required property 'name'/],
    ['POST', '/things', 409, refused, { nome: 'a' }, undefined],
    ['POST', '/things', 200, { id: 1 }, { nome: null }, undefined],
  ]
  for (const [method, path, status, body, sent, expected] of rows) {
    const problem = documented.problemOf({ method, path, status, body, sent })
    if (expected === undefined) assert.equal(problem, undefined)
    else assert.match(problem ?? 'nothing', expected)
  }
  assert.deepEqual([...documented.seen].slice(0, 3), ['list 200', 'list 404', 'list 500'])
})

test('the harness fails a test whose answer is not in the document', async (t) => {
  const { agent, store } = await startManager(t)
  // A failure that nobody has foreseen.
  Object.defineProperty(store, 'users', { get: () => ({ findOne: () => Promise.reject(new TypeError('unforeseen')) }) })
  const asked = agent.post('/api/v1/auth/login').send({ username: 'a', password: 'b' })
  await assert.rejects(
    Promise.resolve(asked),
    /POST \/api\/v1\/auth\/login 500 \(login\): the document has no such status/,
  )
})
